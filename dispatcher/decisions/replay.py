"""A saved decision made again: byte for byte where work limited it; else its choice is judged.

What is judged of a choice that time limited: each match is still a candidate that every rule lets through, at
the same cost; together they keep every constraint (the independent checker); the cost is what was told; and
the bound holds: neither the choice nor a plan that is sought here, by steps of work, costs less.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from contracts.decisions import How
from dispatcher import __version__
from dispatcher.decisions.record import ROOM, SavedPlan
from solvers.arrays import Ints
from solvers.assignment.problem import AssignmentProblem
from solvers.candidates import best_of_each_vendor, ranked, screen
from solvers.checker import check
from solvers.optimiser import optimised
from solvers.planning import BatchPlan, digest, plan
from solvers.posing import Posed, pose
from solvers.room import make_room
from solvers.saved import pack_plan
from solvers.screening import Screening

SAME: Final[How] = "identical"
HOLDS: Final[How] = "verified"
DIFFERS: Final[How] = "differs"
_WORK: Final = 300_000  #: steps of the plan that is sought against a bound: a tenth of a second
GREEDY, OPTIMISER, INSERTION = "greedy", "optimiser", "insertion"


class Replayed(NamedTuple):
    """How it went. `how`: identical | verified | differs; `problems`: what does not hold."""

    digest: str
    how: How
    problems: tuple[str, ...] = ()
    hint: str = ""

    @property
    def ok(self) -> bool:
        """Whether it replays."""
        return self.how != DIFFERS


def replay(saved: SavedPlan) -> Replayed:
    """Make it again, or judge it. Needs OR-Tools where the optimiser decided."""
    header, named = saved.header, digest(saved.screening)
    if named != header.digest or saved.plan.digest != header.digest:
        return _ended(saved, DIFFERS, [f"its input is {named}, not {header.digest}"])
    if header.solver == OPTIMISER and header.work_limit is None:
        return _judged(saved)
    made = _again(saved)
    if header.quoted and _quoted(saved.screening, len(header.quoted)) != header.quoted:
        return _ended(saved, DIFFERS, ["what was quoted is ranked otherwise now"])
    if pack_plan(saved.plan) in (pack_plan(each) for each in made):
        return _ended(saved, SAME)
    return _ended(saved, DIFFERS, _differences(saved.plan, made))


def _quoted(screening: Screening, most: int) -> tuple[tuple[int, int, int], ...]:
    found = screen(screening)
    return ranked(found, best_of_each_vendor(found)[:most])


def _again(saved: SavedPlan) -> list[BatchPlan]:
    """The plan as it is made now; several where room was made for several requests."""
    screening, header = saved.screening, saved.header
    if header.kind == ROOM:
        return list(make_room(screening))
    if header.solver == OPTIMISER:
        return [optimised(screening, header.limits)]
    return [plan(screening)]


def _differences(told: BatchPlan, made: Iterable[BatchPlan]) -> list[str]:
    found = []
    for one in made:
        ours, now = _figures(told), _figures(one)
        found += [f"{name} was {ours[name]}, is {now[name]}" for name in ours if ours[name] != now[name]]
    return found or ["no plan is made of it now"]


def _figures(one: BatchPlan) -> dict[str, object]:
    columns = (one.chosen.request, one.chosen.vendor, one.chosen.start_ms)
    chosen = sorted(zip(*(each.tolist() for each in columns), strict=True))
    return {
        "matched": len(one.chosen),
        "cost": one.cost,
        "bound": one.bound,
        "solver": one.solver,
        "rules": one.codes,
        "what the rules removed": one.removed.tolist(),
        "the choice": chosen,
        "the runners-up": one.next_best.tolist(),
        "the costs": one.cents.tolist(),
        "who is held back": one.held_back_by.tolist(),
    }


def _judged(saved: SavedPlan) -> Replayed:
    posed = pose(saved.screening)
    choice, problems = _choice(posed, saved.plan)
    if not problems:
        problems = _broken(posed, choice, saved)
    return _ended(saved, DIFFERS if problems else HOLDS, problems)


def _choice(posed: Posed, told: BatchPlan) -> tuple[Ints, list[str]]:
    """R; the recorded choice as columns of the problem. A match that no rule lets through has none."""
    candidates, choice, problems = posed.screened.candidates, posed.held.copy(), []
    for at in range(len(told.chosen)):
        one = told.chosen.at(at)
        columns = np.flatnonzero(candidates.request == one.request)
        same = [each for each in columns.tolist() if candidates.at(each) == one]
        if not same:
            problems.append(f"match {at} (request {one.request}, vendor {one.vendor}) breaks a rule")
        elif posed.screened.cents[same[0]] != told.cents[at]:
            problems.append(f"match {at} cost {told.cents[at]} cents, not {posed.screened.cents[same[0]]}")
        else:
            choice[one.request] = same[0]
    return choice, problems


def _broken(posed: Posed, choice: Ints, saved: SavedPlan) -> list[str]:
    told = saved.plan
    report = check(posed.priced, choice, claimed_cost=told.cost)
    found = [str(each) for each in report.violations]
    if told.bound > told.cost:
        found.append(f"its bound {told.bound} lies above its cost {told.cost}")
    rival = _rival(posed.priced, saved.header.seed + 1)
    if rival < told.bound:
        found.append(f"a plan of {rival} cents was found, below its bound {told.bound}")
    if (told.removed != posed.screened.removed).any() or told.codes != posed.screened.codes:
        found.append("the rules remove others than they did")
    return found


def _rival(problem: AssignmentProblem, seed: int) -> int:
    """The cost of a plan that is sought now: the best there is, not one that is near enough to be offered."""
    from solvers.assignment.solve import solve  # noqa: PLC0415  (OR-Tools: 94 MB)

    return solve(problem, time_limit_s=60.0, seed=seed, workers=1, work_limit=_WORK).cost


def _ended(saved: SavedPlan, how: How, problems: Iterable[str] = ()) -> Replayed:
    software, hint = saved.header.software, ""
    if how == DIFFERS and software != __version__:
        hint = f"Maybe because it was decided by version {software}, and this is {__version__}."
    return Replayed(saved.header.digest, how, tuple(problems), hint)
