"""What one plan is made from: some requests beside the vendors as last read, at one moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.tuning import Number
from contracts.vendors import Vendor
from dispatcher.domain.requests import RequestRecord
from dispatcher.matching.capacity import CapacityBook
from dispatcher.matching.reading import Reading
from solvers.encoding import encode
from solvers.screening import OpenRequest, Screening
from solvers.travel import TravelOf


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Open requests, vendors and what is left of their capacity; `records` and `asked` go together."""

    records: Sequence[RequestRecord]  #: empty for a request that is not stored
    asked: Sequence[OpenRequest]
    reading: Reading
    capacity: CapacityBook  #: a copy: a plan's matches are counted in it as they are checked
    now_ms: int
    travel_of: TravelOf

    @property
    def values(self) -> Mapping[str, Number]:
        """The tuning in force."""
        return self.reading.values

    @property
    def vendors(self) -> Sequence[Vendor]:
        """In the order of the arrays."""
        return self.reading.book.vendors

    def screening(self) -> Screening:
        """As arrays."""
        return encode(
            self.asked,
            self.reading.book,
            self.capacity.supply,
            self.capacity.horizon,
            now_ms=self.now_ms,
            values=self.values,
            travel=self.travel_of(self.values),
        )
