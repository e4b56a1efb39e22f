"""Pools of the days in view: from postings and ledgers to arrays, and what a match books in them.

All that the matcher knows of pools is here; the arrays themselves are `solvers/capacity/pools.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from contracts.pools import LIMITS, Pool, Pools
from dispatcher.domain.booking import Booking
from dispatcher.store.ledger import CELLS, Ledger, LedgerKey
from solvers.capacity.pools import PoolSupply, bits_of
from solvers.horizon import Horizon
from solvers.rules.capacity import UNITS
from solvers.rules.pool_limits import PoolLimit

Postings = Mapping[tuple[str, str], Pools]  #: by vendor and ISO day


def ledger_keys(postings: Postings) -> list[LedgerKey]:
    """One for each pool and day."""
    return [key for key, _ in _posted(postings)]


def _posted(postings: Postings) -> Iterator[tuple[LedgerKey, Pool]]:
    for (vendor, day), each in postings.items():
        for pool in each.pools:
            yield LedgerKey(vendor, pool.id, day), pool


def limits_of(postings: Postings) -> Mapping[str, Sequence[PoolLimit]]:
    """What `solvers/rules/pool_limits.py` reads: by vendor, its pools with limits of their own."""
    names, found = dict[str, set[str]](), dict[str, list[PoolLimit]]()
    for (vendor, _), posting in postings.items():
        names.setdefault(vendor, set()).update(pool.id for pool in posting.pools)
    for (vendor, day), posting in sorted(postings.items()):
        for pool in posting.pools:
            most = [getattr(pool, each) for each in LIMITS]
            if any(each is not None for each in most):
                resource = sorted(names[vendor]).index(pool.id)  # as `PoolBook.of` has them
                limits = tuple(math.inf if each is None else float(each) for each in most)
                ordinal = date.fromisoformat(day).toordinal()
                found.setdefault(vendor, []).append(PoolLimit(resource, ordinal, limits))
    return found


class _Cells(NamedTuple):
    """A booking in the arrays."""

    row: int
    resource: int
    column: int
    first: int
    end: int


@dataclass(frozen=True, eq=False)
class PoolBook:
    """The pools of V vendors over the days in view: their ids, and what is left in them."""

    vendors: Mapping[str, int]  #: id to row
    ids: tuple[tuple[str, ...], ...]  #: V; pool ids in the order of the arrays' resource axis
    supply: PoolSupply
    horizon: Horizon

    @classmethod
    def of(
        cls,
        vendors: Mapping[str, int],
        postings: Postings,
        ledgers: Mapping[LedgerKey, Ledger],
        horizon: Horizon,
    ) -> PoolBook:
        """From what is posted and booked; `vendors` maps ids to rows."""
        names: list[set[str]] = [set() for _ in vendors]
        pools = {key: pool for key, pool in _posted(postings) if key.vendor_id in vendors}
        for key in pools:
            names[vendors[key.vendor_id]].add(key.pool_id)
        supply = PoolSupply.nothing(len(names), max(map(len, names), default=0), horizon)
        book = cls(vendors, tuple(tuple(sorted(each)) for each in names), supply, horizon)
        book._post(pools, [ledgers[each] for each in pools])
        return book

    def renewed(
        self, vendor_id: str, postings: Postings, ledgers: Mapping[LedgerKey, Ledger]
    ) -> PoolBook | None:
        """With what one vendor posts, and has booked, now; None: its pools are others than before.

        What was left before is written over: this book is not to be used any more, copies of it are.
        """
        row, pools = self.vendors[vendor_id], dict(_posted(postings))
        if {each.pool_id for each in pools} != set(self.ids[row]):
            return None
        supply = replace(self.supply, serves=self.supply.serves.copy())
        for cells in (supply.serves, supply.left, supply.daily_left):
            cells[row] = 0
        book = replace(self, supply=supply)
        book._post(pools, [ledgers[each] for each in pools])
        return book

    def _post(self, posted: Mapping[LedgerKey, Pool], ledgers: Sequence[Ledger]) -> None:
        """All at once: of 900 vendors one after the other took 20 ms, for which imminent requests waited."""
        if not posted:
            return
        at = np.array([self._at(each) for each in posted])
        limit, used = (
            np.frombuffer(b"".join(raw), ">u2").reshape(-1, CELLS) for raw in zip(*ledgers, strict=True)
        )
        left = limit.astype(np.int64) - used
        bits = {each: bits_of(each) for each in {pool.serves for pool in posted.values()}}
        self.supply.serves[*at.T] = [bits[each.serves] for each in posted.values()]
        self.supply.daily_left[*at.T] = left[:, 0]
        for column, (first, end) in enumerate(pairwise(self.horizon.midnight_buckets)):
            here = np.flatnonzero(at[:, 2] == column)
            self.supply.left[at[here, 0], at[here, 1], first:end] = left[here, 1 : 1 + end - first]

    def _at(self, key: LedgerKey) -> tuple[int, int, int]:
        """Where the arrays have the pool on that day: row, resource, column."""
        row = self.vendors[key.vendor_id]
        return row, self.ids[row].index(key.pool_id), self._columns[key.day]

    def resource_id(self, vendor: int, resource: int) -> str:
        """The id of a resource by its place in the arrays."""
        return self.ids[vendor][resource]

    def bookings(self, vendor_id: str, resource: int, start_ms: int, free_ms: int) -> tuple[Booking, ...]:
        """What the work takes: a booking for each local day it touches; only the first counts for the cap."""
        first, end = self.horizon.first_bucket(start_ms), self.horizon.end_bucket(free_ms)
        pool_id, found = self.resource_id(self.vendors[vendor_id], resource), []
        spans = pairwise(self.horizon.midnight_buckets)
        for day, (opens, closes) in zip(self.horizon.days, spans, strict=True):
            begin, count = max(first, opens), min(end, closes) - max(first, opens)
            if count > 0:
                daily = 1 if begin == first else 0
                found.append(Booking(vendor_id, pool_id, day.isoformat(), begin - opens, count, UNITS, daily))
        return tuple(found)

    def take(self, bookings: Sequence[Booking]) -> None:
        """Count what a match takes. Pools and days that are not in view are passed over."""
        self._count(bookings, 1)

    def holds(self, bookings: Sequence[Booking]) -> bool:
        """Whether there is room for all of them, each by itself."""
        return all(self._has_room(each) for each in bookings)

    def _has_room(self, booking: Booking) -> bool:
        at = self._in_view(booking)
        if at is None:
            return True
        left = self.supply.left[at.row, at.resource, at.first : at.end]
        daily = self.supply.daily_left[at.row, at.resource, at.column]
        return bool((left >= booking.units).all() and daily >= booking.daily)

    def give_back(self, bookings: Sequence[Booking]) -> None:
        """The opposite."""
        self._count(bookings, -1)

    def place_of(self, bookings: Sequence[Booking]) -> tuple[int, int, int, int] | None:
        """Vendor, pool, and the buckets from the first day's to the last's; None unless all are in view."""
        found = [self._in_view(each) for each in bookings]
        seen = [each for each in found if each is not None]
        if not seen or len(seen) < len(found):
            return None
        return seen[0].row, seen[0].resource, seen[0].first, seen[-1].end

    def _count(self, bookings: Sequence[Booking], sign: int) -> None:
        for each in bookings:
            if (at := self._in_view(each)) is not None:
                self.supply.left[at.row, at.resource, at.first : at.end] -= sign * each.units
                self.supply.daily_left[at.row, at.resource, at.column] -= sign * each.daily

    def _in_view(self, booking: Booking) -> _Cells | None:
        row, column = self.vendors.get(booking.vendor_id), self._columns.get(booking.day)
        if row is None or column is None or booking.pool_id not in self.ids[row]:
            return None
        first = self.horizon.midnight_buckets[column] + booking.first
        return _Cells(row, self.ids[row].index(booking.pool_id), column, first, first + booking.count)

    @cached_property
    def _columns(self) -> Mapping[str, int]:
        """By ISO day."""
        return {day.isoformat(): column for column, day in enumerate(self.horizon.days)}

    def among(self, vendor_ids: Sequence[str]) -> PoolBook:
        """Of these vendors alone, in this order."""
        rows = [self.vendors[each] for each in vendor_ids]
        ids, vendors = tuple(self.ids[row] for row in rows), {each: at for at, each in enumerate(vendor_ids)}
        return replace(self, vendors=vendors, ids=ids, supply=self.supply.of(rows))

    def copy(self) -> PoolBook:
        """With counts of its own."""
        return replace(self, supply=self.supply.copy())

    def until(self, ms: int) -> PoolBook:
        """Up to the day after that of an instant; not a copy."""
        days = min(self.horizon.day_at(ms) + 2, len(self.horizon.ordinal))
        horizon = self.horizon.first_days(days)
        return replace(self, supply=self.supply.first_days(horizon), horizon=horizon)
