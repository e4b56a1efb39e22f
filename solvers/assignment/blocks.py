"""Rows that compete, solved together: at the prices for a better bound (packing.py), and beside what stands
elsewhere for a better plan. Where capacity is dear and requests few (stretchers, say), that closes a whole
market of its own, in which annealing decides too soon: what it is worth there is far above a temperature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from threading import Lock
from typing import Final

import numpy as np

from solvers.arrays import Ints
from solvers.assignment.deadline import Deadline
from solvers.assignment.dual import Prices
from solvers.assignment.exactness import SCALE
from solvers.assignment.incumbent import Incumbent
from solvers.assignment.instance import Small
from solvers.assignment.neighbourhood import closed
from solvers.assignment.open_block import OpenBlock
from solvers.assignment.packing import Block, Packing
from solvers.assignment.plan import broken, cost_of, keeps_caps
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.subproblem import Subproblem, restrict

_FIRST: Final = 0.5  #: of the time, for the first block: the dearest, and the largest
_PLAN_S: Final = 1.0  #: for a plan of it at most: neighbourhoods gain more in the same time then
_LIMIT_S: Final = 0.5  #: for each of the others
_LARGE: Final = 10_000  #: columns of the first at most ...
_COLUMNS_PER_S: Final = 12_000  #: ... and of each second it has
Task = Callable[[Deadline, int], None]  #: within a deadline, at a seed


class Blocks:
    """All blocks of the best plan so far, for threads that take one task after another."""

    def __init__(self, prices: Prices, best: Incumbent) -> None:
        self.instance, self.best, self._lock = prices.instance, best, Lock()
        self._packing, self._more = Packing(prices), 0
        best.prove(self._packing.bound)
        self._tasks: Iterator[tuple[bool, Task]] | None = None
        self._market: tuple[Block, Ints] | None = None  #: a block that was solved, to be placed, and how
        self.open: OpenBlock | None = None  #: the first block, where it did not close

    def ahead(self, limit: Deadline, seed: int) -> None:
        """The first block's proof within a deadline, before there is much of a plan: a market shows early."""
        self._tasks = self._asked(_most(min(limit.budget_s, limit.left_s)))
        for _, proof in islice(self._tasks, 1):
            proof(limit, seed)

    def run(self, deadline: Deadline, seed: int) -> None:
        """One of the threads that share the tasks, until all are taken or time is up; `best` is told."""
        first_s = _FIRST * min(deadline.budget_s, deadline.left_s)
        with self._lock:
            tasks = self._tasks = self._tasks or self._asked(_most(first_s))
            market, self._market = self._market, None
        if market is not None:
            self._place(*market, deadline.part(first_s), seed)
        while not deadline.over:
            with self._lock:
                is_first, task = next(tasks, (False, None))
            if task is None:
                return
            limit = deadline.part(max(first_s, _LIMIT_S) if is_first else _LIMIT_S)
            task(limit, seed)
            deadline.work += limit.work + 1

    def _asked(self, most: int) -> Iterator[tuple[bool, Task]]:
        """Each with whether it is of the first block, of `most` columns: its bound, then a plan."""
        is_first = True
        for block in self._packing.blocks(lambda: self._taken, self.best.cost, most=most):
            yield is_first, self._proof(block, is_first=is_first)
            if len(block.rows) > 1:
                yield is_first, self._rearrangement(block)
            is_first = False

    @property
    def _taken(self) -> Small:
        """R; the best plan so far, in columns of the instance."""
        return self.instance.from_given(self.best.choice)

    def _proof(self, block: Block, *, is_first: bool) -> Task:
        def prove(limit: Deadline, seed: int) -> None:
            found, bound = _solved(block.problem, block.standing(self._taken), limit, seed)
            with self._lock:
                block.bound = bound
                self._more += max(0, block.over(bound))
                self.best.prove(self._packing.bound + self._more // SCALE)
                self._market = self._market or (block, found)
                if is_first and cost_of(block.problem, found) > bound:
                    self.open = OpenBlock(block, self._packing)
            self._place(block, found, limit, seed)

        return prove

    def _place(self, block: Block, found: Ints, limit: Deadline, seed: int) -> None:
        """Into the best plan what was found for a block at the prices, which knows of no ties and no caps."""
        problem, choice = self.instance.problem, self._with(block, found)
        if cost_of(problem, choice) >= self.best.cost or not keeps_caps(problem, choice):
            return
        if len(loose := broken(problem, choice)):
            choice = self._tied(choice, closed(self.instance, loose), limit, seed)
        self.best.offer(choice)

    def _with(self, block: Block, found: Ints) -> Ints:
        """The best plan, R, with a block as found: who else stands there gives way."""
        taken, packing = self._taken, self._packing
        stands = np.flatnonzero(taken >= 0)
        taken[stands[np.isin(packing.row[taken[stands]], block.rows)]] = -1
        inside = found >= 0
        taken[block.requests[inside]] = block.columns[found[inside]]
        return self.instance.to_given(taken)

    def _tied(self, choice: Ints, loose: Ints, limit: Deadline, seed: int) -> Ints:
        """With some requests, whose ties do not hold, where they hold; who stands in their rows may move."""
        choice = choice.copy()
        choice[loose] = -1
        packing, taken = self._packing, self.instance.from_given(choice)
        stands = np.flatnonzero(taken >= 0)
        near = np.isin(packing.row[taken[stands]], packing.row[np.isin(packing.request, loose)])
        part, found = self._solved_again(choice, np.concatenate([loose, stands[near]]), limit, seed)
        return part.merged(choice, found)

    def _rearrangement(self, block: Block) -> Task:
        def rearrange(limit: Deadline, seed: int) -> None:
            if cost_of(block.problem, block.standing(self._taken)) == block.bound:
                return
            time = limit.part(_PLAN_S)
            part, found = self._solved_again(self.best.choice, block.requests, time, seed, block.rows)
            self.best.offer(part.merged(self.best.choice, found))  # another thread may have changed it
            limit.work += time.work

        return rearrange

    def _solved_again(
        self, choice: Ints, requests: Ints, limit: Deadline, seed: int, rows: Ints | None = None
    ) -> tuple[Subproblem, Ints]:
        """Some requests of a plan, and who is tied to them, moved; within `rows`, if these are told."""
        inside, packing = closed(self.instance, requests), self._packing
        own = np.isin(packing.request, inside)
        if rows is not None:
            own &= np.isin(packing.row, rows) | ~np.isin(packing.request, requests)
        part = restrict(self.instance.problem, choice, inside, self.instance.original[own])
        return part, _solved(part.problem, part.start, limit, seed)[0]


def _most(first_s: float) -> int:
    """Columns of the first block."""
    return min(_LARGE, int(_COLUMNS_PER_S * first_s))


def _solved(problem: AssignmentProblem, start: Ints, limit: Deadline, seed: int) -> tuple[Ints, int]:
    from solvers.assignment.exact import solve_exactly  # noqa: PLC0415 - OR-Tools takes 1.4 s

    return solve_exactly(problem, start, limit, seed=seed, workers=1)
