"""Simulated annealing to the end of a deadline, on one thread or two."""

from __future__ import annotations

from typing import Final

import numpy as np

from solvers.assignment.deadline import Deadline
from solvers.assignment.search import Search

_SLICE_S: Final = 0.05  #: how long one call into C may take, so that a wish to stop is honoured soon
_FIRST_MOVES: Final = 2_000
_DEPTH: Final = 12  #: requests one chain of ejections may move
_SHARED_FROM: Final = 2_000  #: requests from which two threads share one plan


class Annealer:
    """Keeps the best plan met; reports each better one."""

    def __init__(self, search: Search, deadline: Deadline, rng: np.random.Generator, workers: int) -> None:
        self.search, self.deadline, self.rng = search, deadline, rng
        big = search.instance.requests >= _SHARED_FROM and len(search.instance.cap) >= 8
        self.sides = 2 if workers > 1 and big else 1
        self.moves = _FIRST_MOVES
        self.best, self.best_cost = search.choice, search.cost

    def run(self, *, until: float, bound: int, hot: float, cold: float) -> bool:
        """Cool until that fraction of the deadline, or a cost at the bound; whether a better plan was met."""
        started, better = self.deadline.fraction, False
        while (now := self.deadline.fraction) < until and self.best_cost > bound:
            share = (now - started) / max(1e-9, until - started)
            better |= self._slice(hot * (cold / hot) ** share)
        return better

    def _slice(self, temperature: float) -> bool:
        search, deadline = self.search, self.deadline
        search.share(self.rng, self.sides)
        seeds = [int(seed) for seed in self.rng.integers(2**63, size=2)]
        before = deadline.elapsed_s
        moves = self.moves
        if deadline.work_limit is not None:
            moves = min(20_000, max(1, deadline.work_limit - deadline.work))
        search.anneal(seeds, moves, temperature, temperature, _DEPTH)
        deadline.work += moves * self.sides
        took = max(deadline.elapsed_s - before, 1e-5)
        self.moves = int(np.clip(moves * min(4.0, _SLICE_S / took), 200, 2_000_000))
        if search.cost >= self.best_cost:
            return False
        self.best, self.best_cost = search.choice, search.cost
        return True
