"""The ledger's form: 16-bit cells, high byte first; cell 0 counts the day, cell 1 + b is bucket b.

Buckets are five minutes of elapsed time from the beginning of the local day, so a day of 25 hours has 300 of
them. What is posted for an hour of the clock stands in the buckets at which the clock shows that hour.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

DAY_BUCKETS = 26 * 12  # the longest day: one zone puts its clock back by two hours
CELLS = 1 + DAY_BUCKETS
_FORM = struct.Struct(f">{CELLS}H")
EMPTY = bytes(_FORM.size)


class LedgerKey(NamedTuple):
    """Which ledger: one pool of one vendor on one day (ISO yyyy-mm-dd, the market's zone)."""

    vendor_id: str
    pool_id: str
    day: str


class Ledger(NamedTuple):
    """What is posted and what is booked: CELLS cells each, as stored (`numpy.frombuffer(raw, ">u2")`)."""

    limit: bytes
    used: bytes


class Excess(NamedTuple):
    """One cell that is booked beyond its limit. `bucket` is None for the day's count."""

    bucket: int | None
    booked: int
    limit: int


def pack(cells: Sequence[int]) -> bytes:
    """CELLS numbers (0..65535) as stored."""
    return _FORM.pack(*cells)


def unpack(raw: bytes) -> tuple[int, ...]:
    """CELLS numbers; cells beyond the end of `raw` are 0, and what is beyond a day is left out."""
    return _FORM.unpack(padded(raw)[: _FORM.size])


def padded(raw: bytes) -> bytes:
    """`raw` in full length."""
    return raw.ljust(_FORM.size, b"\0")


def fits(raw: bytes) -> bool:
    """Whether it has no more cells than a day."""
    return len(raw) <= _FORM.size


def excesses(limit: bytes, used: bytes) -> list[Excess]:
    """Every cell where more is booked than `limit` allows."""
    pairs = enumerate(zip(unpack(used), unpack(limit), strict=True))
    return [
        Excess(cell - 1 if cell else None, booked, most) for cell, (booked, most) in pairs if booked > most
    ]
