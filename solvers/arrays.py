"""The kinds of arrays that the solvers pass around, and how their content is hashed."""

from __future__ import annotations

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
