"""All commands at once, from everybody, while the network loses: it holds. Kills: tests/chaos."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from chaos.store import settled
from chaos.trial import Trial
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.store import Store
from tests.proxy import Proxy
from tests.service.conftest import RING
from tests.service.players import VENDORS, Players
from tests.service.world import World


async def test_a_network_that_loses_cuts_and_hangs_up_costs_no_promise(
    redis_server: EmbeddedRedis, tmp_path: Path
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
        trial = Trial(tmp_path, 1)
        await settled(trial, players, near)
    assert trial.findings == []
