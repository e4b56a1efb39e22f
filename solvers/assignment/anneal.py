"""Simulated annealing to the end of a deadline, in replicas: a thread, a plan and a seed each.

Two threads on one plan, half of the vendors each, were worse at any size and time: chains stop at the cut.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

import numpy as np

from solvers.assignment.deadline import Deadline, Stopped
from solvers.assignment.incumbent import Incumbent
from solvers.assignment.search import Search

_SLICE_S: Final = 0.05  #: how long one call into C may take, so that a wish to stop is honoured soon
_FIRST_MOVES: Final = 2_000
_DEPTH: Final = 12  #: requests one chain of ejections may move
_COLD: Final = 0.06  #: last temperature, in spreads


class Annealer:
    """Anneals one plan and keeps the best met."""

    def __init__(self, search: Search, seed: int) -> None:
        self.search, self.rng = search, np.random.default_rng(seed)
        self.moves, self.trace = _FIRST_MOVES, list[tuple[float, int]]()
        self.best, self.best_cost = search.arrays["choice"].copy(), search.cost

    def run(self, deadline: Deadline, best: Incumbent, *, hot: float, begin: float, end: float) -> None:
        """Cool from `hot` spreads from `begin` to `end` of the deadline, or until nothing is left to find."""
        hot, cold = hot * self.search.spread, _COLD * self.search.spread
        while (now := deadline.fraction) < end and not best.is_enough(min(best.cost, self.best_cost)):
            self._slice(deadline, hot * (cold / hot) ** ((now - begin) / (end - begin)))

    def _slice(self, deadline: Deadline, temperature: float) -> None:
        search = self.search
        before, moves = deadline.elapsed_s, self.moves
        if deadline.work_limit is not None:
            moves = min(20_000, max(1, deadline.work_limit - deadline.work))
        search.anneal(int(self.rng.integers(2**63)), moves, temperature, _DEPTH)
        deadline.work += moves
        took = max(deadline.elapsed_s - before, 1e-5)
        self.moves = int(np.clip(moves * min(4.0, _SLICE_S / took), 200, 2_000_000))
        if search.cost < self.best_cost:
            self.best, self.best_cost = search.arrays["choice"].copy(), search.cost
            self.trace.append((deadline.elapsed_s, search.cost))


def anneal(
    annealers: list[Annealer],
    deadline: Deadline,
    best: Incumbent,
    *,
    hot: float,
    until: float,
    late: Callable[[], Annealer] | None = None,
) -> list[Annealer]:
    """Run them all, a thread each, until that fraction of the deadline; whose plan is best comes first.

    `late` makes one more in a thread of its own, which begins when it is made; none where it is `Stopped`.
    """

    def run(each: Annealer) -> Annealer:
        each.run(deadline, best, hot=hot, begin=deadline.fraction, end=until)
        return each

    with ThreadPoolExecutor(len(annealers) + (late is not None)) as pool:
        runs = [pool.submit(run, each) for each in annealers]
        if late is not None:
            runs.append(pool.submit(lambda: run(late())))
    found = list[Annealer]()
    for each in runs:
        with suppress(Stopped):  # what the others found stands
            found.append(each.result())
    return sorted(found, key=lambda each: each.best_cost)
