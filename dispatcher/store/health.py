"""Whether the server keeps what it acknowledges."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple

from redis.exceptions import NoPermissionError, ResponseError

from dispatcher.domain.refusals import Unavailable
from dispatcher.store import rights
from dispatcher.store.connection import Reader
from dispatcher.store.identity import Identity
from dispatcher.store.resp import text_of
from dispatcher.store.servers import Servers

OLDEST = (7, 0)
AGE_S = 1.0
SILENCE_S = 0.8  # below what /readyz waits: it has to name who hangs
PATIENCE_S = 2.0  # before a market's intake refuses: we may be the slow ones
CLUSTER = (
    "the server is a node of a cluster, and its address names none; "
    "maybe DISPATCHER_REDIS_URL=redis+cluster://host:port"
)
NO_CLUSTER = (
    "the server is in no cluster, and its address names one; maybe DISPATCHER_REDIS_URL=redis://host:port"
)
GAPS = "the cluster has slots that no server has; maybe a primary and its replicas are away"
LEAST_REPLICAS = "min-replicas-to-write"
LAG_S = 10  # as the server's own bound has it, min-replicas-max-lag, where nothing else is set
WANTED = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}


class Health(NamedTuple):
    """What was found; `problems` is empty on a server that can be relied on.

    `lost`: it is not the store that was in use. `lacking`: rights that our user has not got. `keyless`:
    patient keys that this process has not got. `newer`: what is stored in a format that it does not know.
    `used_bytes`, `limit_bytes`: its memory, where it says so; no limit is 0. `well`: the servers of a cluster
    that can be relied on, where others cannot; `served`: our markets that are there.
    """

    version: str
    problems: tuple[str, ...]
    lost: bool = False
    lacking: tuple[str, ...] = ()
    keyless: tuple[str, ...] = ()
    newer: tuple[str, ...] = ()
    used_bytes: int = 0
    limit_bytes: int = 0
    well: tuple[str, ...] = ()
    served: tuple[str, ...] = ()

    @property
    def durable(self) -> bool:
        """Whether a 202 may be given."""
        return not self.problems

    @property
    def reasons(self) -> tuple[str, ...]:
        """All that is wrong."""
        return self.problems + self.lacking + self.keyless + self.newer

    @property
    def ready(self) -> bool:
        """Whether work is taken: a server of a cluster keeps nobody from the markets of the others."""
        return not (self.lacking or self.keyless or self.newer) and (not self.problems or bool(self.served))


async def check(
    reader: Reader,
    identity: Identity | None = None,
    markets: Sequence[str] = (),
    *,
    cluster: bool = False,
    replicas: int = 0,
) -> Health:
    """Ask the server. It never raises for a server that does not answer: that is a problem like others."""
    more = rights.more(cluster=cluster, replicas=replicas)
    try:
        try:
            info: dict[str, Any] = await reader.ask("INFO")
        except NoPermissionError:
            return Health("", (), lacking=await rights.lacking(reader, markets, more))
        settings = await _settings(reader)
        problems = tuple(_problems(info, settings, cluster=cluster, replicas=replicas))
        lacking = await rights.lacking(reader, markets, more) if markets else ()
        # a server that takes no writes cannot be given a name: first things first
        lost = await _lost(identity) if identity and not problems and not lacking else ""
        told = problems + ((lost,) if lost else ())
        return Health(_version(info), told, bool(lost), lacking, (), (), *_memory(info))
    except Unavailable as error:
        return Health("", (error.reason,))
    except ResponseError as error:
        return Health("", (f"the store refuses to be asked: {error}",))


async def check_in(reader: Reader, within_s: float, *, replicas: int = 0) -> Health:
    """One server of a cluster, by itself: one that hangs is told before whoever asks gives up."""
    try:
        async with asyncio.timeout(within_s):
            return await check(reader, cluster=True, replicas=replicas)
    except TimeoutError:
        return Health("", ("it does not answer",))


async def check_all(
    servers: Servers, identity: Identity | None = None, markets: Sequence[str] = ()
) -> Health:
    """As `check`, of every server that takes writes: one that cannot be relied on is named by its address."""
    try:
        readers = await servers.readers()
        whole = await servers.is_whole()
    except Unavailable as error:
        return Health("", (error.reason,))
    if len(readers) == 1 and not readers[0][0]:
        return await check(readers[0][1], identity, markets, replicas=servers.replicas)
    each = await asyncio.gather(
        *(check_in(reader, SILENCE_S, replicas=servers.replicas) for _, reader in readers)
    )
    told = [
        f"{name}: {problem.rstrip('.')}"
        for (name, _), one in zip(readers, each, strict=True)
        for problem in one.problems
    ]
    asked = each[0]
    if whole and not told:
        wanted = servers.replicas
        asked = await check(servers.reader, identity, markets, cluster=True, replicas=wanted)
    unwell = told or not whole
    return asked._replace(
        problems=(*told, *(asked.problems if not told else ()), *(() if whole else (GAPS,))),
        well=tuple(name for (name, _), one in zip(readers, each, strict=True) if unwell and one.durable),
        used_bytes=sum(one.used_bytes for one in each),
        limit_bytes=sum(one.limit_bytes for one in each),
    )


async def _lost(identity: Identity) -> str:
    """Why it is not the store that was in use; "" where we may not ask: that is told as a lacking right."""
    try:
        return await identity.problem()
    except NoPermissionError:
        return ""


async def _settings(reader: Reader) -> dict[str, str] | None:
    """The settings that matter, or None where a managed server does not show them."""
    try:
        found = await reader.ask("CONFIG", "GET", *WANTED, LEAST_REPLICAS)
    except ResponseError:
        return None
    return {text_of(name): text_of(value) for name, value in _pairs(found)}


def _problems(
    info: dict[str, Any], settings: dict[str, str] | None, *, cluster: bool, replicas: int = 0
) -> list[str]:
    found = []
    version = _version(info)
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        found.append(f"the server's version is {version}, the oldest that works is 7.0")
    if settings is None:
        found.append(
            "the server does not show its settings; allow CONFIG GET, or appendfsync is anyone's guess"
        )
    for name, wanted in WANTED.items() if settings is not None else ():
        if settings and settings.get(name) != wanted:
            found.append(f"{name} is {settings.get(name)}, it must be {wanted}")
    if info.get("aof_last_write_status", "ok") != "ok":
        found.append("the last write to the append-only file failed; maybe its disk is full")
    used, most = _memory(info)
    if 0 < most <= used:
        found.append(f"its memory is full: {used:,} bytes of {most:,}; maybe raise maxmemory")
    if bool(int(info.get("cluster_enabled", 0))) is not cluster:
        found.append(NO_CLUSTER if cluster else CLUSTER)
    if info.get("role") in ("slave", "replica"):
        found.append("the server is a replica; maybe point DISPATCHER_REDIS_URL at its primary")
    return [*found, *_too_few(info, settings, replicas)]


def _too_few(info: dict[str, Any], settings: dict[str, str] | None, wanted: int) -> Iterable[str]:
    """Replicas that must have what is told of: by our own setting, and by the server's."""
    connected = int(info.get("connected_slaves", 0))
    there = sum(_keeps_up(info.get(f"slave{each}")) for each in range(connected))
    if there < wanted:
        named = f"{there} replicas that keep up, of {connected}" if connected else "0 replicas"
        yield f"it has {named}, and DISPATCHER_WAIT_REPLICAS is {wanted}: no commit is told of"
    least = int((settings or {}).get(LEAST_REPLICAS, 0))
    if (well := int(info.get("min_slaves_good_slaves", connected))) < least:
        yield f"it takes no writes: {well} of its replicas keep up, and {LEAST_REPLICAS} is {least}"


def _keeps_up(replica: Any) -> bool:
    """Whether it says how far it is, as each does every second: one that hangs stays connected a minute."""
    if not isinstance(replica, dict):
        return True  # a managed server that does not say
    return replica.get("state") == "online" and int(replica.get("lag", 0)) <= LAG_S


def _memory(info: dict[str, Any]) -> tuple[int, int]:
    return int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))


def _version(info: dict[str, Any]) -> str:
    """Valkey calls itself Redis 7.2.4 for old clients, and has a version of its own."""
    return str(info.get("valkey_version") or info.get("redis_version", "0.0"))


def _pairs(found: Any) -> list[tuple[Any, Any]]:
    return list(found.items()) if isinstance(found, dict) else list(zip(found[::2], found[1::2], strict=True))


class Watch:
    """What `check` said a moment ago: for callers that ask more often than the server need be asked."""

    def __init__(self, check: Callable[[], Awaitable[Health]], age_s: float = AGE_S) -> None:
        self._check, self._age_s = check, age_s
        self._until, self._found = 0.0, Health("", ())
        self._asking = asyncio.Lock()

    async def health(self) -> Health:
        """At most `age_s` old; those who come meanwhile wait for the same answer."""
        if time.monotonic() >= self._until:
            async with self._asking:
                if time.monotonic() >= self._until:
                    self._found = await self._check()
                    self._until = time.monotonic() + self._age_s
        return self._found
