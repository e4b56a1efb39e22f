"""Machines that stand still and wake: what they held is another's by then, what they still send is refused.

A matcher that is killed sends no more. One that was frozen (SIGSTOP; a machine that is moved, or has to swap)
believes that no time has passed. The matcher that takes over meanwhile has a wrong clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from chaos.kill_workers import REFUSED, Waiting, counted, refused
from chaos.late import Late
from chaos.parts import (
    BROKER,
    LIMIT_S,
    WORKERS,
    Parts,
    fence,
    owned,
    owner,
    roles_apart,
    solving,
    until_ready,
)
from chaos.slow_rule import SLOW
from chaos.trial import Trial
from dispatcher.runtime.urls import BrokerUrl
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.serve.processes import own_command
from dispatcher.settings import Markets, Settings
from dispatcher.workers.broker import LIVES_MS
from dispatcher.workers.errands import SILENCE_S
from tests.e2e.conftest import MARKET, descendants

RIGHT, AHEAD = "matcher", "matcher-2"  # by their clocks
AHEAD_S = 600
SLOW_S = "0.5"  # so that a freeze meets a worker amid its solve
PACE_S = 0.3
LOST_S = LIVES_MS / 1000 + SILENCE_S + 1.0  # a worker is taken for lost by then, a broker for silent
GAVE_WAY = {
    "woken_matchers_gave_way": '"matcher_interrupted"',
    "late_results_refused": '"task_result_refused"',
    "late_tasks_not_wanted": '"task_not_wanted"',
    "given_to_the_other_worker": '"worker_lost"',
}


async def freeze(trial: Trial) -> None:
    """Matcher, worker and broker stand still for long and wake: what they still send is refused."""
    async with _parts(trial.folder) as parts:
        await parts.start(*(each for each in parts.commands if each != AHEAD))
        await until_ready(parts.url)
        await owner(parts)
        await parts.start(AHEAD)
        async with Late(parts) as late, Waiting(trial, parts, at_once=1, pause_s=PACE_S) as intake:
            async with intake.going():
                for _ in range(trial.rounds):
                    await _worker(trial, parts, intake)
                    await _broker(trial, parts, intake)
                    await _matcher(trial, parts, intake, late)
                    parts.refuse_ended()
                    trial.over()
            await intake.all_offered()
            await counted(trial, late, intake.acknowledged)
        _noted(trial, parts.log)


async def _worker(trial: Trial, parts: Parts, intake: Waiting) -> None:
    """Amid its solve: the batch goes to the other, and its own result is wanted by nobody."""
    async with asyncio.timeout(LIMIT_S):
        victim = await solving(parts)
    with trial.strike(), frozen(pids(parts, victim)):
        await asyncio.gather(intake.all_offered(), asyncio.sleep(LOST_S))
    trial.count("frozen_workers")
    await intake.more(3)


async def _broker(trial: Trial, parts: Parts, intake: Waiting) -> None:
    """The matcher solves by itself; what lay in the broker is wanted by nobody."""
    pid = parts.broker.pid if parts.broker else None
    if pid is None:
        raise LookupError(BROKER)
    with trial.strike(), frozen({pid}):
        await asyncio.gather(intake.all_offered(), asyncio.sleep(LOST_S))
    trial.count("frozen_brokers")
    await intake.more(3)


async def _matcher(trial: Trial, parts: Parts, intake: Waiting, late: Late) -> None:
    """Another takes over, though its clock is wrong; the woken one is refused, whatever it sends."""
    await asyncio.sleep(random.Random(trial.seed + trial.report.rounds).uniform(0.0, 0.6))
    if await owner(parts) != RIGHT:
        trial.find(f"{MARKET}: a matcher whose clock is wrong has the market, though another lives")
    before = await fence(parts.redis_url)
    with frozen(pids(parts, RIGHT)):
        with trial.strike():
            held = await late.held(lambda: intake.unseen)
            with trial.take_over():
                await owned(parts, before)
            await intake.all_offered()
        for status in await late.sent(held):
            refused(trial, status)
    trial.count("frozen_matchers")
    async with asyncio.timeout(LIMIT_S):
        while await owner(parts) != RIGHT:
            await asyncio.sleep(0.05)
    await intake.more(3)


@contextlib.contextmanager
def frozen(some: set[int]) -> Iterator[None]:
    """These processes stand still."""
    _signal(some, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(some, signal.SIGCONT)


def _signal(some: set[int], sign: signal.Signals) -> None:
    for each in some:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, sign)


def pids(parts: Parts, role: str) -> set[int]:
    """Of all that its machine runs."""
    pid = parts.running[role].pid
    return {pid, *descendants(pid)}


def _noted(trial: Trial, log: Path) -> None:
    """What they said themselves, once they were awake."""
    said = log.read_text(errors="replace")
    for name, words in GAVE_WAY.items():
        trial.count(name, said.count(words))
    for name in ("woken_matchers_gave_way", "late_results_refused", REFUSED):
        if not trial.report.counts.get(name):
            trial.find(f"{name}: none was seen, so this tried nothing")


@contextlib.asynccontextmanager
async def _parts(folder: Path) -> AsyncIterator[Parts]:
    """Roles apart; two matchers, the second on a machine whose clock is ahead; workers and broker."""
    settings = Settings(data_dir=folder, port=0, markets=Markets.parse(f"{MARKET}=UTC"))
    async with EmbeddedRedis(folder / "broker") as broker, roles_apart(settings) as parts:
        parts.settings = replace(
            parts.settings, broker_url=BrokerUrl.parse(broker.url), rules="chaos.slow_rule"
        )
        parts.broker = broker
        parts.commands[AHEAD] = _ahead(parts.commands[AHEAD])
        for each in WORKERS:
            parts.commands[each] = own_command("worker", "--work", "solves")
            parts.environments[each] = {SLOW: SLOW_S}
        yield parts


def _ahead(command: Sequence[str]) -> list[str]:
    words = command[len(own_command()) :]
    return [sys.executable, "-P", "-m", "chaos.ahead", str(AHEAD_S), *words]
