"""Large neighbourhoods solved exactly: CP-SAT plans about a hundred requests that compete, the others stay.

Finds what chains of ejections do not: the rearrangement that makes room for one more.
"""

from __future__ import annotations

from threading import Lock
from typing import Final

import numpy as np

from solvers.arrays import Ints
from solvers.assignment.deadline import WORK_PER_SECOND, Deadline
from solvers.assignment.dual import Prices
from solvers.assignment.incumbent import Incumbent
from solvers.assignment.neighbourhood import Neighbourhoods
from solvers.assignment.plan import cost_of
from solvers.assignment.search import Search
from solvers.assignment.subproblem import Subproblem, restrict

_SIZE: Final = 80.0  #: requests to begin with
_MOST, _LEAST = 600.0, 20.0
_GROWTH, _SHRINKING = 1.1, 0.85
_LIMIT_S: Final = 0.6  #: for one neighbourhood: what takes longer gains less than two others
_SOON: Final = 0.4  #: of that limit: closed sooner than this, the next may be larger


class Polisher:
    """The best plan so far, which several threads improve, a neighbourhood each at a time."""

    def __init__(self, prices: Prices, search: Search, best: Incumbent) -> None:
        self.instance, self.problem, self.best = prices.instance, prices.instance.problem, best
        self._near, self._lock, self._size = Neighbourhoods(prices, search), Lock(), _SIZE

    def run(self, deadline: Deadline, seed: int) -> None:
        """One of the threads that do so, until the deadline, or until the plan meets the bound."""
        from solvers.assignment.exact import solve_exactly  # noqa: PLC0415 - OR-Tools takes 1.4 s

        rng = np.random.default_rng(seed)
        while not (deadline.over or self.done):
            part = self._part(rng)
            limit = deadline.part(_LIMIT_S, lambda: self.done)
            found, proven = solve_exactly(
                part.problem, part.start, limit, seed=int(rng.integers(2**31)), workers=1
            )
            deadline.work += limit.work + 1
            self._learn(part, closed=cost_of(part.problem, found) <= proven, soon=_soon(limit))
            self._take(part, found)

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

    def _take(self, part: Subproblem, found: Ints) -> None:
        """Keep it if it still fits into the plan, which another thread may have changed, and is cheaper."""
        with self._lock:
            gained = self.best.offer(part.merged(self.best.choice, found))
            self._near.tried(part.inside, gained=gained)


def _soon(limit: Deadline) -> bool:
    used = limit.elapsed_s if limit.work_limit is None else limit.work / WORK_PER_SECOND
    return used < _SOON * _LIMIT_S
