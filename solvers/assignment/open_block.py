"""The first block of rows (packing.py), where CP-SAT could not close it: some of its rows at a time.

Capacity is so dear there that requests go far for it, and who stays without a match is decided over ten
vendors at once, by columns that no single request would look at. So a neighbourhood is all who could stand in
some rows, wherever they stand, with every column that they have in the block, or half the time with those in
these rows only, which closes sooner.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from solvers.arrays import Ints
from solvers.assignment.packing import Block, Packing

_LEAST, _MOST = 8, 12  #: rows of a neighbourhood
_INSIDE: Final = 0.5  #: share of the neighbourhoods that stay in their rows


class OpenBlock:
    """Rows that share requests are drawn together, likelier the more they share."""

    def __init__(self, block: Block, packing: Packing) -> None:
        self._column = np.flatnonzero(np.isin(packing.row, block.rows))  #: of the instance
        self._request = packing.request[self._column]
        self._row = np.searchsorted(block.rows, packing.row[self._column])
        self._who, at = np.unique(self._request, return_inverse=True)
        self._stands = np.zeros((len(self._who), len(block.rows)), np.int64)
        self._stands[at, self._row] = 1
        self._shared = self._stands.T @ self._stands

    def draw(self, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Requests, ascending, and columns of theirs, of rows that are connected."""
        size, chosen = int(rng.integers(_LEAST, _MOST + 1)), [int(rng.integers(len(self._shared)))]
        while len(chosen) < size:
            weight = self._shared[chosen].sum(axis=0)
            weight[chosen] = 0
            if not weight.any():
                break
            chosen.append(int(np.searchsorted(np.cumsum(weight), rng.integers(weight.sum()), side="right")))
        inside = self._who[self._stands[:, chosen].any(axis=1)]
        stay = rng.random() < _INSIDE
        own = np.isin(self._row, chosen) if stay else np.isin(self._request, inside)
        return inside, self._column[own]
