"""The ledgers of the days in view as arrays, and the bookings that a match makes in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np

from contracts.capacity import Capacity
from contracts.codes import ServiceClass
from dispatcher.domain.record import Booking
from dispatcher.store.ledger import Ledger, LedgerKey
from solvers.horizon import Horizon
from solvers.rules.capacity import UNITS
from solvers.screening import CLASS_INDEX, Supply

Postings = Mapping[tuple[str, str], Capacity]  #: by vendor and ISO day


@dataclass(frozen=True, eq=False)
class PoolBook:
    """The pools of V vendors over the days in view: their ids, and what is left in them."""

    ids: tuple[tuple[str, ...], ...]  #: V; pool ids in the order of the arrays' pool axis
    supply: Supply
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
        for (vendor, _), capacity in postings.items():
            if vendor in vendors:
                names[vendors[vendor]].update(pool.id for pool in capacity.pools)
        book = cls(tuple(tuple(sorted(each)) for each in names), _nothing(names, horizon), horizon)
        for (vendor, day), capacity in postings.items():
            if vendor in vendors:
                book._post(vendors[vendor], vendor, day, capacity, ledgers)
        return book

    def _post(
        self, row: int, vendor: str, day: str, capacity: Capacity, ledgers: Mapping[LedgerKey, Ledger]
    ) -> None:
        column = int(date.fromisoformat(day).toordinal() - self.horizon.ordinal[0])
        first, end = (
            (self.horizon.midnight_ms[column : column + 2] - self.horizon.start_ms) // 300_000
        ).tolist()
        for pool in capacity.pools:
            limit, used = (
                np.frombuffer(raw, ">u2").astype(np.int64) for raw in ledgers[LedgerKey(vendor, pool.id, day)]
            )
            pool_index = self.ids[row].index(pool.id)
            left = limit - used
            self.supply.serves[row, pool_index, column] = _bits(pool.serves)
            self.supply.left[row, pool_index, first:end] = left[1 : 1 + end - first]
            self.supply.daily_left[row, pool_index, column] = left[0]

    def bookings(
        self, vendor_id: str, row: int, pool: int, start_ms: int, free_ms: int
    ) -> tuple[Booking, ...]:
        """What the work takes: a booking for each local day it touches; only the first counts for the cap."""
        first, end = self.horizon.first_bucket(start_ms), self.horizon.end_bucket(free_ms)
        pool_id, found = self.ids[row][pool], []
        for day, (opens, closes) in zip(
            self.horizon.days, pairwise(self.horizon.midnight_buckets), strict=True
        ):
            begin, count = max(first, opens), min(end, closes) - max(first, opens)
            if count > 0:
                daily = 1 if begin == first else 0
                found.append(Booking(vendor_id, pool_id, day.isoformat(), begin - opens, count, UNITS, daily))
        return tuple(found)

    def take(self, row: int, pool: int, start_ms: int, free_ms: int) -> None:
        """Count a match that was made, so that the next is planned against what is left."""
        first, end = self.horizon.first_bucket(start_ms), self.horizon.end_bucket(free_ms)
        self.supply.left[row, pool, first:end] -= UNITS
        self.supply.daily_left[row, pool, self.horizon.day_at(start_ms)] -= 1

    def take_bookings(self, row: int, bookings: Sequence[Booking]) -> None:
        """Count what was stored, by its bookings; days that are no longer in view are passed over."""
        column_of = {day.isoformat(): column for column, day in enumerate(self.horizon.days)}
        for booking in bookings:
            column = column_of.get(booking.day)
            if column is not None:
                pool = self.ids[row].index(booking.pool_id)
                first = self.horizon.midnight_buckets[column] + booking.first
                self.supply.left[row, pool, first : first + booking.count] -= booking.units
                self.supply.daily_left[row, pool, column] -= booking.daily

    def copy(self) -> PoolBook:
        """With counts of its own."""
        supply = self.supply
        held = Supply(supply.serves, supply.left.copy(), supply.daily_left.copy())
        return PoolBook(self.ids, held, self.horizon)


def _nothing(names: list[set[str]], horizon: Horizon) -> Supply:
    shape = (len(names), max(map(len, names), default=0))
    days = len(horizon.ordinal)
    return Supply(
        serves=np.zeros((*shape, days), np.int64),
        left=np.zeros((*shape, horizon.buckets), np.int64),
        daily_left=np.zeros((*shape, days), np.int64),
    )


def _bits(serves: tuple[ServiceClass, ...]) -> int:
    return sum({1 << CLASS_INDEX[each.value] for each in serves})
