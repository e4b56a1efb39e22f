"""A problem too large for one solve: in parts that share no vendor, and then along the seams between them.

A first, rough plan of the whole says which part a request goes to, its prices which ones another part would
serve nearly as well. The parts are solved by themselves, several at once.
Other machines may solve some of them: a part goes there as it is, and what comes back is checked.
Then those along the seams, and who was left out, are solved once more, with all vendors and what is left,
beside prices of the whole, whose bound holds for it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Semaphore
from typing import Final, NamedTuple, Protocol

import numpy as np

from solvers.arrays import Flags, Floats, Ints
from solvers.assignment.deadline import Deadline
from solvers.assignment.dual import Prices
from solvers.assignment.instance import instance_of
from solvers.assignment.plan import cost_of, is_feasible, pins_of
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.result import AssignmentResult, Status
from solvers.assignment.solve import solve
from solvers.assignment.subproblem import Subproblem, restrict
from solvers.memory import give_back
from solvers.part import Part, PartPlan, solve_part
from solvers.parting import Split, split_of

_FIRST: Final = 0.2  #: share of the time for the first plan
_SEAM: Final = 0.15  #: share of what is left then for the seams
_BOUNDING: Final = 0.4  #: share of the work that is left then for the bound
_ROUNDS: Final = 2_000  #: steps of its prices at most

_LEAST: Final = 0.2  #: share of its time that a part has here at the least, once others gave nothing

Settled = Callable[[Ints], None]  #: told columns that nothing will change any more


class Elsewhere(Protocol):
    """Who solves parts beside the threads here."""

    @property
    def at_once(self) -> int:
        """Parts at once."""
        ...

    def solved(self, part: Part) -> PartPlan | None:
        """A plan of the part that keeps its constraints; None: nobody made one. Waits for it."""
        ...


def solve_split(
    problem: AssignmentProblem,
    *,
    parts: int,
    time_limit_s: float,
    seed: int = 0,
    workers: int = 2,
    work_limit: int | None = None,
    settled: Settled = lambda columns: None,
    elsewhere: Elsewhere | None = None,
) -> AssignmentResult:
    """As `solve`, in `parts`. By steps of work the plan is the same, wherever its parts are solved.

    `settled` hears of each part, in other threads, what nothing will change any more: of requests by
    themselves that are not along a seam.
    """
    deadline = Deadline(time_limit_s, work_limit=work_limit)
    rng, away = np.random.default_rng(seed), _Away(elsewhere) if elsewhere else None
    run = _Run(problem, deadline, rng, max(1, workers), settled, pins_of(problem), away)
    give_back()  # what screening had
    first = run.first()
    run.split, run.choice = split_of(problem, parts, first), first.choice
    run.parts()
    give_back()
    run.seams()
    cost, prices = cost_of(problem, run.choice), run.prices
    if not is_feasible(problem, run.choice):
        raise AssertionError("the parts of the plan do not fit together")
    bound = min(max(first.lower_bound, run.bound), cost)
    status = Status.OPTIMAL if cost == bound else Status.FEASIBLE
    trace, lacking = (*first.trace, (deadline.elapsed_s, cost)), tuple(dict.fromkeys(run.lacking))
    return AssignmentResult(run.choice, cost, bound, status, trace, prices, lacking)


def bound_of(problem: AssignmentProblem, prices: Floats, deadline: Deadline) -> int:
    """No plan costs less, cents: what prices of the whole prove; `prices` (V x K x B) are tried first."""
    found = Prices(instance_of(problem))
    vendors, pools, buckets = prices.shape
    found.best.reshape(vendors * pools, buckets + 1)[:, :buckets] = prices.reshape(vendors * pools, buckets)
    at_once = found.prove()
    found.climb(deadline, rounds=_ROUNDS, share=1.0)
    return max(at_once, found.prove())


class _Limit(NamedTuple):
    """Of one solve."""

    seconds: float
    work: int | None


class _Task(NamedTuple):
    """Some requests that are solved by themselves."""

    some: Flags  #: R
    columns: Ints  #: that they may take
    targets: Flags  #: V; vendors whose targets count
    seed: int
    workers: int
    number: int = 0


class _Away:
    """Parts that others solve. Who gave nothing once is asked for one less at a time."""

    def __init__(self, elsewhere: Elsewhere) -> None:
        self.elsewhere, self._free = elsewhere, Semaphore(elsewhere.at_once)

    @property
    def at_once(self) -> int:
        """Parts at once, at the most."""
        return self.elsewhere.at_once

    def solved(self, part: Part) -> PartPlan | None:
        """None: they have all they do at once, or nothing came."""
        if not self._free.acquire(blocking=False):
            return None
        found = self.elsewhere.solved(part)
        if found is not None:
            self._free.release()
        return found


@dataclass(eq=False)
class _Run:
    """The stages; `choice` (R) is better after each."""

    problem: AssignmentProblem
    deadline: Deadline
    rng: np.random.Generator
    workers: int
    settled: Settled
    choice: Ints
    away: _Away | None = None
    split: Split = field(init=False)
    prices: Floats = field(init=False)  #: V x K x B; each part's of its own vendors
    lacking: list[str] = field(default_factory=list)
    bound: int = field(init=False)

    def first(self) -> AssignmentResult:
        """A rough plan of the whole, and its bound."""
        limit = self._limit(_FIRST)
        self.deadline.work += limit.work or 0
        given = {"seed": self._seed(), "workers": self.workers, "work_limit": limit.work}
        found = solve(self.problem, time_limit_s=limit.seconds, **given)  # type: ignore[arg-type]
        self.lacking += found.lacking
        return found

    def parts(self) -> None:
        """All parts, as many at a time as there are threads and others, the largest first."""
        sizes, base = self.split.sizes, self.choice.copy()
        self.prices = np.zeros(self.problem.capacity.shape)
        order = np.argsort(-sizes, kind="stable").tolist()
        here = min(self.workers, len(sizes))
        at_once = min(here + (self.away.at_once if self.away else 0), len(sizes))
        turns = Turns(sizes[order], self._limit(1 - _SEAM), self.deadline, at_once)
        tasks = [self._part(each, self.workers // here) for each in order]
        with ThreadPoolExecutor(at_once) as pool:
            done = [pool.submit(self._parted, base, task, turns, nth) for nth, task in enumerate(tasks)]
            for each in done:
                each.result()
        self.deadline.work += turns.limit.work or 0

    def seams(self) -> None:
        """Who is along a seam, or was left out, again, with all vendors and what is left; and the bound."""
        again = self._again()
        columns = np.flatnonzero(again[self.problem.column_request])
        everyone = np.ones(len(self.split.vendor), np.bool_)
        task = _Task(again, columns, everyone, self._seed(), self.workers - 1)
        bounding, limit = self._limit(_BOUNDING), self._limit(1.0 - _BOUNDING)
        if bounding.work is None:  # beside
            bounding = limit = self._limit(1.0)
        with ThreadPoolExecutor(1) as beside:
            deadline = Deadline(bounding.seconds, work_limit=bounding.work)
            bound = beside.submit(bound_of, self.problem, self.prices, deadline)
            self._improve(self.choice, task, limit)
            self.bound = bound.result()

    def _part(self, part: int, workers: int) -> _Task:
        mine, its = self.split.request == part, self.split.vendor == part
        columns = np.flatnonzero(mine[self.problem.column_request] & its[self.problem.column_vendor])
        return _Task(mine, columns, its, self._seed(), workers, part)

    def _parted(self, base: Ints, task: _Task, turns: Turns, nth: int) -> None:
        give_back()  # what the part before it had
        if (improved := self._improve(base, task, turns.limit_of(nth), self.away)) is not None:
            some, found = improved
            self.prices[some.vendors] = found.prices
        self.settled(self.choice[task.some & (self.choice >= 0) & self.split.alone & ~self._again()])

    def _again(self) -> Flags:
        """R; whether it is solved once more along the seams, with all that it is tied to."""
        return self.split.with_tied(self.split.seam | (self.choice < 0))

    def _improve(
        self, base: Ints, task: _Task, limit: _Limit, away: _Away | None = None
    ) -> tuple[Subproblem, PartPlan] | None:
        """Solve these in what the others leave in `base`; None: there is nobody."""
        inside = np.flatnonzero(task.some & (pins_of(self.problem) < 0))
        if not len(inside):
            return None
        some = restrict(self.problem, base, inside, task.columns, task.targets)
        part = Part(task.number, some.problem, some.start, task.seed, limit.seconds, limit.work)
        found = self._solved(part, task.workers, away)
        self.lacking += found.lacking
        self.choice[inside] = some.merged(base, found.choice)[inside]
        return some, found

    def _solved(self, part: Part, workers: int, away: _Away | None) -> PartPlan:
        """By others, else here in what is left of its time."""
        began_s = self.deadline.elapsed_s
        if away is not None and (found := away.solved(part)) is not None:
            return found
        left_s = part.time_limit_s - (self.deadline.elapsed_s - began_s)
        return solve_part(replace(part, time_limit_s=max(left_s, _LEAST * part.time_limit_s)), workers)

    def _seed(self) -> int:
        return int(self.rng.integers(2**63))

    def _limit(self, share: float) -> _Limit:
        """A share of what is left, in seconds or in work."""
        total = self.deadline.work_limit
        if total is None:
            return _Limit(share * self.deadline.left_s, None)
        return _Limit(self.deadline.time_limit_s, max(1, int(share * (total - self.deadline.work))))


class Turns:
    """How long each part may take, in the order in which they begin: by its size, of what is left by then."""

    def __init__(self, sizes: Ints, limit: _Limit, deadline: Deadline, at_once: int) -> None:
        self.limit, self.deadline, self.at_once = limit, deadline, at_once
        self.until_s = deadline.elapsed_s + limit.seconds
        left = np.maximum(1, np.cumsum(sizes[::-1])[::-1])  # requests of each part and those after it
        self._shares = np.stack([sizes / left[0], sizes / left], axis=1).tolist()

    def limit_of(self, nth: int) -> _Limit:
        """Of a part that begins now."""
        of_all, of_left = self._shares[nth]
        if self.limit.work is not None:
            return _Limit(self.limit.seconds, max(1, int(of_all * self.limit.work)))
        return _Limit(
            min(1.0, self.at_once * of_left) * max(0.0, self.until_s - self.deadline.elapsed_s), None
        )
