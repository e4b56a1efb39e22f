"""kill -9 of the Redis server while writers are at work, and a server whose memory is full."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

from chaos.trial import RING, Trial
from dispatcher.audit.auditor import audit
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.store import Store
from tests.service.players import VENDORS, Players, ended
from tests.service.world import World
from tests.store.made import DAY, pools
from tests.store.work import Writers

ROOM_BYTES = 60_000
FULL_S = 0.3  # shorter than a caller waits for the store: some are told, some never notice


async def kill_store(trial: Trial) -> None:
    """The server is killed amid commits; what it acknowledged is there, nothing is there twice."""
    chance = random.Random(trial.seed)
    async with EmbeddedRedis(trial.folder) as server, Store(server.url, RING) as store:
        for number in range(trial.rounds):
            market = store.market(f"kill{number}")
            await market.capacity.put("v1", DAY, pools(4))
            writers = Writers(market, seed=number)
            work = asyncio.create_task(writers.run(16, "w"))
            await _so_many(writers, chance.randint(1, 100), work)
            with trial.strike():
                await server.restart()
                await _so_many(writers, len(writers.acknowledged) + 1, work)
            writers.stopping = True
            await work
            report = await audit(store.reader, market.name, writers.acknowledged, streams=True)
            trial.judged(report, writers.acknowledged)
            trial.over()
        if not store.committer.repeated:
            trial.find("no kill met a commit on its way: this tried nothing")


async def _so_many(writers: Writers, wanted: int, work: asyncio.Task[None]) -> None:
    """Until so many submissions were acknowledged."""
    while len(writers.acknowledged) < wanted:
        if work.done():
            work.result()
        await asyncio.sleep(0)


async def kill_store_amid_commands(trial: Trial) -> None:
    """The server is killed twice amid the commands of everybody; each request ends once all the same."""
    async with EmbeddedRedis(trial.folder) as server, Store(server.url, RING) as store:
        for number in range(trial.rounds):
            async with playing(trial, store, f"amid{number}", number) as players:
                for _ in range(2):
                    await players.more(players.chance.randint(40, 120))
                    with trial.strike():
                        await server.restart()
                        await players.more(1)
                await players.more(40)
            trial.over()


async def memory_full(trial: Trial) -> None:
    """The server's memory is full amid commands: callers are told, nothing is half done."""
    async with EmbeddedRedis(trial.folder) as server, Store(server.url, RING, timeout_s=FULL_S) as store:
        for number in range(trial.rounds):
            async with playing(trial, store, f"memory{number}", number) as players:
                await players.more(players.chance.randint(40, 120))
                told, room = players.interrupted, players.chance.randrange(ROOM_BYTES)
                used = await store.memory_bytes()
                await store.reader.ask("CONFIG", "SET", "maxmemory", str(used + room))
                await _so_often_refused(players, told + 3)
                await store.reader.ask("CONFIG", "SET", "maxmemory", str(used // 2))
                if not any("memory is full" in each for each in (await store.health()).problems):
                    trial.find(f"memory{number}: the memory is full, and /readyz would not say so")
                with trial.strike():
                    await store.reader.ask("CONFIG", "SET", "maxmemory", "0")
                    await players.more(1)
                await players.more(40)
            trial.over()


async def _so_often_refused(players: Players, wanted: int) -> None:
    async with asyncio.timeout(60):
        while players.interrupted < wanted:
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def playing(trial: Trial, store: Store, market: str, seed: int) -> AsyncIterator[Players]:
    """Everybody at once in one market; at the end judged, twice: as it is, and left to its timers."""
    players = Players(World(store, market), seed=trial.seed + seed)
    await players.world.open_with(*VENDORS, units=4)
    work = asyncio.create_task(players.play())
    try:
        yield players
    finally:
        players.stopping = True
        await work
    await settled(trial, players, store)


async def settled(trial: Trial, players: Players, store: Store) -> None:
    """Nothing is wrong, neither now nor after every request was left to its timers."""
    world = players.world
    before = await audit(store.reader, world.market, players.acknowledged)
    players.care.world = World(store, world.market, world.clock)
    for kind, name in await players.care.lost():
        trial.find(f"{world.market}: lost: {kind} {name} was acknowledged and is not stored")
    players.world = World(store, world.market, world.clock)
    trial.states |= ended(await players.settle())
    after = await audit(store.reader, world.market, players.acknowledged, streams=True)
    trial.judged(before, players.acknowledged)
    trial.judged(after)
