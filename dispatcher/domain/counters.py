"""A counter-offer: what is kept of it on its offer, how it differs, and which are taken by themselves."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from contracts.codes import LevelOfService
from contracts.counters import CounterChanged, CounterRefused, CounterState, CounterView
from contracts.instants import MINUTE_MS, to_instant
from contracts.tuning import Number, Parameter
from dispatcher.domain.amendments import Placed
from dispatcher.domain.compact import Compact
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Message
from dispatcher.domain.offers import OfferRecord, Terms
from dispatcher.domain.refusals import DoesNotFit
from dispatcher.domain.requests import RequestRecord, offer_id

TAKE = Parameter(
    name="counter_take_cents",
    default=0,
    minimum=-1,
    maximum=100_000,
    unit="cents",
    summary="A counter-offer within the request's window, at the level that was offered, is taken by itself "
    "if it costs no more than this beyond the offer; -1: a person decides on each.",
    scope="domain.counters",
)
PARAMETERS = (TAKE,)
L = LevelOfService
CARRIES: Mapping[str, frozenset[LevelOfService]] = {  # what else may come for somebody who asked for a level
    L.AMBULATORY: frozenset(L) - {L.AMBULATORY},
    L.WHEELCHAIR: frozenset({L.BARIATRIC_WHEELCHAIR, L.STRETCHER, L.BLS, L.ALS, L.CCT}),
    L.BARIATRIC_WHEELCHAIR: frozenset({L.BLS, L.ALS, L.CCT}),
    L.STRETCHER: frozenset({L.BLS, L.ALS, L.CCT}),
    L.BLS: frozenset({L.ALS, L.CCT}),
    L.ALS: frozenset({L.CCT}),
}
COUNTERED = "countered"  # the code of the step in the request's history


class Wish(Compact, frozen=True):
    """What a vendor would do, whole: what it left out is as it was offered. `level` "": as asked for."""

    start_ms: int
    price_cents: int
    level: str = ""


def offered(offer: OfferRecord) -> Wish:
    """What the offer says."""
    return Wish(offer.start_ms, offer.price_cents)


def wish_of(terms: Terms) -> Wish:
    """What was countered."""
    return Wish(terms.start_ms, terms.price_cents, terms.level)


def outside_ms(record: RequestRecord, start_ms: int) -> int:
    """How far a start lies outside the request's window."""
    return max(0, record.earliest_ms - start_ms, start_ms - record.latest_ms)


def where_it_stands(offer: OfferRecord) -> Placed:
    """The place of an offer of which only the price is countered: it has it already, or asks for it."""
    return Placed(
        offer.pool_id,
        offer.start_ms,
        offer.end_ms,
        offer.price_cents,
        offer.bookings or offer.wants,
        offer.distance_m,
        offer.price_lines,
    )


def refuse_other_kind(record: RequestRecord, level: str) -> None:
    """Raises DoesNotFit for a vehicle that does not carry what was asked for."""
    asked = record.service_class
    if level in ("", asked) or level in CARRIES.get(asked, ()):
        return
    fit = ", ".join(sorted(CARRIES.get(asked, ())))
    hint = f"Maybe one of: {fit}." if fit else "Maybe leave it out: it is what was asked for, or nothing."
    raise DoesNotFit(
        f"a vehicle of level {level} does not carry what was asked for: {asked}\n{hint}",
        rules=["level_of_service"],
    )


def is_taken_by_itself(
    record: RequestRecord, offer: OfferRecord, wish: Wish, values: Mapping[str, Number]
) -> bool:
    """Whether nobody need be asked: within the window, at the level offered, for hardly more.

    While a broadcast collects, others may say yes to what was offered: a person decides. So for less than
    half of what was offered: a digit may be missing.
    """
    most = TAKE.whole(values)
    cheap = most >= 0 and offer.price_cents <= 2 * wish.price_cents <= 2 * (offer.price_cents + most)
    alone = not record.collect_ms
    return alone and cheap and not wish.level and not outside_ms(record, wish.start_ms)


def view(record: RequestRecord, offer: OfferRecord) -> CounterView | None:
    """The latest counter-offer of an offer, beside it."""
    terms = offer.counter
    if terms is None:
        return None
    lapsed = terms.state is CounterState.PENDING and not offer.unanswered
    return CounterView(
        offer_id=offer_id(record, offer),
        number=terms.number,
        state=CounterState.LAPSED if lapsed else terms.state,
        start_at=to_instant(terms.start_ms),
        price_cents=terms.price_cents,
        level_of_service=LevelOfService(terms.level) if terms.level else None,
        made_at=to_instant(terms.made_ms),
        expires_at=to_instant(offer.expires_ms),
        start_shift_minutes=(terms.start_ms - terms.offered_start_ms) // MINUTE_MS,
        outside_window_minutes=-(-terms.outside_ms // MINUTE_MS),
        more_cents=terms.price_cents - terms.offered_cents,
    )


def countered(record: RequestRecord, offer: OfferRecord, wish: Wish, context: Context) -> OfferRecord:
    """The offer with a counter-offer, in place of one that it had."""
    before = offer.counter
    terms = Terms(
        number=before.number + 1 if before else 1,
        state=CounterState.PENDING,
        start_ms=wish.start_ms,
        price_cents=wish.price_cents,
        level=wish.level,
        made_ms=context.now_ms,
        offered_start_ms=offer.start_ms,
        offered_cents=offer.price_cents,
        outside_ms=outside_ms(record, wish.start_ms),
    )
    return replace(offer, counter=terms, assumed=False)  # who counters is not silent


def settled(offer: OfferRecord, state: CounterState) -> OfferRecord:
    """The offer with its counter-offer answered."""
    assert offer.counter is not None  # noqa: S101  (looked at by the caller)
    return replace(offer, counter=replace(offer.counter, state=state))


def told(record: RequestRecord, offer: OfferRecord, what: str, by: str) -> Message:
    """To all who follow requests: a counter-offer was made, taken or refused."""
    counter = view(record, offer)
    assert counter is not None  # noqa: S101  (it was made)
    data = CounterChanged(request_id=record.id, vendor_id=offer.vendor_id, counter=counter, by=by)
    return Message(type=f"dispatch.counter.{what}", subject=record.id, data=data)


def told_refused(record: RequestRecord, offer: OfferRecord) -> Message:
    """To its vendor."""
    assert offer.counter is not None  # noqa: S101  (it was made)
    name = offer_id(record, offer)
    data = CounterRefused(offer_id=name, number=offer.counter.number)
    return Message(type="dispatch.offer.counter_refused", subject=name, data=data, vendor_id=offer.vendor_id)
