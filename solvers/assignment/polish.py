"""Large neighbourhoods solved exactly: CP-SAT plans about a hundred requests that compete, the others stay.

Finds what chains of ejections do not: the rearrangement that makes room for one more. Where the first
block of rows did not close, a third of the time goes to some of its rows at a time (open_block.py).
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Final, NamedTuple

import numpy as np

from solvers.arrays import Ints
from solvers.assignment.deadline import WORK_PER_SECOND, Deadline
from solvers.assignment.dual import Prices
from solvers.assignment.incumbent import Incumbent
from solvers.assignment.neighbourhood import Neighbourhoods, closed
from solvers.assignment.open_block import OpenBlock
from solvers.assignment.plan import cost_of
from solvers.assignment.search import Search
from solvers.assignment.subproblem import Subproblem, restrict

_SIZE: Final = 80.0  #: requests to begin with
_MOST, _LEAST = 600.0, 20.0
_GROWTH, _SHRINKING = 1.1, 0.85
_LIMIT_S: Final = 0.6  #: for one neighbourhood: what takes longer gains less than two others
_ROWS_S: Final = 3.0  #: for some rows: few close, and what is gained is a request more that has a match
_ROWS_SHARE: Final = 1 / 3  #: of the time, for these
_SOON: Final = 0.4  #: of that limit: closed sooner than this, the next may be larger


class _Solved(NamedTuple):
    closed: bool
    gained: bool
    used_s: float


class Polisher:
    """The best plan so far, which several threads improve, a neighbourhood each at a time."""

    def __init__(
        self,
        prices: Prices,
        search: Search,
        best: Incumbent,
        left_open: Callable[[], OpenBlock | None] = lambda: None,
    ) -> None:
        self.instance, self.problem, self.best = prices.instance, prices.instance.problem, best
        self._near, self._lock, self._size = Neighbourhoods(prices, search), Lock(), _SIZE
        self._left_open, self._at_rows = left_open, Lock()  #: two threads there would move the same requests
        self._rows_s = self._rivals_s = 0.0  #: spent on each

    def run(self, deadline: Deadline, seed: int) -> None:
        """One of the threads that do so, until the deadline, or until the plan meets the bound."""
        rng = np.random.default_rng(seed)
        while not (deadline.over or self.done):
            block = self._left_open()
            if block is not None and self._is_its_turn and self._at_rows.acquire(blocking=False):
                try:
                    self._in_rows(block, deadline, rng)
                finally:
                    self._at_rows.release()
            else:
                self._among_rivals(deadline, rng)

    @property
    def _is_its_turn(self) -> bool:
        """Whether the open block has had less than its share of the time."""
        return self._rows_s * (1 - _ROWS_SHARE) <= self._rivals_s * _ROWS_SHARE

    def _among_rivals(self, deadline: Deadline, rng: np.random.Generator) -> None:
        part = self._part(rng)
        solved = self._solve(part, deadline.part(_LIMIT_S, lambda: self.done), deadline, rng)
        self._learn(part, closed=solved.closed, soon=solved.used_s < _SOON * _LIMIT_S)
        with self._lock:
            self._near.tried(part.inside, gained=solved.gained)
            self._rivals_s += solved.used_s

    def _in_rows(self, block: OpenBlock, deadline: Deadline, rng: np.random.Generator) -> None:
        """Who is tied to those that are drawn moves with them, to near candidates."""
        drawn, columns = block.draw(rng)
        inside = closed(self.instance, drawn)
        others = self._near.columns(np.setdiff1d(inside, drawn))
        given = self.instance.original[np.concatenate([columns, others])]
        given = given[np.isin(self.problem.column_request[given], inside)]
        part = restrict(self.problem, self.best.choice, inside, given)
        solved = self._solve(part, deadline.part(_ROWS_S, lambda: self.done), deadline, rng)
        with self._lock:
            if solved.gained:  # in vain says nothing of neighbourhoods of another kind
                self._near.tried(part.inside, gained=True)
            self._rows_s += solved.used_s

    def _solve(
        self, part: Subproblem, limit: Deadline, deadline: Deadline, rng: np.random.Generator
    ) -> _Solved:
        """Keeps what was found."""
        from solvers.assignment.exact import solve_exactly  # noqa: PLC0415 - OR-Tools takes 1.4 s

        found, proven = solve_exactly(
            part.problem, part.start, limit, seed=int(rng.integers(2**31)), workers=1
        )
        deadline.work += limit.work + 1
        gained = self._take(part, found)
        return _Solved(cost_of(part.problem, found) <= proven, gained, _used_s(limit))

    @property
    def done(self) -> bool:
        """Whether nothing better exists, or nothing may move."""
        return self.best.done or self._near.none

    def _part(self, rng: np.random.Generator) -> Subproblem:
        choice = self.best.choice
        standing = self.instance.from_given(choice)
        inside = self._near.grow(standing, self._near.seed(standing, rng), int(self._size), rng)
        return restrict(self.problem, choice, inside, self.instance.original[self._near.columns(inside)])

    def _learn(self, part: Subproblem, *, closed: bool, soon: bool) -> None:
        """Larger when they are solved soon, smaller when they are not solved at all."""
        if closed and soon and len(part.inside) >= int(self._size):
            self._size = min(_MOST, self._size * _GROWTH)
        elif not closed:
            self._size = max(_LEAST, self._size * _SHRINKING)

    def _take(self, part: Subproblem, found: Ints) -> bool:
        """Keep it if it still fits into the plan, which another thread may have changed, and is cheaper."""
        with self._lock:
            return self.best.offer(part.merged(self.best.choice, found))


def _used_s(limit: Deadline) -> float:
    return limit.elapsed_s if limit.work_limit is None else limit.work / WORK_PER_SECOND
