"""Rows that compete, solved together: at the prices for a better bound (packing.py), and beside what stands
elsewhere for a better plan. Where capacity is dear and requests few (stretchers, say), that closes a whole
market of its own, in which annealing decides too soon: what it is worth there is far above a temperature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Final

import numpy as np

from solvers.assignment.deadline import Deadline
from solvers.assignment.dual import Prices
from solvers.assignment.exact import solve_exactly
from solvers.assignment.exactness import SCALE
from solvers.assignment.incumbent import Incumbent
from solvers.assignment.neighbourhood import closed
from solvers.assignment.packing import Block, Packing
from solvers.assignment.subproblem import restrict

_FIRST: Final = 0.5  #: of the time, for the first block: the dearest, and the largest
_LIMIT_S: Final = 0.5  #: for each of the others
Task = Callable[[Deadline, int], None]  #: within a deadline, at a seed


class Blocks:
    """All blocks of the best plan so far, in threads that take one task after another."""

    def __init__(self, prices: Prices, best: Incumbent) -> None:
        self.instance, self.best, self._lock = prices.instance, best, Lock()
        self._packing, self._more = Packing(prices), 0

    def run(self, deadline: Deadline, *, seeds: list[int]) -> None:
        """A thread for each seed, until all is asked or time is up; `best` is told what is found."""
        tasks, first_s = self._tasks(), max(_LIMIT_S, _FIRST * deadline.budget_s)

        def one(seed: int) -> None:
            while not deadline.over:
                with self._lock:
                    is_first, task = next(tasks, (False, None))
                if task is None:
                    return
                limit = deadline.part(first_s if is_first else _LIMIT_S)
                task(limit, seed)
                deadline.work += limit.work + 1

        with ThreadPoolExecutor(len(seeds)) as pool:
            for done in [pool.submit(one, seed) for seed in seeds]:
                done.result()
        self.best.prove(self._packing.bound + self._more // SCALE)

    def _tasks(self) -> Iterator[tuple[bool, Task]]:
        """Each with whether it is of the first block: its bound, then a plan."""
        is_first = True
        for block in self._packing.blocks(self.best.choice, self.best.cost):
            yield is_first, self._proof(block)
            if len(block.rows) > 1:
                yield is_first, self._rearrangement(block)
            is_first = False

    def _proof(self, block: Block) -> Task:
        def prove(limit: Deadline, seed: int) -> None:
            rise = block.rise(limit, seed)
            with self._lock:
                self._more += rise

        return prove

    def _rearrangement(self, block: Block) -> Task:
        def rearrange(limit: Deadline, seed: int) -> None:
            instance, problem = self.instance, self.instance.problem
            inside = closed(instance, block.requests)
            request = self._packing.request
            own = np.isin(request, inside)
            own &= np.isin(self._packing.row, block.rows) | ~np.isin(request, block.requests)
            choice = self.best.choice
            part = restrict(problem, choice, inside, instance.original[own])
            found, _ = solve_exactly(part.problem, part.start, limit, seed=seed, workers=1)
            self.best.offer(part.merged(self.best.choice, found))

        return rearrange
