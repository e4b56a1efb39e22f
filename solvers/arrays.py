"""The kinds of arrays that the solvers pass around, and what is done with them in several places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Arrays = dict[str, npt.NDArray[Any]]


class Hash(Protocol):
    """Of `hashlib`."""

    def update(self, data: Any, /) -> None:
        """Take in more."""


def hash_arrays(state: Hash, arrays: Arrays) -> None:
    """Feed names and values into a hash, in the order of the names."""
    for name in sorted(arrays):
        state.update(name.encode())
        state.update(np.ascontiguousarray(arrays[name]).data if arrays[name].size else b"")


def arrays_of(held: Any) -> dict[str, Any]:
    """The fields of a dataclass, by name."""
    return {each.name: getattr(held, each.name) for each in fields(held)}


def table_of(rows: Sequence[Sequence[int]], fill: int = -1) -> Ints:
    """R x the longest row; `fill` where a row is shorter."""
    table = np.full((len(rows), max(map(len, rows), default=0)), fill, np.int64)
    for row, values in enumerate(rows):
        if values:
            table[row, : len(values)] = values
    return table


def counting(counts: Ints) -> Ints:
    """0, 1, … `counts[i]` - 1 for each i, one after the other."""
    return np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
