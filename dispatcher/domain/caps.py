"""Caps per payer and vendor: what is counted against them, and how they are stored.

What an offer holds is counted in the commit that books it, beside the ledger of its pool, and given back as
that is. Counts and limits are hashes that the store checks; the record here is who set which cap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from contracts.caps import Cap, CapPeriod
from contracts.instants import DAY_MS
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.kinds import Entry, Kind, register
from dispatcher.domain.requests import RequestRecord

CAPPED: Final = "capped"  # the list of vendors with caps
AWAKE_MS: Final = 365 * DAY_MS  # nothing is due of it
GONE: Final = "gone"  # behind the fields of what is counted of requests that are forgotten
LENGTHS: Final[Mapping[CapPeriod, int]] = {  # of an ISO day, so much names the period
    CapPeriod.DAY: 10,
    CapPeriod.MONTH: 7,
    CapPeriod.YEAR: 4,
}
UNITS: Final = ("trips", "cents")
OfPayer = tuple[Any, Any]  #: before and after of a request that names who pays


class Charged(NamedTuple):
    """Whose count: a vendor's for a payer on a day (ISO)."""

    vendor_id: str
    payer: str
    day: str


class Charge(NamedTuple):
    """What a commit adds to it; `gone`: nothing, it is only told that its request is forgotten."""

    to: Charged
    trips: int
    cents: int
    gone: bool = False


class CapRecord(Record, frozen=True, tag=1):
    """Who set which caps for one vendor; its id is the vendor's."""

    caps: tuple[Cap, ...]
    timer_ms: int
    by: str = ""
    subject: str = ""


def held(record: RequestRecord) -> Mapping[Charged, tuple[int, int]]:
    """What its offers hold, in trips and cents: those that are booked, and work that was done."""
    trips, cents = Counter[Charged](), Counter[Charged]()
    payer = record.charged_to
    for offer in record.offers if payer else ():
        day = next((each.day for each in offer.bookings if each.daily), "")
        if day:
            to = Charged(offer.vendor_id, payer, day)
            trips[to] += 1
            cents[to] += max(0, offer.price_cents)
    return {to: (count, cents[to]) for to, count in trips.items()}


def charges(changes: Iterable[OfPayer]) -> list[Charge]:
    """What these changes add, what is given back first: so work may move within a full cap."""
    added = Counter[Charged](), Counter[Charged]()
    forgotten = list[Charge]()
    for before, after in changes:
        if after is None and before is not None:
            forgotten += [Charge(to, *amounts, gone=True) for to, amounts in held(before).items()]
            continue
        for sign, record in ((-1, before), (1, after)):
            for to, amounts in held(record).items() if record is not None else ():
                for unit, amount in zip(added, amounts, strict=True):
                    unit[to] += sign * amount
    trips, cents = added
    found = [Charge(to, trips[to], cents[to]) for to in trips.keys() | cents.keys()]
    found = [each for each in found if each.trips or each.cents]
    return [*sorted(found, key=lambda each: (each.trips, each.cents, each.to)), *forgotten]


def dearer(changes: Iterable[OfPayer]) -> frozenset[Charged]:
    """Whose count grows because an offer is taken for more than it was made for: its vendor countered."""
    found = set[Charged]()
    for before, after in changes:
        was = {each.attempt: each for each in before.offers if each.unanswered} if before is not None else {}
        for offer in after.offers if after is not None else ():
            asked = was.get(offer.attempt)
            if asked is None or not offer.live or offer.unanswered or offer.price_cents <= asked.price_cents:
                continue
            days = [each.day for each in offer.bookings if each.daily]
            found |= {Charged(offer.vendor_id, after.charged_to, each) for each in days[:1]}
    return frozenset(found)


def changes_of_requests(changes: Iterable[Change]) -> list[OfPayer]:
    """Those of requests that name who pays."""
    return [(each.before, each.after) for each in changes if _pays(each.before) or _pays(each.after)]


def _pays(record: Record | None) -> bool:
    return isinstance(record, RequestRecord) and bool(record.charged_to)


def field(payer: str, day: str, period: CapPeriod, unit: str) -> str:
    """Where what is used stands among the counts of a vendor and year."""
    return f"{payer}:{day[: LENGTHS[period]]}:{unit}"


def fields(to: Charged) -> list[str]:
    """All of one charge: trips and cents of its day, month and year."""
    return [field(to.payer, to.day, period, unit) for period in CapPeriod for unit in UNITS]


def span(day: date, period: CapPeriod) -> tuple[date, date]:
    """First and last day of the period that a day lies in."""
    if period is CapPeriod.DAY:
        return day, day
    if period is CapPeriod.YEAR:
        return day.replace(month=1, day=1), day.replace(month=12, day=31)
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _awake(record: CapRecord, context: Context) -> Decision | None:
    if record.timer_ms > context.now_ms:
        return None
    after = replace(record, version=record.version + 1, timer_ms=context.now_ms + AWAKE_MS)
    return Decision(changes=(Change(record, after),), at_ms=context.now_ms)


CAP_KIND = register(
    Kind(
        name="cap",
        form=CapRecord,
        key="cap",
        timers="timers:cap",
        timer_ms=lambda record: record.timer_ms,
        lists=lambda record: {Entry(CAPPED, record.id): 0} if record.caps else {},
        may_become=lambda before, after: after is not None,
        on_timer=_awake,
        ids_of_others=True,
    )
)
