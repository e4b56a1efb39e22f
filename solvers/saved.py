"""A screening as bytes and back, exactly: every array with its type, every number as it was.

In four sections, each compressed by itself: `requests` (what is known of them, and the rides between their
doors), `supply`, `vendors`, and the `rest`. Whoever keeps many may keep what recurs once, by its bytes.
Whole numbers are written as narrow as they are; the type that they had stands beside them.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgpack
import numpy as np
import numpy.typing as npt
import zstandard

from solvers.arrays import Ints, arrays_of
from solvers.capacity.pools import PoolSupply
from solvers.capacity.supply import Supply
from solvers.horizon import Horizon
from solvers.known_travel import KnownTravel
from solvers.planning import BatchPlan
from solvers.rules.base import Candidates
from solvers.screening import Facts, Screening, Sequence, Standing
from solvers.travel import DetourTravel

FORMAT: Final = 1
REQUESTS, SUPPLY, VENDORS, REST = "requests", "supply", "vendors", "rest"
_LEVEL: Final = 1  # of Zstandard: 3 takes twice as long for a tenth less
MOST_BYTES: Final = 2**31  #: unpacked; what says that it has more is damaged
_ARRAY: Final = 1  # MessagePack's number for an array of ours
_HOW: Final = ("seconds", "limits", "lost")  # of a plan: how it was made, not what it is
_NARROW: Final = ((np.int8, 2**7), (np.int16, 2**15), (np.int32, 2**31))
_FEW: Final = 64  # numbers of which the compressor makes as little by itself
#: what stands behind a protocol, by the name that is written
_SUPPLIES: Final[Mapping[str, type]] = {"pools": PoolSupply}
_TRAVELS: Final[Mapping[str, type]] = {"detour": DetourTravel, "known": KnownTravel}

_OF_THREAD = threading.local()  # a compressor may not be in two threads at once


class NotSaved(ValueError):
    """It cannot be packed (a kind from outside), or what is read is no packed screening."""


class Packed(NamedTuple):
    """The four sections of a screening."""

    requests: bytes  #: who must not be known: doors and needs are in here
    supply: bytes
    vendors: bytes
    rest: bytes


def pack_screening(screening: Screening) -> bytes:
    """All of it. Raises NotSaved for a source of travel times or a supply that came from outside."""
    return bytes(msgpack.packb([FORMAT, *sections_of(screening)]))


def unpack_screening(packed: bytes) -> Screening:
    """What was packed. Raises NotSaved."""
    parts = _plain(packed)
    if not isinstance(parts, list) or len(parts) != 1 + len(Packed._fields):
        raise NotSaved("these bytes are no packed screening")
    if parts[0] != FORMAT:
        raise NotSaved(f"format {parts[0]!r} of a packed screening is not known; known: {FORMAT}")
    return screening_of(Packed(*parts[1:]))


def sections_of(screening: Screening) -> Packed:
    """Its sections. Raises NotSaved as `pack_screening`."""
    return Packed(
        requests_section(screening),
        supply_section(screening),
        vendors_section(screening),
        rest_section(screening),
    )


def requests_section(screening: Screening) -> bytes:
    """What is known of the requests, and the rides between their doors."""
    requests = {
        "facts": arrays_of(screening.facts),
        "of_requests": {code: dict(arrays) for code, arrays in screening.of_requests.items()},
        "standing": _or_none(screening.standing),
        "sequence": _or_none(screening.sequence),
        "travel": _travel(screening.travel),
    }
    return small(requests)


def supply_section(screening: Screening) -> bytes:
    """What is left of the vendors' capacity."""
    return small(_supply(screening.supply))


def vendors_section(screening: Screening) -> bytes:
    """What the rules encoded of the vendors."""
    return small({code: dict(arrays) for code, arrays in screening.of_vendors.items()})


def rest_section(screening: Screening) -> bytes:
    """The days in view, the time, the tuning."""
    rest = {
        "horizon": arrays_of(screening.horizon),
        "now_ms": screening.now_ms,
        "values": dict(screening.values),
        "vendors_digest": screening.vendors_digest,
        "plugins": list(screening.plugins),
    }
    return small(rest)


def changes_of(supply: Supply, at: Ints) -> bytes:
    """A supply as the units left (`left`, flat) at these places, where another's of its shape differ."""
    told = _supply(supply)
    told["changed"] = {"at": at, "left": told["arrays"].pop("left").reshape(-1)[at]}
    return small(told)


def with_changes(base: bytes, changes: bytes) -> bytes:
    """The section of a supply from that of another and what differs. Raises NotSaved."""
    whole, told = large(base), large(changes)
    try:
        left = whole["arrays"]["left"]
        changed = told.pop("changed")
        left.reshape(-1)[changed["at"]] = changed["left"]
        told["arrays"]["left"] = left
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise NotSaved(f"a packed supply lacks something: {error}") from error
    return small(told)


def _supply(supply: Supply) -> dict[str, Any]:
    return {"kind": _kind(_SUPPLIES, supply), "arrays": arrays_of(supply)}


def screening_of(packed: Packed) -> Screening:
    """From its sections. Raises NotSaved."""
    requests, supply, vendors, rest = map(large, packed)
    try:
        return Screening(
            facts=Facts(**requests["facts"]),
            supply=_SUPPLIES[supply["kind"]](**supply["arrays"]),
            horizon=Horizon(**rest["horizon"]),
            travel=_travel_of(requests["travel"]),
            now_ms=rest["now_ms"],
            values=rest["values"],
            of_requests=requests["of_requests"],
            of_vendors=vendors,
            vendors_digest=rest["vendors_digest"],
            plugins=tuple(rest["plugins"]),
            standing=_made(Standing, requests["standing"]),
            sequence=_made(Sequence, requests["sequence"]),
        )
    except (KeyError, TypeError) as error:
        raise NotSaved(f"a packed screening lacks something or has too much: {error}") from error


def pack_plan(plan: BatchPlan) -> bytes:
    """What was decided, not compressed: two plans are the same when these bytes are. Not how it was made."""
    told = {each.name: getattr(plan, each.name) for each in fields(plan) if each.name not in _HOW}
    told |= {"chosen": arrays_of(plan.chosen), "codes": list(plan.codes)}
    for name in ("gave_way_to", "for_share"):  # without: as plans were written before there was a floor
        if not len(told[name]):
            del told[name]
    return bytes(msgpack.packb(told, default=_array))


def unpack_plan(packed: bytes) -> BatchPlan:
    """What was packed, as if it had taken no time. Raises NotSaved."""
    told = _plain(packed)
    try:
        made = {**told, "chosen": Candidates(**told["chosen"]), "codes": tuple(told["codes"]), "seconds": 0.0}
        return BatchPlan(**made)
    except (KeyError, TypeError) as error:
        raise NotSaved(f"a packed plan lacks something or has too much: {error}") from error


def small(value: Any) -> bytes:
    """Plain values and arrays, compressed."""
    compressor = getattr(_OF_THREAD, "compressor", None)
    if compressor is None:
        compressor = _OF_THREAD.compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    packed: bytes = compressor.compress(msgpack.packb(value, default=_array))
    return packed


def large(packed: bytes) -> Any:
    """What `small` made. Raises NotSaved."""
    try:
        size = zstandard.frame_content_size(packed)
        if not 0 <= size <= MOST_BYTES:
            raise NotSaved(f"a packed section says it has {size:,} bytes; the limit is {MOST_BYTES:,}")
        plain = zstandard.ZstdDecompressor().decompress(packed)
    except zstandard.ZstdError as error:
        raise NotSaved(f"a packed section is damaged: {error}") from error
    return _plain(plain)


def _plain(packed: bytes) -> Any:
    try:
        return msgpack.unpackb(packed, ext_hook=_array_of)
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise NotSaved(f"what was packed is damaged: {error}") from error


def _array(value: Any) -> msgpack.ExtType:
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if not isinstance(value, np.ndarray) or value.dtype.hasobject:
        raise NotSaved(f"{type(value).__name__} cannot be saved: only numbers, text and arrays of them can")
    by_column = value.flags.f_contiguous and not value.flags.c_contiguous
    narrow = _narrowed(value)
    laid = narrow.T if by_column else narrow
    head = _head(value.dtype.str, narrow.dtype.str, value.shape, by_column=by_column)
    return msgpack.ExtType(_ARRAY, head + laid.tobytes(order="C"))


@lru_cache(1_024)  # an imminent plan's record has fifty arrays, of few kinds and lengths
def _head(wide: str, narrow: str, shape: tuple[int, ...], *, by_column: bool) -> bytes:
    head = bytes(msgpack.packb([wide, narrow, list(shape), by_column]))
    return bytes([len(head)]) + head


def _narrowed(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if array.dtype != np.int64 or array.size < _FEW:
        return array
    least, most = int(array.min()), int(array.max())
    fits = (each for each, limit in _NARROW if -limit <= least and most < limit)
    return array.astype(next(fits, np.int64), copy=False)


def _array_of(code: int, packed: bytes) -> npt.NDArray[Any]:
    if code != _ARRAY:
        raise ValueError(f"extension {code} is none of ours")
    begin = 1 + packed[0]
    wide, narrow, shape, by_column = msgpack.unpackb(packed[1:begin])
    flat = np.frombuffer(packed, narrow, offset=begin)
    if by_column:
        return np.asfortranarray(flat.reshape(shape[::-1]).T.astype(wide))
    return flat.reshape(shape).astype(wide)


def _or_none(held: Standing | Sequence | None) -> dict[str, Any] | None:
    return None if held is None else arrays_of(held)


def _made(kind: type[Any], arrays: dict[str, Any] | None) -> Any:
    return None if arrays is None else kind(**arrays)


def _kind(known: Mapping[str, type], one: object) -> str:
    for name, kind in known.items():
        if type(one) is kind:
            return name
    raise NotSaved(f"{type(one).__name__} cannot be saved; known: {', '.join(known)}")


def _travel(travel: Any) -> dict[str, Any]:
    told = {"kind": _kind(_TRAVELS, travel)} | arrays_of(travel)
    if "fallback" in told:
        told["fallback"] = _travel(told["fallback"])
    return told


def _travel_of(told: dict[str, Any]) -> Any:
    kind = _TRAVELS[told["kind"]]
    held = {name: value for name, value in told.items() if name != "kind"}
    if "fallback" in held:
        held["fallback"] = _travel_of(held["fallback"])
    return kind(**{name: tuple(each) if isinstance(each, list) else each for name, each in held.items()})
