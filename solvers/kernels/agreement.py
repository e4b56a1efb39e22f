"""Whether Python and the compiled kernels lay the same structs out alike; if not, they would read astray."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from itertools import count, takewhile

from solvers.kernels.layouts import Layout

Places = dict[str, tuple[int, int]]  #: field, or the struct's own name -> first byte, length


class WrongLayout(RuntimeError):
    """A struct of `layouts` is not the struct that the kernels were compiled with."""


class Place(ctypes.Structure):
    """`Place` of layout.c: the one struct whose layout nothing checks."""

    _fields_ = (("name", ctypes.c_char_p), ("offset", ctypes.c_int64), ("size", ctypes.c_int64))


def require_agreement(kernels: ctypes.CDLL, layouts: Mapping[str, Layout]) -> None:
    """Raise `WrongLayout` at the first field that is missing, elsewhere, or of another size."""
    for struct, layout in layouts.items():
        _compare(struct, _stated(struct, layout), _compiled(struct, kernels))


def _stated(struct: str, layout: Layout) -> Places:
    fields = {name: (place[1], place[0].itemsize) for name, place in (layout.fields or {}).items()}
    return {**fields, struct: (0, layout.itemsize)}


def _compiled(struct: str, kernels: ctypes.CDLL) -> Places:
    """What layout.c tells; nothing when it knows no such struct."""
    first = kernels.layout_of(struct.encode())
    told = takewhile(lambda place: place.name, (first[at] for at in count())) if first else ()
    return {place.name.decode(): (place.offset, place.size) for place in told}


def _compare(struct: str, stated: Places, compiled: Places) -> None:
    """A missing field is told before those that it moves, and these before the size of the whole."""
    every = [*stated, *(name for name in compiled if name not in stated)]
    for name in sorted(every, key=lambda name: name in stated and name in compiled):
        if stated.get(name) != compiled.get(name):
            where = f"field {name}" if name != struct else "the whole"
            raise WrongLayout(
                f"struct {struct}, {where}: {_said(stated.get(name))} in layouts.py, "
                f"{_said(compiled.get(name))} in the compiled kernels\n"
                "Maybe give the field the same place in layouts.py as in kernels/*.h; where nobody changed "
                "either, install this project anew: its library is of another version."
            )


def _said(place: tuple[int, int] | None) -> str:
    return "missing" if place is None else f"{place[1]} bytes at {place[0]}"
