"""Whether each occurrence of a standing order was made once, and none left out, as it is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from zoneinfo import ZoneInfo

from contracts.standing_orders import OnHoliday, StandingOrderState, made_id
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.standing_orders import STANDING_ORDER, Dealt, StandingOrderRecord, occurrences
from dispatcher.store.survey import Survey

UTC = ZoneInfo("UTC")  # days follow from rule and start in any zone; only where a rule ends needs its own
Finding = tuple[str, str]


def out_of_order(found: Survey) -> Iterator[Finding]:
    """A day is dealt with once, with the ids that follow from it; and each before the last, in its turn."""
    orders = found.of_kind(STANDING_ORDER, StandingOrderRecord)
    requests = found.of_kind(REQUEST_KIND, RequestRecord)
    for order in orders.values():
        for day, times in Counter(each.day for each in order.dealt).items():
            if times > 1:
                yield order.id, f"has dealt with {day} {times} times"
        for each in order.dealt:
            yield from _odd_ids(order, each)
        yield from _left_out(order, requests)
    for record in requests.values():
        made_by = orders.get(record.standing_order)
        if made_by is not None and _is_unknown_to(record, made_by):
            yield record.id, f"was made by standing order {made_by.id}, which does not say so"


def _odd_ids(order: StandingOrderRecord, dealt: Dealt) -> Iterator[Finding]:
    day = date.fromisoformat(dealt.day)
    expected = {made_id(order.id, day, back=back) for back in (False, True)}
    for name in dealt.request_ids:
        if name not in expected:
            yield order.id, f"made {name} for {dealt.day}"


def _left_out(order: StandingOrderRecord, requests: Mapping[str, RequestRecord]) -> Iterator[Finding]:
    """A day between those that are dealt with, that is not: its requests are late, or will not be made.

    Not one that came to be as the order was put anew: then its timer was due before the last were made.
    """
    if not order.dealt or (order.holidays is not None and order.holidays.then is not OnHoliday.KEEP):
        return  # what moves off a holiday may be made before what comes earlier
    last, dealt = order.dealt[-1], order.dealt_days
    made = [requests[each] for each in last.request_ids if each in requests]
    if order.state is not StandingOrderState.ACTIVE or not made or order.timer_ms <= made[0].received_ms:
        return
    for each in occurrences(order, UTC, date.fromisoformat(order.since)):
        if each.day >= max(dealt):
            return
        if each.day not in dealt:
            yield order.id, f"has not dealt with {each.day}, and has with {last.day}"


def _is_unknown_to(record: RequestRecord, order: StandingOrderRecord) -> bool:
    """Whether the order should name it, and does not; days long past it names no more."""
    kept = min((each.day for each in order.dealt), default=order.since)
    known = {name for each in order.dealt for name in each.request_ids}
    return record.id not in known and record.id >= made_id(order.id, date.fromisoformat(kept))
