"""Ways back among new requests: whether each can be that of the leg that it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from contracts.instants import MINUTE_MS
from contracts.requests import Request, TripRequest
from contracts.standing_orders import RETURN
from dispatcher.domain.decision import Decision
from dispatcher.domain.legs import planned_end_ms, refuse_odd_leg
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.windows import StartWindow
from dispatcher.store.market import MarketStore
from solvers.rides import by_hour
from solvers.travel import TravelTimes


async def refuse_odd_legs(
    stored: MarketStore,
    requests: Sequence[Request],
    decisions: Sequence[Decision],
    before: Mapping[str, RequestRecord],
    travel: TravelTimes,
) -> None:
    """Raises Invalid; `before`: what is stored of what goes before these. What is not there is told later."""
    if not any(each.way_back_of for each in requests):
        return
    new = {each.after.id: each.after for each in decisions}
    known = {**before, **new}
    backs = [each for each in new.values() if each.return_of in known]
    there = {each.return_of: known[each.return_of] for each in backs}
    after_these = [name for each in there.values() for name in each.before]
    beside = [*(await stored.requests.records.get_all(after_these)).values(), *new.values()]
    bodies = await stored.requests.bodies([name for name in there if name not in new])
    bodies |= {each.id: each for each in requests}
    for record in backs:
        leg = there[record.return_of]
        refuse_odd_leg(record, leg, beside, soonest_end_ms(leg, bodies.get(leg.id), travel))


def soonest_end_ms(record: RequestRecord, request: Request | None, travel: TravelTimes) -> int:
    """As it was agreed or offered; else by its earliest start, the time at its doors, its shortest ride."""
    if (agreed_ms := planned_end_ms(record)) or request is None:
        return agreed_ms
    return record.earliest_ms + _least_ms(request, travel)


def _least_ms(request: Request, travel: TravelTimes) -> int:
    pickup, dropoff = request.doors
    ride_s = min(by_hour(travel, pickup, dropoff)) if dropoff is not None else 0.0
    return request.onsite_minutes * MINUTE_MS + int(ride_s * 1000)


def with_ways_back(
    requests: Sequence[Request], window_of: Callable[[Request], StartWindow], travel: TravelTimes
) -> list[Request]:
    """What a standing order makes, each ride back as that of the ride there that is made with it.

    One that would begin before that can have ended is a ride by itself: nothing of it is in sequence.
    """
    there = {f"{each.id}{RETURN}": each for each in requests}

    def linked(back: Request) -> Request:
        leg = there.get(back.id)
        if leg is None or not isinstance(back, TripRequest):
            return back
        ends_ms = window_of(leg).earliest_ms + _least_ms(leg, travel)
        return replace(back, return_of=leg.id) if window_of(back).latest_ms >= ends_ms else back

    return [linked(each) for each in requests]
