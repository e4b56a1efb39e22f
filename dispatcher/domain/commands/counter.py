"""offered → offered, or accepted: a vendor would do the work otherwise than it was offered.

What is bounded by tuning is taken by itself; on anything else a person decides, and the offer stays good
until its time meanwhile. No counter-offer is made that its vendor's own rules or capacity do not allow.
"""

from __future__ import annotations

from msgspec.structs import replace

from contracts.codes import OfferState, Role
from contracts.counters import MAX_COUNTERS, Counter, CounterState
from contracts.instants import to_instant, to_ms
from dispatcher.domain.amended_authorization import uncovered
from dispatcher.domain.amendments import Placed
from dispatcher.domain.commands.accept import taken_on
from dispatcher.domain.commands.subjects import OnOffer
from dispatcher.domain.commands.table import REQUEST, Command, decides
from dispatcher.domain.context import Context
from dispatcher.domain.counters import (
    COUNTERED,
    Wish,
    countered,
    is_taken_by_itself,
    offered,
    settled,
    told,
    wish_of,
)
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.links import Span
from dispatcher.domain.messages import changed
from dispatcher.domain.needed import needed_now
from dispatcher.domain.offers import OfferRecord, bookings_of
from dispatcher.domain.prices import agreed_at
from dispatcher.domain.proposal import Precondition
from dispatcher.domain.refusals import DoesNotFit, Invalid, WrongState
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.scorecards import Outcome, outcome_of
from dispatcher.domain.sequence import out_of_sequence

CAPACITY, SEQUENCE, CAP = "capacity", "sequence", "cap"  # as the rules of `solvers.rules` are called


class CounterOffer(OnOffer, frozen=True, kw_only=True):
    """The vendor would do it so; what is None stays as it was offered.

    `placed`: where that would be booked, by its rules and capacity; None while it has to be worked out.
    """

    start_ms: int | None = None
    price_cents: int | None = None
    level: str = ""
    placed: Placed | None = None
    preconditions: tuple[Precondition, ...] = ()
    room: bool = True

    @classmethod
    def of(cls, offer_id: str, said: Counter) -> CounterOffer:
        """As its vendor says it."""
        return cls(
            offer_id=offer_id,
            start_ms=None if said.start_at is None else to_ms(said.start_at),
            price_cents=said.price_cents,
            level=said.level_of_service.value if said.level_of_service else "",
        )

    @property
    def if_full(self) -> Command:
        """Another took what it would need."""
        return replace(self, room=False)

    def wish(self, offer: OfferRecord, asked_level: str = "") -> Wish:
        """All of it. Without a price, for another time or level, what the vendor's own card says."""
        placed = self.placed
        usual = placed.price_cents if placed is not None else offer.price_cents
        same = self.start_ms in (None, offer.start_ms) and self.level in ("", asked_level)
        return Wish(
            start_ms=offer.start_ms if self.start_ms is None else self.start_ms,
            price_cents=self.price_cents
            if self.price_cents is not None
            else (offer.price_cents if same else usual),
            level="" if self.level == asked_level else self.level,
        )


@decides(CounterOffer, REQUEST, roles={Role.VENDOR})
def counter(record: RequestRecord, command: CounterOffer, context: Context) -> Decision | None:
    """Take it, or ask a person; None when the vendor has said the same and nobody has answered.

    Raises NotFound unless the offer is that vendor's, WrongState when it is not open any more, or there were
    too many; Invalid when nothing would be otherwise; DoesNotFit for want of room, or out of sequence.
    """
    offer = record.offer_named(command.offer_id, context.vendor_id)
    if _is_taken_so(offer, command, record.service_class):
        return None
    wish = command.wish(offer, record.service_class)
    refuse_closed(record, offer, command.offer_id, context)
    if offer.is_countered and offer.counter is not None and wish_of(offer.counter) == wish:
        return None
    _refuse_nothing_new(offer, wish, command.offer_id)
    placed = command.placed
    assert placed is not None  # noqa: S101  (worked out before it is decided)
    refuse_full(command.offer_id, room=command.room, has_place=offer.bookings == placed.bookings)
    if out_of_sequence(record, Span(placed.start_ms, placed.end_ms), context):  # by what, it does not hear
        raise DoesNotFit(
            f"offer {command.offer_id} cannot start then: {SEQUENCE}\nMaybe another start.", rules=[SEQUENCE]
        )
    with_it = countered(record, offer, wish, context)
    asks = record.authorization and needed_now(record.authorization, record.kind, record.service_class)
    covered = not uncovered(asks, placed.start_ms, context)
    first = (outcome_of(record, offer, context, Outcome.COUNTERED),) if offer.counter is None else ()
    if covered and is_taken_by_itself(record, offer, wish, context.values):
        decision = taken(record, with_it, placed, context, command.preconditions)
        return replace(decision, outcomes=(*first, *decision.outcomes))
    after = moved(record, record.state, context, COUNTERED, offers=record.offers_with(with_it))
    return Decision(
        changes=(Change(record, after),),
        messages=(told(after, with_it, "made", context.by), changed(after, context.by, COUNTERED)),
        outcomes=first,
        at_ms=context.now_ms,
    )


def taken(
    record: RequestRecord,
    offer: OfferRecord,
    placed: Placed,
    context: Context,
    preconditions: tuple[Precondition, ...],
) -> Decision:
    """The offer as a dispatch, as its vendor would have it: booked there, and the others relieved."""
    assert offer.counter is not None  # noqa: S101  (the offer was countered)
    there = replace(
        settled(offer, CounterState.TAKEN),
        pool_id=placed.pool_id,
        start_ms=placed.start_ms,
        end_ms=placed.end_ms,
        price_cents=placed.price_cents,
        price_lines=placed.price_lines,
        bookings=placed.bookings,
        wants=(),
        distance_m=placed.distance_m,
        level=offer.counter.level,
    )
    agreed = replace(there, **agreed_at(there, offer.counter.price_cents))
    decision = taken_on(record, agreed, context)
    after: RequestRecord = decision.after
    dispatch = next(each for each in after.offers if each.attempt == offer.attempt)
    return replace(
        decision,
        unbook=bookings_of(record.live_offers),
        book=placed.bookings,
        messages=(told(after, dispatch, "taken", context.by), *decision.messages),
        preconditions=preconditions,
    )


def refuse_closed(
    record: RequestRecord, offer: OfferRecord, name: str, context: Context, *, by_vendor: bool = True
) -> None:
    """Raises WrongState unless the offer is open: there is nothing to counter, or to take, of any other."""
    if offer.unanswered and context.now_ms >= offer.expires_ms and not offer.assumed:
        raise WrongState(
            f"offer {name} expired at {to_instant(offer.expires_ms).isoformat()}\n"
            "Maybe answer sooner: each offer carries its expires_at.",
            state=OfferState.EXPIRED.value,
        )
    if offer.unanswered and record.accepted_by_silence(context.now_ms) is None:
        return
    state = offer.state if not offer.unanswered else OfferState.ACCEPTED
    ended = state if offer.unanswered else offer.told_state
    what, hint = "there is nothing to counter", "nothing is left to do"
    if not by_vendor:
        what = "its counter-offer cannot be answered any more"
    elif state is OfferState.ACCEPTED:
        hint = "turn the dispatch back, and say why"
    raise WrongState(
        f"offer {name} is {ended}; {what}\nMaybe {hint}.",
        state=state.value,
    )


def refuse_full(name: str, *, room: bool, has_place: bool = False) -> None:
    """Raises DoesNotFit where the vendor's capacity, or a payer's cap, does not hold it (any more).

    `has_place`: it has that booked already, so that it is the price.
    """
    if not room and has_place:
        raise DoesNotFit(
            f"offer {name} cannot be taken so: its price would exceed the cap of its payer for this vendor\n"
            "Maybe refuse it, and the offer stays good as it was made; or ask ops to raise the cap.",
            rules=[CAP],
        )
    if not room:
        raise DoesNotFit(
            f"offer {name} cannot be taken so: the vendor's capacity there is booked, or a cap used up\n"
            "Maybe another start, or post more capacity first.",
            rules=[CAPACITY],
        )


def _is_taken_so(offer: OfferRecord, command: CounterOffer, asked_level: str) -> bool:
    """Whether it was taken as it is said again; what the work costs by now is another matter."""
    terms = offer.counter
    if terms is None or terms.state is not CounterState.TAKEN:
        return False
    start_ms = terms.offered_start_ms if command.start_ms is None else command.start_ms
    level = "" if command.level == asked_level else command.level
    return (start_ms, level) == (terms.start_ms, terms.level) and command.price_cents in (
        None,
        terms.price_cents,
    )


def _refuse_nothing_new(offer: OfferRecord, wish: Wish, name: str) -> None:
    if wish == offered(offer):
        raise Invalid(
            f"this is what offer {name} says already\nMaybe accept it, or name what would be otherwise."
        )
    if offer.counter is not None and offer.counter.number >= MAX_COUNTERS:
        raise WrongState(
            f"offer {name} was countered {offer.counter.number} times; the limit is {MAX_COUNTERS}\n"
            "Maybe accept it, or decline it.",
            state=offer.state.value,
        )
