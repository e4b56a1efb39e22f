"""What one plan is made from: some requests beside the vendors as last read, at one moment."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.tuning import Number
from contracts.vendors import Vendor
from dispatcher.domain.booking import Booking
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.requests import RequestRecord
from dispatcher.matching.capacity import CapacityBook
from dispatcher.matching.reading import Reading
from solvers.arrays import Flags
from solvers.encoding import VendorBook, encode
from solvers.horizon import Horizon
from solvers.known_travel import HOURS, TravelSource
from solvers.planning import BatchPlan
from solvers.screening import OpenRequest, Screening, Standing
from solvers.travel import TravelTimes

ON_THE_ROAD_H = 2  # most rides have ended; of one that has not the rest is estimated


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Requests, vendors and what is left of their capacity; `records` and `asked` go together.

    Those in `standing` are offered already and may move: what they hold is given back in `capacity`.
    """

    records: Sequence[RequestRecord]  #: empty for a request that is not stored
    asked: Sequence[OpenRequest]
    reading: Reading
    capacity: CapacityBook  #: a copy: a plan's matches are counted in it as they are checked
    now_ms: int
    travel: TravelTimes
    standing: Mapping[int, OfferRecord] = field(default_factory=dict)  #: by row
    taken: list[Sequence[Booking]] = field(default_factory=list)  #: of `capacity` since the plan was made

    @property
    def waiting(self) -> Sequence[int]:
        """Rows of the requests that have no offer."""
        return [row for row in range(len(self.asked)) if row not in self.standing]

    def keep_unmoved(self, *plans: BatchPlan) -> None:
        """Take what those hold who stay where they are: what is left is then for the plans' matches."""
        moved = {row for plan in plans for row in plan.chosen.request.tolist()}
        for row, offer in self.standing.items():
            if row not in moved:
                self.take(offer.bookings)

    def take(self, bookings: Sequence[Booking]) -> None:
        """Count what one that stays, or a match, holds."""
        self.capacity.take(bookings)
        self.taken.append(bookings)

    def before(self) -> CapacityBook:
        """The capacity as it was when the plan was made."""
        book = self.capacity.copy()
        for each in self.taken:
            book.give_back(each)
        return book

    @property
    def values(self) -> Mapping[str, Number]:
        """The tuning in force."""
        return self.reading.values

    @property
    def vendors(self) -> Sequence[Vendor]:
        """In the order of the arrays."""
        return self.reading.book.vendors

    def near(self) -> Snapshot:
        """With the days alone that its windows reach: the same candidates, in less time.

        Not a copy: what is taken of one is taken of both.
        """
        latest_ms = max((each.latest_ms for each in self.asked), default=self.now_ms)
        return replace(self, capacity=self.capacity.until(latest_ms))

    def of(self, rows: Sequence[int]) -> Snapshot:
        """These requests (rows, ascending) alone."""
        records = [self.records[row] for row in rows] if self.records else []
        standing = {at: self.standing[row] for at, row in enumerate(rows) if row in self.standing}
        return replace(self, records=records, asked=[self.asked[row] for row in rows], standing=standing)

    def among(self, vendor_ids: Collection[str]) -> Snapshot:
        """Beside these vendors alone."""
        book = VendorBook.of(
            [each for each in self.vendors if each.id in vendor_ids], self.reading.book.known
        )
        capacity = self.capacity.among(tuple(book.index))
        return replace(self, reading=replace(self.reading, book=book), capacity=capacity)

    def screening(self) -> Screening:
        """As arrays."""
        return encode(
            self.asked,
            self.reading.book,
            self.capacity.supply,
            self.capacity.horizon,
            now_ms=self.now_ms,
            values=self.values,
            travel=self._travel(),
            standing=self._standing() if self.standing else None,
        )

    def _travel(self) -> TravelTimes:
        """As a table, if more becomes known meanwhile: who checks the plan knows what the solver knew."""
        if not isinstance(self.travel, TravelSource):
            return self.travel
        rides = [each for each in self.asked if each.request.is_trip]
        doors = [each.request.doors for each in rides]
        ends = np.array([pickup + (dropoff or pickup) for pickup, dropoff in doors], np.float64).reshape(
            -1, 4
        )
        hours = _hours(
            [each.earliest_ms for each in rides], [each.latest_ms for each in rides], self.capacity.horizon
        )
        return self.travel.table(ends[:, :2], ends[:, 2:], hours)

    def _standing(self) -> Standing:
        places = np.full((5, len(self.asked)), -1, np.int64)
        for row, offer in self.standing.items():
            place = self.capacity.place_of(offer.bookings)
            if place is not None:
                vendor, resource, first, end = place
                places[:, row] = vendor, resource, offer.start_ms, first, end
        return Standing(*places)


def _hours(earliest_ms: Sequence[int], latest_ms: Sequence[int], horizon: Horizon) -> Flags:
    """n x 24; local hours in which rides that start in these windows may be on the road."""
    first_ms = np.clip(np.array(earliest_ms, np.int64), horizon.start_ms, horizon.end_ms - 1)
    window_ms = np.maximum(np.array(latest_ms, np.int64) - first_ms, 0)
    first = horizon.minute_of_day(first_ms) * MINUTE_MS // HOUR_MS
    later = (np.arange(HOURS) - first[:, None]) % HOURS
    return np.asarray(later <= (window_ms // HOUR_MS + ON_THE_ROAD_H)[:, None])
