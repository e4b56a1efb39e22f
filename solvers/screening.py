"""What the solvers know of open requests, vendors and capacity: arrays, no ids, of patients doors and needs.

`Screening` goes to a solver process as it is. `facts` of a request are what many rules read; what only one
rule reads, that rule encodes itself (`Rule.of_requests`, `of_vendors`, `of_known`) under its own code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final
from zlib import crc32

import numpy as np

from contracts.codes import Priority, ServiceClass
from contracts.geo import Position
from contracts.requests import Request
from contracts.tuning import Number
from solvers.arrays import Arrays, Flags, Floats, Ints
from solvers.capacity.supply import Supply
from solvers.horizon import Horizon
from solvers.travel import TravelTimes

VendorKnowledge = Mapping[str, Mapping[str, Any]]  #: beside the vendors' documents; by subject and vendor id


CLASSES: Final = tuple(ServiceClass)
PRIORITIES: Final = tuple(Priority)
CLASS_INDEX: Final[Mapping[str, int]] = {each.value: index for index, each in enumerate(CLASSES)}


@dataclass(frozen=True, kw_only=True)
class OpenRequest:
    """A request that waits for a vendor. Window in ms since the epoch, both ends inclusive."""

    request: Request
    earliest_ms: int
    latest_ms: int
    declined_by: frozenset[str] = frozenset()  #: vendors that are never asked again


@dataclass(frozen=True, eq=False)
class Facts:
    """R requests: what more than one rule reads. Every array has R rows."""

    pickup: Floats  #: R x 2 [lon, lat]; the place of an equipment order
    dropoff: Floats  #: R x 2; the same place for an equipment order
    is_trip: Flags
    service_class: Ints  #: index into CLASSES
    priority: Ints  #: index into PRIORITIES
    earliest_ms: Ints
    latest_ms: Ints
    onsite_min: Ints  #: at all doors together
    further_pieces: Ints  #: beyond the first of each line
    tie: Ints  #: breaks ties among equal candidates, differently for each request

    def __len__(self) -> int:
        return len(self.is_trip)

    def __getitem__(self, rows: slice) -> Facts:
        return Facts(*(getattr(self, each.name)[rows] for each in fields(self)))


@dataclass(frozen=True, eq=False)
class Standing:
    """Where R requests stand already, offered and unanswered; every array has R rows, -1 for nowhere.

    `Screening.supply` is as if they stood nowhere: what they hold is given back.
    """

    vendor: Ints
    resource: Ints
    start_ms: Ints
    first: Ints  #: ledger bucket from which a unit is taken ...
    end: Ints  #: ... up to this one


@dataclass(frozen=True, eq=False)
class Screening:
    """All that screening, costs and capacity need, for R requests and V vendors."""

    facts: Facts
    supply: Supply
    horizon: Horizon
    travel: TravelTimes
    now_ms: int
    values: Mapping[str, Number]
    of_requests: Mapping[str, Arrays]  #: by rule code; arrays with R rows
    of_vendors: Mapping[str, Arrays]  #: by rule code; arrays as that rule likes them
    vendors_digest: str = ""  #: names those arrays
    plugins: tuple[str, ...] = field(default=())  #: modules with rules from outside, to import first
    standing: Standing | None = None  #: None: nobody stands anywhere

    @property
    def requests(self) -> int:
        """R."""
        return len(self.facts)

    @property
    def vendors(self) -> int:
        """V."""
        return self.supply.vendors


def facts_of(asked: Sequence[OpenRequest]) -> Facts:
    """Encode R open requests."""
    requests = [each.request for each in asked]
    ends = np.array([_ends(*each.doors) for each in requests], np.float64).reshape(-1, 4)
    return Facts(
        pickup=ends[:, :2],
        dropoff=ends[:, 2:],
        is_trip=np.array([each.is_trip for each in requests], np.bool_),
        service_class=np.array([CLASS_INDEX[each.service_class.value] for each in requests], np.int64),
        priority=np.array([PRIORITIES.index(each.priority) for each in requests], np.int64),
        earliest_ms=np.array([each.earliest_ms for each in asked], np.int64),
        latest_ms=np.array([each.latest_ms for each in asked], np.int64),
        onsite_min=np.array([each.onsite_minutes for each in requests], np.int64),
        further_pieces=np.array([each.further_pieces for each in requests], np.int64),
        tie=np.array([crc32(each.id.encode()) for each in requests], np.int64),
    )


def _ends(first: Position, last: Position | None) -> tuple[float, ...]:
    return first + (first if last is None else last)
