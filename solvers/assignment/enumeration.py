"""Few rows at a time, enumerated within a budget of priced cost (kernels/enumerate.c): for few and tight
capacities, where chains of ejections find no exchange that fits. Several replicas, a thread each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from solvers.assignment.deadline import Deadline
from solvers.assignment.dual import Prices
from solvers.assignment.incumbent import Incumbent
from solvers.assignment.instance import Small
from solvers.assignment.search import Search
from solvers.kernels.library import library

_MOST_REQUESTS: Final = 192  #: MOST of enumerate.c
_ROWS: Final = 6  #: most (vendor, pool) rows taken at once
_NODES: Final = 10_000  #: for one set of rows
_SLICE_S: Final = 0.05
_WORK_PER_CALL: Final = 100
_WIDTH: Final = 8.0  #: candidates within so many spreads of the cheapest


class Replica(ABC):
    """One plan that a kernel improves, at its own seed."""

    def __init__(self, prices: Prices, choice: Small, cost: int, spread: float, seed: int) -> None:
        self.search = Search(prices, choice, cost, width=_WIDTH * spread, most=24)
        self.rng, self.calls = np.random.default_rng(seed), 20
        self.best, self.best_cost = self.search.arrays["choice"].copy(), cost
        self._price, self.trace = prices.best, list[tuple[float, int]]()

    @abstractmethod
    def _call(self, temperature: float, limit: int, best: int) -> tuple[int, int]:
        """Kernel calls: change of cost and work done. `limit`, `best`: where it keeps the best met."""

    def step(self, deadline: Deadline, temperature: float) -> None:
        """About `_SLICE_S` of work at a temperature."""
        search, before = self.search, deadline.elapsed_s
        limit = np.array([self.best_cost - search.cost])
        change, work = self._call(temperature, limit.ctypes.data, self.best.ctypes.data)
        if search.cost + int(limit[0]) < self.best_cost:
            self.best_cost = search.cost + int(limit[0])
            self.trace.append((deadline.elapsed_s, self.best_cost))
        search.cost += change
        deadline.work += work
        if deadline.work_limit is None:
            took = max(deadline.elapsed_s - before, 1e-5)
            self.calls = int(np.clip(self.calls * min(2.0, _SLICE_S / took), 1, 10_000))

    def adopt(self, other: Replica) -> None:
        """Go on from the best plan of another replica of the same candidates."""
        self.search.stand(other.best, other.best_cost)
        self.best[:], self.best_cost = other.best, other.best_cost


class Enumerator(Replica):
    """One plan under enumeration."""

    def __init__(self, prices: Prices, choice: Small, cost: int, spread: float, seed: int) -> None:
        super().__init__(prices, choice, cost, spread, seed)
        longest = int(np.diff(self.search.arrays["first"]).max(initial=0)) + 1
        self._option = np.zeros(longest * _MOST_REQUESTS, np.int32)

    def _call(self, temperature: float, limit: int, best: int) -> tuple[int, int]:
        at = [a.ctypes.data for a in (self._price, self._option)]
        change: int = library().plan_enumerate(
            *(self.search.instance.struct.address, self.search.plan_address, int(self.rng.integers(2**63))),
            *(self.calls, _NODES, _ROWS, temperature, *at, limit, best),
        )
        return change, self.calls * _WORK_PER_CALL


def enumerate_rows(
    replicas: Sequence[Replica],
    deadline: Deadline,
    known: Incumbent,
    *,
    hot: float,
    cold: float,
    rounds: int,
    reheat: bool,
) -> Replica:
    """In `rounds`; after each, all go on from the best plan. Returns the replica that holds it.

    `reheat`: cool in every round from hot to cold, not once over all of them.
    """
    started = deadline.fraction

    def run(replica: Replica, begin: float, end: float) -> None:
        first, last = (begin, end) if reheat else (started, 1.0)
        while (now := deadline.fraction) < end and not known.is_enough(min(known.cost, replica.best_cost)):
            replica.step(deadline, hot * (cold / hot) ** ((now - first) / (last - first)))

    best = replicas[0]
    with ThreadPoolExecutor(len(replicas)) as pool:
        for k in range(rounds):
            begin, end = (started + (1 - started) * part / rounds for part in (k, k + 1))
            for done in [pool.submit(run, replica, begin, end) for replica in replicas]:
                done.result()
            best = min(replicas, key=lambda replica: replica.best_cost)
            for replica in replicas:
                if replica is not best:
                    replica.adopt(best)
    return best
