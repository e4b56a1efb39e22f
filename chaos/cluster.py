"""A cluster amid all commands: slots move key by key and at once, a primary dies, a replica is promoted."""

from __future__ import annotations

from chaos.store import playing
from chaos.trial import RING, Trial
from dispatcher.store.store import Store
from tests.store.cluster import LocalCluster, local_cluster

REPLICAS = 1  # each commit waits for so many: what was acknowledged outlives its primary


async def cluster(trial: Trial) -> None:
    """A market moves key by key and at once amid commands, then its primary dies; nothing told of is lost."""
    async with local_cluster(trial.folder) as made, Store(made.url, RING, replicas=REPLICAS) as store:
        for number in range(trial.rounds):
            await _round(trial, made, store, f"cluster{number}", number)
            trial.over()


async def _round(trial: Trial, made: LocalCluster, store: Store, market: str, number: int) -> None:
    key = store.market(market).keys.events
    async with playing(trial, store, market, number) as players:
        chance = players.chance
        await players.more(chance.randint(20, 60))
        source = await made.owner(key)
        other, last = chance.sample([each for each in await made.holders() if each != source], 2)
        with trial.strike():
            keys = await made.begin_moving(key, other)
            chance.shuffle(keys)
            await made.move_keys(keys[: chance.randint(0, len(keys))], source, other)
            await made.end_moving(key, source, other)
            await players.more(5)
        trial.count("moved_key_by_key")
        with trial.strike():
            await made.move(key, last)
            await players.more(5)
        trial.count("moved_at_once")
        with trial.strike():
            made.servers[last].kill()
            await made.until_promoted(key, last)
            await made.come_back(last)
            await players.more(5)
        trial.killed("primary")
        await players.more(20)
