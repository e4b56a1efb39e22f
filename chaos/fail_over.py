"""A primary is lost with its last writes, a replica promoted: no fence comes twice, nothing is half done."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from chaos.store import playing
from chaos.trial import RING, Trial
from dispatcher.audit.auditor import audit
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.connection import Reader, connect
from dispatcher.store.outcome import Status
from dispatcher.store.store import Store
from tests.domain import make
from tests.proxy import Proxy
from tests.service.players import VENDORS, Players

LEASE_MS, OWNER = 60_000, "test"  # as the players' world acquires it
SETTLED = (Status.FENCED, Status.OK)  # anything else: somebody else was quicker, ask again


async def fail_over(trial: Trial) -> None:
    """Each round a replica is cut off, misses what follows, and serves when the primary dies."""
    primary = EmbeddedRedis(trial.folder / "0", port=_free_port())
    await primary.start()
    try:
        async with Proxy(primary.socket) as proxy, Store(proxy.url, RING) as store:
            for number in range(trial.rounds):
                replica = EmbeddedRedis(trial.folder / f"{number + 1}", port=_free_port())
                await replica.start()
                try:
                    await _round(trial, f"over{number}", proxy, store, (primary, replica))
                finally:
                    await primary.stop()
                    primary = replica
                trial.over()
    finally:
        await primary.stop()


async def _round(
    trial: Trial, market: str, proxy: Proxy, store: Store, servers: tuple[EmbeddedRedis, EmbeddedRedis]
) -> None:
    primary, replica = servers
    await _follows(replica, primary)
    async with playing(trial, store, market, trial.report.rounds) as players:
        await players.more(players.chance.randint(40, 120))
        safe = tuple(players.acknowledged)
        await _caught_up(primary)
        await _ask(replica, "REPLICAOF", "NO", "ONE")
        missed = await _fence(players)
        await players.more(players.chance.randint(5, 40))
        with trial.strike():
            primary.kill()
            proxy.upstream = replica.socket
            proxy.cut()
            await players.more(1)
        await _fenced_off(trial, players, missed)
        await players.more(40)
        known = set(players.acknowledged)
        there = await _there(players)
        if gone := sorted(set(safe) - there):
            trial.find(f"{market}: {gone} were acknowledged before the replica was cut off and are gone")
        await _named(trial, players, known - there)
        players.acknowledged[:] = [each for each in players.acknowledged if each in there]
        players.care.forget(await players.care.lost())


async def _fence(players: Players) -> str:
    """The market's next fence, under which offers are made from now on."""
    world = players.world
    world.fence = await world.store.market(world.market).lease.acquire(OWNER, LEASE_MS) or ""
    return world.fence


async def _fenced_off(trial: Trial, players: Players, missed: str) -> None:
    """The fence that the replica never saw is refused by it, and the next one is another."""
    if await _taken(players, missed):
        trial.find(f"{players.world.market}: the fence {missed}, which the fail-over lost, was taken")
    if await _fence(players) == missed or await _taken(players, missed):
        trial.find(f"{players.world.market}: the fence {missed} came twice")


async def _taken(players: Players, fence: str) -> bool:
    """Whether an offer is made under this fence."""
    world = players.world
    status = Status.STALE
    while status not in SETTLED:
        name = f"fenced{world.store.committer.repeated}-{players.chance.getrandbits(48):x}"
        ahead_ms = world.clock.ms - make.NOW + 3 * 3_600_000
        await world.submit(make.trip(name, ahead_ms=ahead_ms), key=name, body=b"the same")
        players.acknowledged.append(name)
        status = (await world.offer(name, VENDORS[1], fence=fence)).status
    return status is Status.OK


async def _named(trial: Trial, players: Players, gone: set[str]) -> None:
    """What was acknowledged and is lost: the audit, told what was acknowledged, names just that."""
    known = tuple(players.acknowledged)
    found = await audit(players.world.store.reader, players.world.market, known)
    named = {each["subject"] for each in found["findings"] if each["rule"] == "lost"}
    trial.count("lost_and_named", len(named & gone))
    if named != gone:
        trial.find(f"{players.world.market}: the audit names {sorted(named)} as lost, and {sorted(gone)} are")


async def _there(players: Players) -> set[str]:
    """Which of the acknowledged requests are stored."""
    records = players.world.store.market(players.world.market).requests.records
    return set(await records.get_all(tuple(players.acknowledged)))


async def _follows(replica: EmbeddedRedis, primary: EmbeddedRedis) -> None:
    """Until the replica has all that the primary has."""
    await _ask(primary, "CONFIG", "SET", "repl-diskless-sync-delay", "0")
    await _ask(replica, "REPLICAOF", "127.0.0.1", str(primary.port))
    async with asyncio.timeout(60):
        while (await _ask(replica, "INFO", "replication")).get("master_link_status") != "up":
            await asyncio.sleep(0.01)


async def _caught_up(primary: EmbeddedRedis) -> None:
    """Until the replica has what was acknowledged up to now."""

    async def written(reader: Reader) -> int:
        await reader.ask("SET", "chaos", "here")  # WAIT counts from its own client's last write
        return int(await reader.ask("WAIT", "1", "5000"))

    if not await _with(primary, written):
        raise RuntimeError("the replica does not follow")


async def _ask(server: EmbeddedRedis, *words: str) -> Any:
    return await _with(server, lambda reader: reader.ask(*words))


async def _with(server: EmbeddedRedis, asks: Callable[[Reader], Awaitable[Any]]) -> Any:
    client = connect(server.url)
    try:
        return await asks(Reader(client, 10.0))
    finally:
        await client.aclose()


def _free_port() -> int:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])
