"""The compiled kernels: found (or, in a checkout, made) once; the types of their functions and structs."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from solvers.kernels.agreement import Place, require_agreement
from solvers.kernels.build import build
from solvers.kernels.layouts import LAYOUTS, Layout

_P, _I, _F, _U = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double, ctypes.c_uint64

_SIGNATURES: Final[dict[str, tuple[Any, list[Any]]]] = {
    "dual_climb": (None, [_P, _P, _I, _F, _F, _F]),
    "dual_survey": (_F, [_P, _P, _F]),
    "dual_bound": (_I, [_P, _P, _P, _P]),
    "ties_regrets": (None, [_P, _P]),
    "plan_candidates": (_I, [_P, _P, _I, _I, *[_P] * 5, _I, _P, _P, _P]),
    "plan_rows": (_I, [_P, _P, _P]),
    "plan_reset": (None, [_P, _P]),
    "plan_fill": (_I, [_P, _P, _P, _I, _I]),
    "plan_enumerate": (_I, [_P, _P, _U, _I, _I, _I, _F, _P, _P, _P, _P]),
    "plan_branch": (_I, [_P, _P, _U, _I, _I, _F, _P, _P, _P, _I, _P, _P, _P, _P]),
    "plan_beam": (_I, [_P, _P, _P, _F, _P, _P]),
    "knapsacks_climb": (None, [_P, _P, _I, _F, _F, _P]),
    "knapsacks_bound": (_I, [_P, _P, _F, _P]),
    "plan_anneal": (_I, [_P, _P, _U, _I, _F, _I]),
    "routes_begin": (None, [_P, _P]),
    "routes_search": (_I, [_P, _P, _I, _F, _I]),
    "layout_of": (ctypes.POINTER(Place), [ctypes.c_char_p]),
}


@cache
def library() -> ctypes.CDLL:
    """The library; compiles it first where that was not done (a checkout).

    Raises `NoCompiler`, or `WrongLayout` when it lays a struct out otherwise than `layouts`.
    """
    loaded = ctypes.CDLL(str(build()))
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    require_agreement(loaded, LAYOUTS)
    return loaded


class Struct:
    """A C struct of integers and pointers to arrays, which it keeps alive; what is not given is 0."""

    def __init__(self, layout: Layout, **values: int | npt.NDArray[Any] | Struct) -> None:
        """`layout`: one of `layouts`. Raises ValueError for a field that it does not have."""
        self._fields = np.zeros((), layout)
        self._kept: dict[str, Any] = {}
        for name, value in values.items():
            self.set(name, value)

    def set(self, name: str, value: int | npt.NDArray[Any] | Struct) -> None:
        """Put a number, or the address of an array or struct, into its place."""
        self._kept[name] = value
        if isinstance(value, np.ndarray):
            if not value.flags.c_contiguous:
                raise ValueError(f"{name} is not contiguous; a kernel cannot read it")
            word = value.ctypes.data
        else:
            word = value.address if isinstance(value, Struct) else int(value)
        self._fields[name] = word

    def __getitem__(self, name: str) -> int:
        """What stands in a field now: the kernel may have changed it."""
        return int(self._fields[name])

    @property
    def address(self) -> int:
        """Where the struct lies."""
        return int(self._fields.ctypes.data)
