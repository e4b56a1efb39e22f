"""Read a problem's arrays from an `.npz` file that anybody may have made.

Each array says in its header what it is. All headers are read, and held against limits and each other, before
any array is: a file of 2 MB may declare gigabytes. Nothing in it is executed, and no more is unpacked than is
declared.
"""

from __future__ import annotations

import ast
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from solvers.arrays import Arrays
from solvers.assignment.exactness import REQUESTS_LIMIT
from solvers.assignment.validation import MalformedProblem

COLUMNS_IN_FILE: Final = 2**23
CELLS_IN_FILE: Final = 2**23  #: vendors x pools x (buckets + 1)
PAIRS_IN_FILE: Final = 2**20
_HEADER: Final = 10_000  #: bytes of one; numpy's own take 128
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  #: others may ask for any memory themselves
_DAMAGED: Final = (
    ValueError, TypeError, SyntaxError, EOFError, OSError, RuntimeError, MemoryError, NotImplementedError,
    OverflowError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Declared:
    """What an array's header says."""

    member: zipfile.ZipInfo
    dtype: np.dtype[Any]
    fortran: bool
    shape: tuple[int, ...]
    begins: int  #: byte at which the values do

    @property
    def bytes(self) -> int:
        """Of all values."""
        return prod(self.shape) * self.dtype.itemsize


def read_arrays(path: str | Path, names: Sequence[str], optional: Sequence[str]) -> Arrays:
    """The arrays with these names; those in `optional` may be absent, what else there is is left alone.

    Raises KeyError for what is absent, `MalformedProblem` for what is not as declared or beyond the limits.
    """
    if Path(path).exists() and not Path(path).is_file():
        raise MalformedProblem("it is no file")
    with zipfile.ZipFile(path) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        missing = [name for name in names if name not in members and name not in optional]
        if missing:
            raise KeyError(f"{path} lacks {', '.join(missing)}\nMaybe it is not an assignment problem.")
        declared = {name: _declared(archive, name, members[name]) for name in names if name in members}
        _require_sizes({name: each.shape for name, each in declared.items()})
        return {name: _values(archive, name, each) for name, each in declared.items()}


def _declared(archive: zipfile.ZipFile, name: str, member: zipfile.ZipInfo) -> Declared:
    if member.compress_type not in _METHODS:
        raise MalformedProblem(
            f"{name} is compressed by method {member.compress_type}, not stored or deflated"
        )
    try:
        with archive.open(member) as file:
            found = _header(file, member)
    except _DAMAGED as error:
        raise MalformedProblem(f"{name} has no header that can be read: {error}") from error
    if found.dtype.kind not in "biuf" or found.dtype.itemsize > np.dtype(np.longdouble).itemsize:
        raise MalformedProblem(f"{name} holds {found.dtype}; it must hold integers")
    return found


def _header(file: IO[bytes], member: zipfile.ZipInfo) -> Declared:
    """Numpy's format, versions 1 to 3: magic, version, length, a Python literal."""
    start = file.read(8)
    if start[:6] != b"\x93NUMPY" or start[6:] not in (b"\x01\x00", b"\x02\x00", b"\x03\x00"):
        raise ValueError("it does not begin as a numpy array does")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(file.read(width), "little")
    if length > _HEADER:
        raise ValueError(f"it says to be {length} bytes long, above {_HEADER}")
    told = ast.literal_eval(file.read(length).decode("utf-8").strip())
    if not isinstance(told, dict) or set(told) != {"descr", "fortran_order", "shape"}:
        raise ValueError("it lacks descr, fortran_order or shape, or says more")
    shape, descr = told["shape"], told["descr"]
    if not isinstance(shape, tuple) or any(type(size) is not int or size < 0 for size in shape):
        raise ValueError(f"its shape is {shape!r}; sizes are integers of at least 0")
    if not isinstance(descr, str) or len(descr) > 8:
        raise ValueError("its type is not that of plain numbers")
    return Declared(member, np.dtype(descr), bool(told["fortran_order"]), shape, 8 + width + length)


def _require_sizes(shapes: dict[str, tuple[int, ...]]) -> None:
    """Within limits by themselves, then as large as others say."""
    most = {"request_penalty": REQUESTS_LIMIT, "column_request": COLUMNS_IN_FILE, "precedence": PAIRS_IN_FILE}
    for name, dimensions in (("request_penalty", 1), ("column_request", 1), ("capacity", 3)):
        if len(shapes[name]) != dimensions:
            raise MalformedProblem(f"{name} has shape {shapes[name]}; it must have {dimensions} dimension(s)")
    for name in most.keys() & shapes.keys():
        if max(shapes[name], default=0) > most[name]:
            raise MalformedProblem(f"{name} has shape {shapes[name]}; a file may hold {most[name]} at most")
    vendors, pools, buckets = shapes["capacity"]
    if max(vendors, pools, vendors * pools * (buckets + 1)) > CELLS_IN_FILE:
        raise MalformedProblem(
            f"capacity has shape {shapes['capacity']}; vendors x pools x (buckets + 1) may be "
            f"{CELLS_IN_FILE} at most in a file"
        )
    for name, wanted in _wanted(shapes).items():
        if name in shapes and shapes[name] not in wanted:
            raise MalformedProblem(f"{name} has shape {shapes[name]}; it must have {wanted[0]}")
    pinned = shapes.get("pinned", (0,))
    if len(pinned) != 1 or pinned[0] > shapes["request_penalty"][0]:
        raise MalformedProblem(f"pinned has shape {pinned}; it holds a column a request at most")


def _wanted(shapes: dict[str, tuple[int, ...]]) -> dict[str, list[tuple[int, ...]]]:
    """The shapes that an array may have, given those that others follow."""
    columns, (vendors, _, _) = shapes["column_request"], shapes["capacity"]
    precedence = shapes.get("precedence", (0, 2))
    pairs = precedence[0] if precedence else 0
    parts = ("vendor", "resource", "start", "duration", "units", "cost")
    return {
        **{f"column_{part}": [columns] for part in parts},
        "vendor_cap": [(vendors,)],
        "vendor_target": [(vendors,)],
        "shortfall_cost": [(), (1,)],
        "precedence": [(pairs, 2), (0,)],
        **{f"precedence_{part}": [(pairs,)] for part in ("lag", "most", "from_start")},
        **{f"column_{part}": [columns, (0,)] for part in ("begin", "end")},
        "bundle": [shapes["request_penalty"]],
    }


def _values(archive: zipfile.ZipFile, name: str, declared: Declared) -> npt.NDArray[Any]:
    """Exactly what was declared; the end of the member, which its check sum belongs to, is read as well."""
    whole = declared.begins + declared.bytes
    if declared.member.file_size != whole:
        raise MalformedProblem(
            f"{name} is {declared.member.file_size} bytes long; its header declares {whole}"
        )
    array = np.empty(prod(declared.shape), declared.dtype)
    try:
        with archive.open(declared.member) as file:
            file.read(declared.begins)
            unread = array.view(np.uint8).data if array.size else memoryview(b"")
            while unread and (read := file.readinto(unread)):  # type: ignore[attr-defined]
                unread = unread[read:]
            more = file.read(1)
    except _DAMAGED as error:
        raise MalformedProblem(f"{name} cannot be read: {error}") from error
    if unread or more:
        raise MalformedProblem(f"{name} does not hold the {declared.bytes} bytes that its header declares")
    return array.reshape(declared.shape, order="F" if declared.fortran else "C")
