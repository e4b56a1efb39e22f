"""Which primary of a cluster has which slot, as its servers say; asked again when one knows better."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from redis.asyncio import Redis
from redis.crc import key_slot
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from dispatcher.domain.refusals import Unavailable
from dispatcher.store.connection import (
    CONNECTION_ERRORS,
    SOCKET_TIMEOUT_S,
    BadUrl,
    connect,
    login_refused,
    unavailable,
)
from dispatcher.store.resp import text_of

ASK_S = 2.0  # a server that is gone must not keep us from asking the next
DEFAULT_PORT = 6379
EXAMPLE = "Maybe redis+cluster://[user:password@]host:port[,host:port…]."


class Address(NamedTuple):
    """Where a server is."""

    host: str
    port: int

    def __str__(self) -> str:
        """As people write it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


Slots = tuple[Address | None, ...]  #: who has each slot


class Topology:
    """`address(key)` says who has a key; `refresh` asks again, once for all who found it out of date."""

    def __init__(self, url: str) -> None:
        """`url`: `redis+cluster://` or `rediss+cluster://`, with one server or more. Raises BadUrl."""
        self._scheme, self._login, self.seeds = _parts(url)
        self.age = 0  #: how often it was asked; who knows an older one is out of date
        self._slots: Sequence[Address | None] = ()
        self._asking = asyncio.Lock()

    def client(self, address: Address, *, timeout_s: float = SOCKET_TIMEOUT_S) -> Redis:
        """A client of one server, signed in as the URL says."""
        return connect(f"{self._scheme}://{self._login}{address}", timeout_s=timeout_s)

    async def address(self, key: str) -> Address:
        """The primary that has a key. Raises Unavailable."""
        if not self._slots:
            await self.refresh(0)
        found = self._slots[key_slot(key.encode())]
        if found is None:
            await self.refresh(self.age)
            found = self._slots[key_slot(key.encode())]
        if found is None:
            raise unavailable("the cluster has no server for this market's slot.")
        return found

    async def primaries(self) -> Sequence[Address]:
        """Every server that takes writes, in order. Raises Unavailable."""
        if not self._slots:
            await self.refresh(0)
        return sorted({each for each in self._slots if each is not None})

    async def servers(self) -> Sequence[Address]:
        """Every server that has slots, or follows one that has, in order. Raises Unavailable."""
        for each in await self.primaries():
            told = await self._told(each)
            if not isinstance(told, Unavailable | None):
                return sorted({_placed(server, each) for _, _, *servers in told for server in servers})
        raise unavailable("no server of the cluster says which there are.")

    async def is_whole(self) -> bool:
        """Whether every slot has a server. Raises Unavailable."""
        await self.primaries()
        return None not in self._slots

    async def refresh(self, seen: int) -> None:
        """Ask who has what, unless somebody did since age `seen`. Raises Unavailable if nobody answers."""
        async with self._asking:
            if self.age != seen:
                return
            known = dict.fromkeys([*(each for each in self._slots if each is not None), *self.seeds])
            self._slots, self.age = await self._agreed(list(known)), self.age + 1

    async def _agreed(self, known: Sequence[Address]) -> Slots:
        """What most of them know. One alone may be cut off, reset, or back with what it knew long ago."""
        votes, refusals = Counter[Slots](), list[Unavailable]()
        asking = [asyncio.create_task(self._asked(each)) for each in known]
        try:
            for told in asyncio.as_completed(asking):
                slots = await told
                if isinstance(slots, Unavailable):
                    refusals.append(slots)
                elif slots is not None and any(slots):
                    votes[slots] += 1
                    if 2 * votes[slots] > len(known):
                        return slots
        finally:
            for each in asking:
                each.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
        if votes:
            return votes.most_common(1)[0][0]
        if refusals:
            raise refusals[0]
        raise unavailable(f"no server of the cluster answers (asked: {', '.join(map(str, known))}).")

    async def _asked(self, address: Address) -> Slots | Unavailable | None:
        """What one server knows of who has which slot; else as `_told`."""
        told = await self._told(address)
        if isinstance(told, Unavailable | None):
            return told
        slots: list[Address | None] = [None] * 16_384
        for first, last, primary, *_ in told:
            slots[first : last + 1] = [_placed(primary, address)] * (last + 1 - first)
        return tuple(slots)

    async def _told(self, address: Address) -> list[Any] | Unavailable | None:
        """What one server knows; None if it does not answer, or is in no cluster; or that we may not ask."""
        client = self.client(address, timeout_s=ASK_S)
        try:
            return list(await client.execute_command(b"CLUSTER", "SLOTS"))  # type: ignore[no-untyped-call]
        except (RedisError, *CONNECTION_ERRORS) as error:
            if isinstance(error.__cause__ or error, AuthenticationError):
                return login_refused()
            lacks = isinstance(error, NoPermissionError)
            return (
                unavailable("the user of DISPATCHER_REDIS_URL may not ask CLUSTER SLOTS.") if lacks else None
            )
        finally:
            await client.aclose()


def _placed(server: Any, asked: Address) -> Address:
    """Where a server is; one without a name is the one who was asked."""
    return Address(text_of(server[0]) if server[0] else asked.host, int(server[1]))


def _parts(url: str) -> tuple[str, str, Sequence[Address]]:
    """The scheme without `+cluster`, user and password with their @, the servers. Raises BadUrl."""
    scheme, _, rest = url.partition("+cluster://")
    login, at, hosts = rest.rpartition("@")
    try:
        if not hosts.strip("/"):
            raise ValueError("it names no server")
        found = [urlsplit(f"{scheme}://{each}") for each in hosts.rstrip("/").split(",")]
        return scheme, login + at, [_address(each) for each in found]
    except ValueError as error:
        raise BadUrl(f"DISPATCHER_REDIS_URL cannot be used: {error}.", EXAMPLE) from error


def _address(part: SplitResult) -> Address:
    if part.path.strip("/") or part.query:
        raise ValueError("a cluster has one database, and its URL no options")
    if not part.hostname or part.port == 0:
        raise ValueError("a server of it has no host, or the port 0")
    return Address(part.hostname, part.port or DEFAULT_PORT)
