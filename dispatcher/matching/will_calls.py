"""Room for will-calls that nobody has called yet, kept free in batches as such calls came before.

Each of a share of them is planned as if it were called at an hour of the day, so that the hours of all fall
as calls fell before; what these plans take, a batch leaves free. Imminent requests, a will-call that is
called first of all, take what is left: nobody near is turned away for a call that may never come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from contracts.instants import HOUR_MS, to_instant
from contracts.local_day import LocalDay
from contracts.requests import Request, TripRequest
from contracts.tuning import Parameter
from dispatcher.decisions.record import KEPT_FREE
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.scorecards import months
from dispatcher.domain.will_call import HOUR_MIN, DayKind, called_window
from dispatcher.matching.market import Market
from dispatcher.matching.snapshot import Snapshot
from dispatcher.matching.unplanned import planning
from dispatcher.store.calls import HOURS, Calls
from solvers.planning import BatchPlan, plan
from solvers.screening import OpenRequest, Screening
from solvers.travel import TravelTimes

SHARE = Parameter(
    name="will_call_reserve_share",
    default=0.5,
    minimum=0.0,
    maximum=1.0,
    unit="share",
    summary="Batches leave room for this share of the will-calls that nobody has called yet, at the hours at "
    "which such calls came before; 0: for none.",
    scope="matching.will_calls",
)
PARAMETERS = (SHARE,)
MOST = 500  # will-calls looked at: some ten milliseconds of a batch
MOST_AT_DOOR = 480  # minutes, as the contract has it


class Hour(NamedTuple):
    """An hour of a day's clock: when it begins, and how many calls came in it before."""

    start_ms: int
    calls: int


async def keep_room(market: Market, snapshot: Snapshot, travel: TravelTimes) -> int:
    """Take of what is left in the snapshot what will-calls are expected to need; for how many that was.

    What stands already keeps its place: room is sought beside it.
    """
    share, until_ms = float(SHARE.of(snapshot.values)), snapshot.capacity.horizon.end_ms
    if not share or not (ids := await market.stored.requests.will_calls(until_ms, MOST)):
        return 0
    some = market.requests.unplanned.others(ids, key=str)
    calls = await market.stored.calls.of(months(snapshot.now_ms))
    records, bodies = await asyncio.gather(
        market.stored.requests.records.get_all(some), market.stored.requests.bodies(some)
    )
    known = Waiting(tuple(records.values()), bodies, calls, market.tz)
    made = await asyncio.to_thread(take_room, snapshot, travel, known)
    if made is None:
        return 0
    market.save(KEPT_FREE, *made, became=dict.fromkeys((each.id for each in known.records), KEPT_FREE))
    return len(made.plan.chosen)


class Waiting(NamedTuple):
    """Will-calls that may not be called yet, what they ask for, and how calls fell before."""

    records: Sequence[RequestRecord]
    bodies: Mapping[str, Request]
    calls: Calls
    tz: ZoneInfo


class Foreseen(NamedTuple):
    """What room was kept by."""

    snapshot: Snapshot
    screening: Screening
    plan: BatchPlan


def take_room(snapshot: Snapshot, travel: TravelTimes, known: Waiting) -> Foreseen | None:
    """The same for these will-calls, of which some may have been called meanwhile; None: none is expected."""
    bodies, share = known.bodies, float(SHARE.of(snapshot.values))
    waiting = [each for each in known.records if each.waits_for_call and each.id in bodies]
    expected = foreseen(share_of_days(waiting, share), bodies, known.calls, snapshot, known.tz)
    if not expected:
        return None
    reading = snapshot.reading
    beside = Snapshot((), expected, reading, reading.capacity.copy(), snapshot.now_ms, travel)
    with planning(beside):
        screening = beside.screening()
        found = plan(screening)
    for row in range(len(found.chosen)):
        one = found.chosen.at(row)
        vendor_id, free_ms = snapshot.vendors[one.vendor].id, one.start_ms + one.taken_ms
        snapshot.capacity.take(snapshot.capacity.bookings(vendor_id, one.resource, one.start_ms, free_ms))
    return Foreseen(beside, screening, found)


def share_of_days(waiting: Iterable[RequestRecord], share: float) -> list[list[RequestRecord]]:
    """Of the will-calls of each day so many, spread evenly; of one alone, itself from a half on."""
    in_order = sorted(waiting, key=lambda each: (each.earliest_ms, each.id))
    days = [list(some) for _, some in groupby(in_order, lambda each: each.earliest_ms)]
    marks = [[int(place * share + 0.5) for place in range(len(day) + 1)] for day in days]
    return [
        [each for each, last, mark in zip(day, some, some[1:], strict=False) if mark > last]
        for day, some in zip(days, marks, strict=True)
    ]


def foreseen(
    days: Iterable[Sequence[RequestRecord]],
    bodies: Mapping[str, Request],
    calls: Calls,
    snapshot: Snapshot,
    tz: ZoneInfo,
) -> list[OpenRequest]:
    """These will-calls, each day's together, each with the window that it might be called for.

    At hours that part the calls of before evenly; none where nothing is known, or they should have come.
    """
    found = []
    for records in days:
        for place, record in enumerate(records):
            day = LocalDay.of(to_instant(record.earliest_ms).astimezone(tz).date(), tz)
            hours = [each for each in _hours(day, calls) if _may_come(each, record, snapshot.now_ms)]
            start_ms = _quantile(hours, (place + 0.5) / len(records))
            if start_ms is not None:
                window = called_window(max(start_ms, snapshot.now_ms), snapshot.values)
                found.append(OpenRequest(request=_over_the_hour(bodies[record.id]), **window._asdict()))
    return found


def _hours(day: LocalDay, calls: Calls) -> list[Hour]:
    """The day's hours with the calls of days of its kind; where there were none, of any day."""
    kind = DayKind.of(day.day)
    known = [calls[kind, hour] for hour in range(HOURS)]
    if not sum(known):
        known = [sum(calls[each, hour] for each in DayKind) for hour in range(HOURS)]
    spans = [day.instants(hour * HOUR_MIN, (hour + 1) * HOUR_MIN) for hour in range(HOURS)]
    return [Hour(span[0][0], count) for span, count in zip(spans, known, strict=True) if span]


def _may_come(hour: Hour, record: RequestRecord, now_ms: int) -> bool:
    """Whether the will-call may be called in it yet."""
    return hour.start_ms + HOUR_MS > now_ms and hour.start_ms < record.latest_ms


def _quantile(hours: Sequence[Hour], at: float) -> int | None:
    """When the hour begins by the end of which this share of the calls has come; None: none came."""
    totals = list(accumulate(each.calls for each in hours))
    if not totals or not totals[-1]:
        return None
    return next(each.start_ms for each, total in zip(hours, totals, strict=True) if total >= at * totals[-1])


def _over_the_hour(request: Request) -> Request:
    """The same ride, an hour longer at its doors: in that hour it may be called at any minute."""
    if not isinstance(request, TripRequest):
        return request
    return replace(request, service_minutes=min(request.service_minutes + HOUR_MIN // 2, MOST_AT_DOOR))
