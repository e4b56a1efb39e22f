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
from chaos.parts import BROKER, LIMIT_S, TASK, WORKERS, Parts, until_ready, web_and_matcher
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
from tests.e2e.conftest import MARKET

SLOW_S = "0.3"
AHEAD = dt.timedelta(hours=5)  # none is imminent: each waits for a batch
A_DAY = 20  # rounds with one store, which is judged at their end: its vendor takes a thousand a day
PACE_S = 0.4
FORGETFUL = {"appendonly": "no"}  # a broker that is killed has then lost all that it held
Victims = Sequence[str]
TURNS: Sequence[Victims] = (
    (WORKERS[0],), (BROKER,), ("matcher",), (TASK,), (BROKER,), (*WORKERS,), ("matcher", BROKER),
)  # fmt: skip


class Waiting(Intake):
    """Rides of this evening, by and by; each is to be offered, and once."""

    seen = 0  # of the acknowledged: so many were found offered

    async def all_offered(self) -> None:
        """Until all that was acknowledged by now was offered. Raises TimeoutError: a batch was lost."""
        names = self.acknowledged[self.seen :]
        async with asyncio.timeout(LIMIT_S):
            for name in names:
                while not await self._is_offered(name):
                    await asyncio.sleep(0.05)
        self.seen += len(names)

    async def _is_offered(self, name: str) -> bool:
        with contextlib.suppress(Unreachable, Problem):
            return (await self.platform.view(name)).state is RequestState.OFFERED
        return False

    async def twice(self) -> list[str]:
        """Those that were offered more than once; there is one vendor, and none has answered."""
        return [each.id async for each in self.platform.views() if len(each.attempts) != 1]

    def _trip(self) -> TripRequest:
        made, then = super()._trip(), dt.datetime.now(dt.UTC) + AHEAD
        return replace(made, pickup_window=Window(earliest=then, latest=then + dt.timedelta(minutes=30)))


async def kill_workers(trial: Trial) -> None:
    """A worker, its process, broker or matcher is killed amid a solve: no batch is lost, none made twice."""
    while (left := trial.rounds - trial.report.rounds) > 0:
        await _day(trial, min(left, A_DAY))
    if not trial.solved_elsewhere:
        trial.find("no worker solved anything: this tried nothing")


async def _day(trial: Trial, rounds: int) -> None:
    """So many rounds with one store; the broker forgets all in every second day."""
    first, folder = trial.report.rounds, trial.folder / f"day{trial.report.rounds}"
    folder.mkdir()
    async with _parts(folder, forgets=bool(first // A_DAY % 2)) as parts:
        await parts.start("web", "matcher", *WORKERS)
        await until_ready(parts.url)
        async with Waiting(trial, parts, at_once=1, pause_s=PACE_S) as intake:
            async with intake.going():
                await _rounds(trial, parts, intake, [TURNS[(first + n) % len(TURNS)] for n in range(rounds)])
            await intake.all_offered()
            for each in await intake.twice():
                trial.find(f"{MARKET}: offered more than once, or never: {each}")
        trial.solved_elsewhere += parts.log.read_text(errors="replace").count('"task_done"')


async def _rounds(trial: Trial, parts: Parts, intake: Waiting, turns: Sequence[Victims]) -> None:
    """Kill at any moment, and start again; what came before is then offered."""
    rng = random.Random(trial.seed + trial.report.rounds)
    for victims in turns:
        await asyncio.sleep(rng.uniform(0.1, 0.8))
        with trial.strike():
            await parts.kill(*victims)
            await asyncio.sleep(rng.choice((0.0, 0.3)))
            await parts.start(*victims)
            await intake.all_offered()
        parts.refuse_ended()
        trial.over()


@contextlib.asynccontextmanager
async def _parts(folder: Path, *, forgets: bool) -> AsyncIterator[Parts]:
    """Web and matcher, a broker, and two workers that take their time."""
    settings = Settings(data_dir=folder, port=0, markets=Markets.parse(f"{MARKET}=UTC"))
    broker = EmbeddedRedis(folder / "broker", settings=FORGETFUL if forgets else {})
    async with broker, web_and_matcher(settings) as parts:
        parts.settings = replace(
            parts.settings, broker_url=BrokerUrl.parse(broker.url), rules="chaos.slow_rule"
        )
        parts.broker = broker
        for each in WORKERS:
            parts.commands[each] = own_command("worker", "--work", "solves")
            parts.environments[each] = {SLOW: SLOW_S}
        yield parts
