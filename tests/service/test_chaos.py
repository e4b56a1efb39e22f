"""All commands at once, from everybody, while the server is killed and the network loses: it holds.

Judged by the audit that is used in production.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from contracts.codes import RequestState
from dispatcher.audit.auditor import audit
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.store import Store
from tests.proxy import Proxy
from tests.service.conftest import RING
from tests.service.players import VENDORS, Players, ended
from tests.service.world import World


async def judged(players: Players, store: Store) -> set[RequestState]:
    """Nothing is wrong, neither now nor after every request was left to its timers."""
    world = players.world
    assert (await audit(store.reader, world.market, players.acknowledged))["findings"] == []
    judge = World(store, world.market, world.clock)
    players.world = judge
    records = await players.settle()
    assert len(records) == len(players.acknowledged)
    assert (await audit(store.reader, world.market, players.acknowledged, streams=True))["findings"] == []
    return ended(records)


async def test_a_server_killed_amid_all_commands_keeps_every_promise(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    states: set[RequestState] = set()
    async with EmbeddedRedis(tmp_path) as server, Store(server.url, RING) as store:
        for number in range(max(1, pytestconfig.getoption("rounds") // 4)):
            players = Players(World(store, f"chaos{number}"), seed=number)
            await players.world.open_with(*VENDORS, units=4)
            playing = asyncio.create_task(players.play())
            for _ in range(2):
                await players.more(players.chance.randint(40, 120))
                await server.restart()
            await players.more(40)
            players.stopping = True
            await playing
            states |= await judged(players, store)
    assert len(states) >= 3, "the rounds led to little"


async def test_a_network_that_loses_cuts_and_hangs_up_costs_no_promise(
    redis_server: EmbeddedRedis,
) -> None:
    chance = random.Random(5)
    async with (
        Proxy(redis_server.socket) as proxy,
        Store(proxy.url, RING) as far,
        Store(redis_server.url, RING) as near,
    ):
        players = Players(World(far, "chaosnet"), seed=5)
        await players.world.open_with(*VENDORS, units=4)
        playing = asyncio.create_task(players.play())
        while proxy.faults < 15:
            await players.more(8)
            match chance.randrange(3):
                case 0:
                    proxy.losing = 1
                case 1:
                    proxy.cutting_after = chance.choice((0, 1, 40, 700))
                case 2:
                    proxy.cut()
        proxy.losing, proxy.cutting_after = 0, None
        players.stopping = True
        await playing
        await judged(players, near)
