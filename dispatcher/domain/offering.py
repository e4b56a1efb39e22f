"""A match as an offer of now, in the mode in which its request is offered."""

from __future__ import annotations

from contracts.codes import OfferState
from contracts.matches import RunnerUp
from contracts.offer_modes import OfferMode
from contracts.vendors import AssumedAnswer, ExplicitAnswer
from dispatcher.domain.cascade import ChainLink
from dispatcher.domain.context import Context
from dispatcher.domain.offer_expiry import answer_expiry
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.requests import RequestRecord

SAYS_SO = frozenset({OfferMode.EXPLICIT, OfferMode.BROADCAST})  # whoever is asked has to say yes


def offer_of(
    record: RequestRecord,
    link: ChainLink,
    context: Context,
    mode: OfferMode | None = None,
    *,
    attempt: int = 0,
    runners_up: tuple[RunnerUp, ...] = (),
) -> OfferRecord:
    """The offer; of a broadcast it books nothing yet. `attempt`: its number; 0: the next one."""
    answer = _answer(link, mode)
    books = mode is not OfferMode.BROADCAST
    return OfferRecord(
        attempt=attempt or len(record.offers) + 1,
        vendor_id=link.vendor_id,
        pool_id=link.pool_id,
        state=OfferState.REQUESTED,
        made_ms=context.now_ms,
        expires_ms=answer_expiry(record, answer, context.now_ms, context.values, accepts=link.accepts),
        start_ms=link.start_ms,
        end_ms=link.end_ms,
        price_cents=link.price_cents,
        assumed=isinstance(answer, AssumedAnswer),
        bookings=link.bookings if books else (),
        tuning_version=link.tuning_version,
        snapshot=link.snapshot,
        terms=link.terms,
        runners_up=runners_up,
        distance_m=link.distance_m,
        mode=mode.value if mode else "",
        wants=() if books else link.bookings,
        price_lines=link.price_lines,
        rates=link.rates,
    )


def _answer(link: ChainLink, mode: OfferMode | None) -> ExplicitAnswer | AssumedAnswer:
    return ExplicitAnswer(time_limit_s=link.answer_s) if mode in SAYS_SO else link.answer
