"""What the solvers know of open requests, vendors and capacity: arrays, no ids, of patients doors and needs.

`Screening` goes to a solver process as it is. `facts` of a request are what many rules read; what only one
rule reads, that rule encodes itself (`Rule.of_requests`, `of_vendors`, `of_known`) under its own code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Several
from dataclasses import dataclass, field, fields, replace
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
ALL_OTHERS: Final = ""  #: in place of a vendor's id: what is taken for those of whom nothing is known


CLASSES: Final = tuple(ServiceClass)
PRIORITIES: Final = tuple(Priority)
CLASS_INDEX: Final[Mapping[str, int]] = {each.value: index for index, each in enumerate(CLASSES)}


FINISH_TO_START: Final = "finish_to_start"  #: the lag counts from where the predecessor's work ends
START_TO_START: Final = "start_to_start"  #: from where it starts: equipment may travel along
KINDS: Final = (FINISH_TO_START, START_TO_START)


@dataclass(frozen=True)
class Follows:
    """A predecessor in the same screening: `least_ms` after it at the least, `most_ms` at the most."""

    request_id: str
    kind: str = FINISH_TO_START
    least_ms: int = 0
    most_ms: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"a sequence is of kind {self.kind!r}\nMaybe one of {', '.join(KINDS)}.")
        if self.most_ms is not None and self.most_ms < self.least_ms:
            raise ValueError(f"a sequence has at most {self.most_ms} ms, less than its least {self.least_ms}")


@dataclass(frozen=True, kw_only=True)
class OpenRequest:
    """A request that waits for a vendor. Window in ms since the epoch, both ends inclusive.

    It may be matched only if all that it follows is, and only where they leave it the lag; one that follows
    what is not in the screening waits. A predecessor that stands already is a bound on the start instead.
    """

    request: Request
    earliest_ms: int
    latest_ms: int
    declined_by: frozenset[str] = frozenset()  #: vendors that are never asked again
    not_before_ms: int | None = None  #: bounds on the start that follow from work which stands already
    not_after_ms: int | None = None
    follows: tuple[Follows, ...] = ()
    bundle: str = ""  #: requests of one that is not empty are matched all or none
    behind: float = 0.0  #: how many times the fairness floor its group of requests lies behind the others
    lifted: float = 0.0  #: the most that any of less priority beside it does: none comes before it for that

    @property
    def weighs(self) -> float:
        """What the floor counts it for."""
        return max(self.behind, self.lifted)


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

    def __getitem__(self, rows: slice | Ints) -> Facts:
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
class Sequence:
    """P pairs of R requests, one to follow the other, and which of them are matched all or none."""

    first: Ints  #: P; row of the predecessor
    second: Ints  #: P; row of its successor
    from_start: Flags  #: P; the lag counts from the predecessor's start, not from its end
    least_ms: Ints  #: P
    most_ms: Ints  #: P; `NO_MOST` for none
    bundle: Ints  #: R; -1 for none

    @property
    def tied(self) -> Ints:
        """The rows that any of it is about."""
        return np.unique(np.concatenate([self.first, self.second, np.flatnonzero(self.bundle >= 0)]))

    def without(self, rows: Ints) -> Sequence:
        """No pair with any of these rows, and none of them in a bundle."""
        pairs = ~(np.isin(self.first, rows) | np.isin(self.second, rows))
        bundle = self.bundle.copy()
        bundle[rows] = -1
        least_ms, most_ms = self.least_ms[pairs], self.most_ms[pairs]
        first, second, from_start = self.first[pairs], self.second[pairs], self.from_start[pairs]
        return Sequence(first, second, from_start, least_ms, most_ms, bundle)

    def among(self, rows: Ints) -> Sequence:
        """Of these rows (ascending) alone, counted from 0."""
        left = self.without(np.setdiff1d(np.arange(len(self.bundle)), rows))
        first, second = (np.searchsorted(rows, each) for each in (left.first, left.second))
        return Sequence(first, second, left.from_start, left.least_ms, left.most_ms, left.bundle[rows])


NO_MOST: Final = 2**62


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
    sequence: Sequence | None = None  #: None: nobody follows, nobody is bundled

    @property
    def requests(self) -> int:
        """R."""
        return len(self.facts)

    @property
    def vendors(self) -> int:
        """V."""
        return self.supply.vendors

    def only(self, rows: Ints) -> Screening:
        """Some requests (ascending) by themselves; nobody stands."""
        encoded = {
            code: {name: array[rows] for name, array in arrays.items()}
            for code, arrays in self.of_requests.items()
        }
        sequence = self.sequence.among(rows) if self.sequence is not None else None
        return replace(self, facts=self.facts[rows], of_requests=encoded, standing=None, sequence=sequence)


def facts_of(asked: Several[OpenRequest]) -> Facts:
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


def sequence_of(asked: Several[OpenRequest]) -> Sequence | None:
    """Who follows whom; who follows a request that is not among them is left to the rule `sequence`."""
    if not any(each.follows or each.bundle for each in asked):
        return None
    row = {each.request.id: number for number, each in enumerate(asked)}
    pairs = [
        (row[one.request_id], second, one.kind == START_TO_START, one.least_ms, one.most_ms)
        for second, each in enumerate(asked)
        for one in each.follows
        if row.get(one.request_id, second) != second
    ]
    first, second, from_start, least, most = zip(*pairs, strict=True) if pairs else ((),) * 5
    return Sequence(
        first=_ints(first),
        second=_ints(second),
        from_start=np.array(from_start, np.bool_),
        least_ms=_ints(least),
        most_ms=_ints(NO_MOST if each is None else each for each in most),
        bundle=_bundles([each.bundle for each in asked]),
    )


def _bundles(names: Several[str]) -> Ints:
    """A number for each name, in the order of their names; -1 for none."""
    numbers = {name: number for number, name in enumerate(sorted(set(names) - {""}))}
    return _ints(numbers.get(name, -1) for name in names)


def _ints(values: Iterable[int]) -> Ints:
    return np.array(list(values), np.int64)


def _ends(first: Position, last: Position | None) -> tuple[float, ...]:
    return first + (first if last is None else last)
