"""The requests of an occurrence of a standing order: the first one's, at the clock time of another day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from contracts.geo import Window
from contracts.instants import to_instant
from contracts.local_day import DAY_MINUTES
from contracts.requests import EquipmentOrder, Request, TripRequest
from contracts.standing_orders import made_id
from contracts.tuning import Number, Parameter
from contracts.will_call import WillCall
from dispatcher.domain.recurrence import Comes
from dispatcher.domain.standing_orders import StandingOrderRecord, instant

MOST_PREFERRED = 64  # as a request may name
SAME_VENDOR = Parameter(
    name="standing_same_vendor",
    default=1,
    minimum=0,
    maximum=1,
    unit="switch",
    summary="Whether a standing order prefers the vendor that served, or took, its last occurrence.",
    scope="domain.occurrences",
)
PARAMETERS = (SAME_VENDOR,)


def begins_at(request: Request) -> datetime:
    """By which a request's day is told: when its window opens, or its appointment is."""
    return _given(request.arrive_by if request.wished_window is None else request.wished_window.earliest)


def ends_at(request: Request) -> datetime:
    """When it may start at the latest, or has to be there."""
    return _given(request.arrive_by if request.wished_window is None else request.wished_window.latest)


def _given(at: datetime | None) -> datetime:
    assert at is not None  # noqa: S101  (the contract has one of the two)
    return at


def made(
    order: StandingOrderRecord,
    first: Request,
    back: Request | None,
    comes: Comes,
    *,
    tz: ZoneInfo,
    now_ms: int,
) -> list[Request]:
    """The request of an occurrence, and its ride back if it has one, as the way back of that day's ride."""
    there = _on(order, first, comes, tz, now_ms, back=False)
    if back is None:
        return [there]
    ride_back = _on(order, back, comes, tz, now_ms, back=True)
    return [there, ride_back if there.is_trip else without_leg(ride_back)]


def with_vendor(request: Request, vendor_id: str, values: Mapping[str, Number]) -> Request:
    """The request, which prefers that vendor if tuning says so; as it is where it excludes it."""
    if not SAME_VENDOR.whole(values) or not vendor_id or vendor_id in request.excluded_vendors:
        return request
    others = tuple(each for each in request.preferred_vendors if each != vendor_id)
    return replace(request, preferred_vendors=(vendor_id, *others)[:MOST_PREFERRED])


def _on(
    order: StandingOrderRecord, leg: Request, comes: Comes, tz: ZoneInfo, now_ms: int, *, back: bool
) -> Request:
    start, later = date.fromisoformat(order.start), order.shift_minutes(comes.day)
    on = comes.on or comes.day

    def then(at: datetime) -> datetime:
        return instant(at, start, on, tz, later)

    match_by = then(leg.match_by) if leg.match_by is not None else None
    if match_by is not None and match_by <= to_instant(now_ms):
        match_by = None  # made too late for it: by the end of the window
    named = replace(leg, id=made_id(order.id, comes.day, back=back), match_by=match_by)
    window = _window(named.wished_window, then)
    if isinstance(named, EquipmentOrder):
        return replace(named, window=window)
    appointment = None if named.appointment_at is None else then(named.appointment_at)
    call = None if named.will_call is None else _call(named.will_call, on, later, then)
    there = made_id(order.id, comes.day) if back else None
    made: TripRequest = replace(
        named, pickup_window=window, appointment_at=appointment, will_call=call, return_of=there
    )
    return made


def without_leg(back: Request) -> Request:
    """A ride back whose leg there is not made with it: a ride of its own."""
    return replace(back, return_of=None) if isinstance(back, TripRequest) else back


def by_itself(request: Request) -> Request:
    """The request without what it belongs to: better that than nothing, where it cannot belong there."""
    return replace(without_leg(request), episode=None)


def _call(call: WillCall, on: date, later_minutes: int, then: Callable[[datetime], datetime]) -> WillCall:
    """On that day, or so many whole days later as the ride there is; `until` at its clock time."""
    day = on + timedelta(days=int(later_minutes / DAY_MINUTES))
    return WillCall(day=day, until=None if call.until is None else then(call.until))


def _window(window: Window | None, then: Callable[[datetime], datetime]) -> Window | None:
    if window is None:
        return None
    earliest, latest = then(window.earliest), then(window.latest)
    is_skipped = latest == then(window.latest + timedelta(seconds=1))
    if latest <= earliest or is_skipped:  # it ends in an hour that the clock skips: as wide as ever
        latest = earliest + (window.latest - window.earliest)
    return Window(earliest=earliest, latest=latest)
