"""Some rows at a time by branch and bound against knapsack tables (kernels/branch.c), where rows are all that
ties requests together."""

from __future__ import annotations

from typing import Final

import numpy as np

from solvers.assignment.enumeration import Replica
from solvers.assignment.instance import Small
from solvers.assignment.knapsack import Knapsacks
from solvers.kernels.library import library

_ROOM: Final = 1 << 22  #: entries of a replica's table, 16 MB
_NODES: Final = 3_000  #: for one set of rows
_FIRST_ROWS: Final = 3.0


class Brancher(Replica):
    """One plan under branch and bound; the more searches come to an end, the more rows at once."""

    def __init__(self, knapsacks: Knapsacks, choice: Small, cost: int, spread: float, seed: int) -> None:
        super().__init__(knapsacks.prices, choice, cost, spread, seed)
        self._value, self._table = knapsacks.best, np.empty(_ROOM, np.float32)
        self._aim, self._work = np.array([_FIRST_ROWS]), np.zeros(1, np.int64)

    def _call(self, temperature: float, limit: int, best: int) -> tuple[int, int]:
        at = [a.ctypes.data for a in (self._value, self._price, self._table)]
        self._work[0] = 0
        change: int = library().plan_branch(
            *(self.search.instance.struct.address, self.search.plan_address, int(self.rng.integers(2**63))),
            *(self.calls, _NODES, temperature, *at, _ROOM, self._aim.ctypes.data),
            *(limit, best, self._work.ctypes.data),
        )
        return change, int(self._work[0])
