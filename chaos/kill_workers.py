"""Workers, their processes and the broker are killed amid solves, and the matcher that waits for them."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from chaos.intake import Intake
from chaos.late import Late
from chaos.parts import BROKER, LIMIT_S, TASK, WORKERS, Parts, as_served, until_ready
from chaos.slow_rule import SLOW
from chaos.trial import Trial
from client.errors import Problem, Unreachable
from contracts.codes import RequestState
from contracts.geo import Window
from contracts.requests import TripRequest
from dispatcher.runtime.urls import BrokerUrl
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.serve.processes import own_command
from dispatcher.settings import Markets, Settings
from dispatcher.store.outcome import Status
from tests.e2e.conftest import MARKET

SLOW_S = "0.3"
AHEAD = dt.timedelta(hours=5)  # none is imminent: each waits for a batch
A_DAY = 8  # rounds with one store, which is judged at their end: its vendor takes a thousand a day
PACE_S = 0.4
FORGETFUL = {"appendonly": "no"}  # a broker that is killed has then lost all that it held
MATCHER, WORKER = "matcher", "worker"
Victims = Sequence[str]
TURNS: Sequence[Sequence[Victims]] = (  # each round kills a worker, the broker and the matcher once at least
    ((WORKERS[0],), (BROKER,), (MATCHER,)),
    ((TASK,), (*WORKERS,), (MATCHER, BROKER)),
)
BATCHES, AT_WORKERS = "batches", "solved_by_workers"
OFFERED_ONCE, REFUSED = "offered_once", "duplicates_refused_by_fence"


class Waiting(Intake):
    """Rides of this evening, by and by; each is to be offered, and once."""

    seen = 0  # of the acknowledged: so many were found offered

    @property
    def unseen(self) -> Sequence[str]:
        """Those that nobody has looked at since they were acknowledged."""
        return self.acknowledged[self.seen :]

    async def all_offered(self) -> None:
        """Until all that was acknowledged by now was offered. Raises TimeoutError: a batch was lost."""
        names = self.unseen
        async with asyncio.timeout(LIMIT_S):
            for name in names:
                while not await self._is_offered(name):
                    await asyncio.sleep(0.05)
        self.seen += len(names)

    async def _is_offered(self, name: str) -> bool:
        with contextlib.suppress(Unreachable, Problem):
            return (await self.platform.view(name)).state is RequestState.OFFERED
        return False

    def _trip(self) -> TripRequest:
        made, then = super()._trip(), dt.datetime.now(dt.UTC) + AHEAD
        return replace(made, pickup_window=Window(earliest=then, latest=then + dt.timedelta(minutes=30)))


async def kill_workers(trial: Trial) -> None:
    """Workers, broker and matcher are killed amid solves, each once a round: none is lost or made twice."""
    while (left := trial.rounds - trial.report.rounds) > 0:
        await _day(trial, min(left, A_DAY))
    counts = trial.report.counts
    for name, missing in (
        (AT_WORKERS, "no worker solved anything"),
        (REFUSED, "no killed matcher left anything that another did meanwhile"),
    ):
        if not counts.get(name):
            trial.find(f"{missing}: this tried nothing")


async def _day(trial: Trial, rounds: int) -> None:
    """So many rounds with one store; the broker forgets all in every second day."""
    first, folder = trial.report.rounds, trial.folder / f"day{trial.report.rounds}"
    folder.mkdir()
    async with _parts(folder, forgets=bool(first // A_DAY % 2)) as parts:
        await parts.start(*parts.commands)
        await until_ready(parts.url)
        async with Late(parts) as late, Waiting(trial, parts, at_once=1, pause_s=PACE_S) as intake:
            async with intake.going():
                for number in range(first, first + rounds):
                    await _round(trial, parts, intake, late, TURNS[number % len(TURNS)])
            await intake.all_offered()
            await counted(trial, late, intake.acknowledged)
        trial.count(AT_WORKERS, parts.log.read_text(errors="replace").count('"task_done"'))


async def _round(trial: Trial, parts: Parts, intake: Waiting, late: Late, turns: Sequence[Victims]) -> None:
    """Kill at any moment, start again: what came before is offered, and what comes late is refused."""
    rng = random.Random(trial.seed + trial.report.rounds)
    for victims in turns:
        await asyncio.sleep(rng.uniform(0.1, 0.8))
        with trial.strike():
            await parts.kill(*victims)
            held = await late.held(lambda: intake.unseen) if MATCHER in victims else None
            await asyncio.sleep(rng.choice((0.0, 0.3)))
            await parts.start(*victims)
            await intake.all_offered()
        trial.killed(*(WORKER if each in WORKERS else each for each in victims))
        if held is not None:
            for status in await late.sent(held):
                refused(trial, status)
        parts.refuse_ended()
    trial.over()


async def counted(trial: Trial, late: Late, acknowledged: Sequence[str]) -> None:
    """From the store, record by record: each has one offer. There is one vendor, and none has answered."""
    found = await late.market.requests.records.get_all(acknowledged)
    offers = {name: len(found[name].offers) if name in found else 0 for name in acknowledged}
    once = sum(number == 1 for number in offers.values())
    trial.count(OFFERED_ONCE, once)
    trial.count(BATCHES, len({offer.snapshot for each in found.values() for offer in each.offers}))
    for name, number in offers.items():
        if number != 1:
            trial.find(f"{MARKET}: {name} was offered {number} times, not once")


def refused(trial: Trial, status: Status | None) -> None:
    """What a dead matcher sent has to be refused, by its fence before all else."""
    if status is Status.FENCED:
        trial.count(REFUSED)
    else:
        trial.find(
            f"{MARKET}: a match of a dead matcher's was answered {status} and not refused by its fence"
        )


@contextlib.asynccontextmanager
async def _parts(folder: Path, *, forgets: bool) -> AsyncIterator[Parts]:
    """What `serve` starts, a broker, and two workers that take their time."""
    settings = Settings(data_dir=folder, port=0, markets=Markets.parse(f"{MARKET}=UTC"))
    broker = EmbeddedRedis(folder / "broker", settings=FORGETFUL if forgets else {})
    async with broker, as_served(settings) as parts:
        parts.settings = replace(
            parts.settings, broker_url=BrokerUrl.parse(broker.url), rules="chaos.slow_rule"
        )
        parts.broker = broker
        for each in WORKERS:
            parts.commands[each] = own_command("worker", "--work", "solves")
            parts.environments[each] = {SLOW: SLOW_S}
        yield parts
