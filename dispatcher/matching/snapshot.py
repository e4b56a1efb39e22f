"""What the matcher sees of one market at one moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from contracts.requests import Request
from contracts.tuning import Number, Parameter, Tuning
from contracts.vendors import Vendor
from dispatcher.domain.decisions.offer import exhausted
from dispatcher.domain.proposal import Precondition
from dispatcher.domain.record import RequestRecord
from dispatcher.domain.states import OPEN
from dispatcher.domain.windows import start_window
from dispatcher.matching.capacity import CapacityBook
from dispatcher.matching.changes import Changes
from dispatcher.service.rides import ride_s
from solvers.encoding import VendorBook, encode
from solvers.horizon import Horizon, local_day
from solvers.screening import OpenRequest, Screening
from solvers.travel import DetourTravel, TravelOf

HORIZON = Parameter(
    name="horizon_hours",
    default=48,
    minimum=1,
    maximum=336,
    unit="hours",
    summary="Requests whose window starts later than this from now wait for a later batch.",
    scope="matching.snapshot",
)
PARAMETERS = (HORIZON,)
_HOUR_MS = 3_600_000
Waiting = tuple[RequestRecord, OpenRequest]  #: a request that waits for a vendor, both ways


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Open requests, vendors and what is left of their capacity; `records` and `asked` go together."""

    records: tuple[RequestRecord, ...]
    asked: tuple[OpenRequest, ...]
    book: VendorBook
    capacity: CapacityBook
    tuning: Tuning
    now_ms: int
    travel_of: TravelOf = DetourTravel.of
    versions: Mapping[tuple[str, str], int] = field(default_factory=dict)  #: by vendor and day ("": itself)
    changes: Changes = field(default_factory=Changes)

    @property
    def values(self) -> Mapping[str, Number]:
        """The tuning in force."""
        return self.tuning.values

    def vendor(self, row: int) -> Vendor:
        """The vendor of a row."""
        return self.book.vendors[row]

    def preconditions(self, vendor_id: str, days: Iterable[str]) -> tuple[Precondition, ...]:
        """What a match with this vendor on these days rests on."""
        documents = [(vendor_id, day) for day in ("", *days)]
        return tuple(Precondition(*each, self.versions.get(each, 0)) for each in documents)

    def screening(self) -> Screening:
        """As arrays."""
        supply, horizon = self.capacity.supply, self.capacity.horizon
        return encode(
            self.asked,
            self.book,
            supply,
            horizon,
            now_ms=self.now_ms,
            values=self.values,
            travel=self.travel_of(self.values),
        )


def open_request(
    record: RequestRecord,
    request: Request,
    changes: Changes,
    values: Mapping[str, Number],
    travel_of: TravelOf = DetourTravel.of,
) -> OpenRequest:
    """A stored request that waits for a vendor."""
    declined_by = changes.declined_by(record)
    return asked_of(request, changes.tz, values, declined_by=declined_by, travel_of=travel_of)


def asked_of(
    request: Request,
    tz: ZoneInfo,
    values: Mapping[str, Number],
    declined_by: frozenset[str] = frozenset(),
    travel_of: TravelOf = DetourTravel.of,
) -> OpenRequest:
    """A request with the window on its start; an appointment is reached by the estimated ride."""
    window = start_window(request, values, travel_s=ride_s(request, tz, travel_of(values)))
    return OpenRequest(
        request=request, earliest_ms=window.earliest_ms, latest_ms=window.latest_ms, declined_by=declined_by
    )


def may_be_offered(record: RequestRecord, now_ms: int, values: Mapping[str, Number]) -> bool:
    """Open, before its deadline, with offers left, and its window starts within the horizon."""
    timely = now_ms < record.match_by_ms and record.earliest_ms <= reach_ms(now_ms, values)
    return timely and record.state in OPEN and not exhausted(record, values)


def reach_ms(now_ms: int, values: Mapping[str, Number]) -> int:
    """What opens later waits for a later batch."""
    return now_ms + HORIZON.whole(values) * _HOUR_MS


def horizon_of(tz: ZoneInfo, now_ms: int, values: Mapping[str, Number], until_ms: int = 0) -> Horizon:
    """Today to the day after the horizon: what starts on its last day may end on the next.

    `until_ms`: look as far as this, though no farther than the horizon could be tuned.
    """
    first = local_day(now_ms, tz)
    most_ms = now_ms + int(HORIZON.maximum) * _HOUR_MS
    end_ms = max(reach_ms(now_ms, values), min(until_ms, most_ms))
    last = local_day(end_ms, tz) + timedelta(days=1)
    return Horizon.of(tz, first, (last - first).days + 1)


def received_first(records: Sequence[RequestRecord]) -> list[RequestRecord]:
    """In a stable order: as they came, then by id."""
    return sorted(records, key=lambda record: (record.received_ms, record.id))
