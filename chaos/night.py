"""A broker's night on a cluster of three with two workers: a worker and a primary die amid it.

The same night is played first without a kill: everything is decided either way, at the same total cost.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from benchmarks.night_day import NightDay, next_day
from benchmarks.night_load import Became, Broker, all_decided, calls_of, what_became
from chaos.parts import WORKERS, Parts, over, solving, until_ready
from chaos.slow_rule import SLOW
from chaos.trial import Trial
from contracts.codes import RequestState
from dispatcher.audit.auditor import audit
from dispatcher.runtime.urls import BrokerUrl
from dispatcher.security.key_files import read_patient_keys, read_token_keys
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.serve.processes import own_command
from dispatcher.settings import Markets, Settings
from dispatcher.store.keys import Keys
from dispatcher.store.store import Store
from tests.store.cluster import LocalCluster, local_cluster

MARKET, TZ = "region", ZoneInfo("America/New_York")
SLOW_S = 2.0  # a worker's, for all requests: so a kill meets it amid a solve, however short that is
MOST_DEARER = 0.001  # or cheaper
A_CALL, AT_ONCE = 100, 4
PATIENCE_S, LIMIT_S, PAUSE_S = 240.0, 120.0, 0.02
REPLICAS = 1  # each commit waits for so many: what was acknowledged outlives its primary
PARTS = 3  # that go to the workers, one each; the matcher solves the third
SETTLE_S = 2.0  # all are in one batch, however busy the machine is


class Size(NamedTuple):
    """Of the night; `work`: the solve's limit, in work and not in time, so that two nights are alike."""

    requests: int = 3_000
    vendors: int = 240
    work: int = 200_000


class Told(NamedTuple):
    """What became of a night, and how long its last 202 was ago when all was decided."""

    became: Became
    decided_s: float


async def night(trial: Trial) -> None:
    """A night on three primaries with two workers, one of each killed amid it: at the cost of one without."""
    for _ in range(trial.rounds):
        await compared(trial, Size())
        trial.over()


async def compared(trial: Trial, size: Size) -> None:
    """The night as it is, and with kills."""
    quiet = await _played(trial, size, killed=False)
    struck = await _played(trial, size, killed=True)
    dearer = struck.became.cost_cents / quiet.became.cost_cents - 1
    trial.report.about = (
        f"{size.requests:,} requests, {size.vendors} vendors: decided {quiet.decided_s:.1f} s after the last "
        f"202, with kills {struck.decided_s:.1f} s; cost {dearer:+.4%}"
    )
    if abs(dearer) > MOST_DEARER:
        trial.find(
            f"with kills it costs {dearer:+.3%}: {quiet.became.cost_cents}, {struck.became.cost_cents}"
        )


async def _played(trial: Trial, size: Size, *, killed: bool) -> Told:
    name = f"{'killed' if killed else 'quiet'}{trial.report.rounds}"
    folder = trial.folder / name
    folder.mkdir()
    async with (
        local_cluster(folder / "c") as cluster,
        _parts(folder, cluster, SLOW_S / size.requests) as parts,
    ):
        await parts.start(*parts.commands)
        await until_ready(parts.url)
        settings = parts.settings
        async with Store(parts.redis_url, read_patient_keys(settings.patient_keys_file)) as store:
            told = await _decided(trial, size, parts, store, cluster if killed else None)
            trial.count("offered", told.became.offered)
            trial.count("explained", told.became.explained)
        parts.refuse_ended()
        log = parts.log.read_text(errors="replace")
        trial.count("solved_by_workers", log.count('"task_done"'))
        trial.count("given_to_the_other_worker", log.count('"worker_lost"'))
    return told


async def _decided(
    trial: Trial, size: Size, parts: Parts, store: Store, cluster: LocalCluster | None
) -> Told:
    """All comes in, and is decided. `cluster`: a worker and a primary of it are to be killed meanwhile."""
    day = NightDay.drawn(size.requests, size.vendors, on=next_day(time.time_ns() // 1_000_000, TZ), tz=TZ)
    port = int(parts.url.rpartition(":")[2])
    broker = Broker(MARKET, port, read_token_keys(parts.settings.token_keys_file), size.vendors)
    await broker.open(day, _tuning(size), AT_ONCE)
    bodies = calls_of(day, A_CALL)
    names = [each["id"] for some in bodies for each in some]
    striking = asyncio.create_task(_struck(trial, parts, store, cluster, len(names) // 3))
    await broker.submit(bodies, AT_ONCE)
    began_s = time.monotonic()
    await striking
    if await all_decided(store.market(MARKET), PATIENCE_S) is None:
        trial.find(f"not all was decided within {PATIENCE_S:g} s")
    decided_s = time.monotonic() - began_s
    trial.judged(await audit(store.reader, MARKET, names, streams=True, settle_s=0.5), names)
    became = await what_became(store, MARKET, names)
    for number, wrong in ((became.lost, "neither offered nor explained"), (became.twice, "offered twice")):
        if number:
            trial.find(f"{MARKET}: {number} of {len(names)} requests were {wrong}")
    return Told(became, decided_s)


def _tuning(size: Size) -> dict[str, Any]:
    return {
        "solve_work_limit": size.work,
        "solve_time_limit_s": 60.0,
        "batch_limit": size.requests,
        "batch_settle_s": SETTLE_S,
        "split_requests": max(10, size.requests // PARTS),
    }


async def _struck(
    trial: Trial, parts: Parts, store: Store, cluster: LocalCluster | None, offered: int
) -> None:
    """Amid a solve its worker dies; once so many are offered, the primary that has the market."""
    if cluster is None:
        return
    async with asyncio.timeout(LIMIT_S):
        victim = await solving(parts)
    with trial.strike():
        await parts.kill(victim)
    trial.killed("worker")
    market, key = store.market(MARKET), Keys(MARKET).events
    async with asyncio.timeout(LIMIT_S):
        while (await market.requests.counts()).get(RequestState.OFFERED, 0) < offered:
            await asyncio.sleep(PAUSE_S)
    place = await cluster.owner(key)
    with trial.strike():
        cluster.servers[place].kill()
        await cluster.until_promoted(key, place)
        await cluster.come_back(place)
    trial.killed("primary")
    await parts.start(victim)


@contextlib.asynccontextmanager
async def _parts(folder: Path, cluster: LocalCluster, slow_s: float) -> AsyncIterator[Parts]:
    """Web and matcher, two workers and their broker, on the cluster."""
    settings = Settings(
        data_dir=folder,
        port=0,
        markets=Markets({MARKET: TZ}),
        wait_replicas=REPLICAS,
        rules="chaos.slow_rule",
    )
    async with EmbeddedRedis(folder / "broker") as redis, over(settings, cluster.url) as (parts, listener):
        parts.settings = replace(parts.settings, broker_url=BrokerUrl.parse(redis.url))
        parts.commands = {
            "web": own_command("serve", "--role", "web", "--listener", listener),
            "matcher": own_command("serve", "--role", "matcher"),
            **{each: own_command("worker", "--work", "solves") for each in WORKERS},
        }
        parts.environments = {each: {SLOW: str(slow_s)} for each in WORKERS}
        yield parts
