"""Ways back among new requests: whether each can be that of the leg that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contracts.instants import MINUTE_MS
from contracts.requests import Request
from dispatcher.domain.decision import Decision
from dispatcher.domain.legs import planned_end_ms, refuse_odd_leg
from dispatcher.domain.requests import RequestRecord
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
    pickup, dropoff = request.doors
    ride_s = min(by_hour(travel, pickup, dropoff)) if dropoff is not None else 0.0
    return record.earliest_ms + request.onsite_minutes * MINUTE_MS + int(ride_s * 1000)
