"""kill -9 of the service in the middle of its work: what was answered 202 ends once, nothing is sold twice.

A platform and vendors go on over the public interfaces while a part is killed, round after round.
"""

from __future__ import annotations

from collections.abc import Sequence

from chaos.parts import OWNER, SOLVER, Parts, as_served, fence, owned, owner
from chaos.struck_day import Blows, Opened, Victims, strike_in_turn
from chaos.trial import Trial
from contracts.tuning import TuningView
from simulation.cast import Cast

EVERY_PART = (("web",), ("matcher",), (SOLVER, "jobs"), ("web", "matcher", "jobs"))


async def kill_web(trial: Trial) -> None:
    """The web process is killed; callers wait, feeds and replies go on where they were."""
    await kill_in_turn(trial, (("web",),))


async def kill_matcher(trial: Trial) -> None:
    """The matcher is killed; its lease is taken up."""
    await kill_in_turn(trial, (("matcher",),))


async def kill_jobs(trial: Trial) -> None:
    """The jobs are killed; timers, notifications and webhooks are taken up where they were."""
    await kill_in_turn(trial, (("jobs",),))


async def kill_solver(trial: Trial) -> None:
    """A process below the matcher is killed, a solver or what starts them; matching goes on."""
    await kill_in_turn(trial, ((SOLVER,),))


async def kill_in_turn(trial: Trial, turns: Sequence[Victims], opened: Opened = as_served) -> None:
    """One set of victims after the other is killed, and started again."""
    await strike_in_turn(trial, Blows(turns, opened, _killed))


async def _killed(trial: Trial, parts: Parts, cast: Cast, victims: Victims) -> None:
    """One blow; over once all answer and match again. Of two matchers the other one takes over first."""
    has, before = await owner(parts), await fence(parts.redis_url)
    struck = [has if each == OWNER else each for each in victims]
    with trial.strike():
        await parts.kill(*struck)
        if OWNER in victims:
            with trial.take_over():
                await owned(parts, before)
        await parts.start(*struck)
        await cast.ops.call("GET", "/tuning", TuningView)  # waits until there is an answer
        if has in struck:
            await owned(parts, before)
