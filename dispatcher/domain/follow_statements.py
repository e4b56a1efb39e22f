"""A dispatch that ends stands in its vendor's statement, in the same commit; what is settled later, too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date

from msgspec.structs import replace

from contracts.codes import OfferState, TrackingStatus
from contracts.instants import MINUTE_MS
from contracts.statements import WorkEnd
from dispatcher.domain.authorizations import AuthorizationRecord, record_id
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.prices import Dispute, Line, charged, lines_of, place_of, waited_ms
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.statements import (
    DISPUTE,
    ENDS,
    MONTHS,
    Billed,
    Item,
    is_over,
    kept_ms,
    local_day,
    negated,
)


def with_statements(decision: Decision, context: Context) -> Decision:
    """The decision with what it adds to statements; as it is where no dispatch ends, or is priced anew."""
    found = [billed for change in decision.changes for billed in _of(change, context)]
    return replace(decision, billed=(*decision.billed, *found)) if found else decision


def _of(change: Change, context: Context) -> Iterator[Billed]:
    before, after = change.before, change.after
    if not (isinstance(before, RequestRecord) and isinstance(after, RequestRecord)):
        return
    if before.offers is after.offers:
        return
    known = {each.attempt: each for each in before.offers}
    for offer in after.offers:
        was = known.get(offer.attempt)
        if was is None or was is offer or offer.live:
            continue
        if not was.live:
            yield from _afterwards(after, was, offer, context)
        elif was.state is OfferState.ACCEPTED or is_over(offer):
            yield _billed(offer, context, offer_id(after, offer), _item(after, offer, context))
            yield from _disputed(after, offer, context, ())


def _afterwards(
    after: RequestRecord, was: OfferRecord, offer: OfferRecord, context: Context
) -> Iterator[Billed]:
    """What became of a price after the work was over."""
    lines = tuple(_difference(charged(was) or (), charged(offer) or ()))
    if lines:
        item = replace(_item(after, offer, context), lines=lines)
        name = f"{offer_id(after, offer)}.{after.version}"
        yield _billed(offer, context, name, item, day_ms=context.now_ms)
    yield from _disputed(after, offer, context, was.disputes)


def _difference(was: Iterable[Line], now: Iterable[Line]) -> Iterator[Line]:
    """Lines that are no more, taken back, and those that were not before."""
    before, after = Counter(was), Counter(now)
    for each in (before - after).elements():
        yield negated(each)
    yield from (after - before).elements()


def _disputed(
    after: RequestRecord, offer: OfferRecord, context: Context, known: tuple[Dispute, ...]
) -> Iterator[Billed]:
    """Each line that is disputed from now on, or no more; of the day of the work, as long as that is kept."""
    if _kept_ms(local_day(offer.start_ms, context.tz), context) <= 0:
        return
    was = {number for number, each in enumerate(known, 1) if each.open}
    for number, each in enumerate(offer.disputes, 1):
        if each.open is not (number in was):
            item = Item(each.at_ms, offer.start_ms, _end(offer), (_line(offer, each),))
            name = f"{offer_id(after, offer)}.{DISPUTE}{number}"
            yield _billed(offer, context, name, item if each.open else None)


def _line(offer: OfferRecord, said: Dispute) -> Line:
    """The line that is disputed, as it is by now: it may have grown since."""
    place = place_of(offer, said)
    return Line(said.kind, said.cents) if place is None else lines_of(offer)[place]


def _billed(
    offer: OfferRecord, context: Context, name: str, item: Item | None, *, day_ms: int | None = None
) -> Billed:
    """On the day of the agreed start, if no other is said; today, where that is kept no more."""
    day = local_day(offer.start_ms if day_ms is None else day_ms, context.tz)
    if _kept_ms(day, context) <= 0:
        day = local_day(context.now_ms, context.tz)
    return Billed(offer.vendor_id, day.isoformat(), name, item, _kept_ms(day, context))


def _kept_ms(day: date, context: Context) -> int:
    return kept_ms(day, MONTHS.whole(context.values), context.now_ms, context.tz)


def _item(record: RequestRecord, offer: OfferRecord, context: Context) -> Item:
    asked = record.authorization
    name = asked.authorization if asked is not None else ""
    found = context.related.get(record_id(name)) if name else None
    issued = found if isinstance(found, AuthorizationRecord) else None
    return Item(
        at_ms=context.now_ms,
        start_ms=offer.start_ms,
        end=_end(offer),
        lines=charged(offer) or (),
        service=offer.level or record.service_class,
        payer=record.charged_to or (issued.payer if issued is not None else ""),
        code=offer.code,
        distance_m=offer.distance_m,
        waited_minutes=waited_ms(offer.waits, offer) // MINUTE_MS,
        authorization=name,
        number=issued.number if issued is not None else "",
        reference=offer.reference,
    )


def _end(offer: OfferRecord) -> WorkEnd:
    nobody = offer.status is TrackingStatus.NO_SHOW and offer.state is OfferState.COMPLETED
    return WorkEnd.NO_SHOW if nobody else ENDS[offer.state]
