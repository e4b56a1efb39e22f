"""A person takes a vendor's counter-offer, or does not: then the offer stays good as it was made."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from contracts.amendments import MAX_AMENDMENTS, AmendmentOutcome
from contracts.codes import Role
from contracts.counters import CounterState
from contracts.instants import to_instant
from dispatcher.domain.amended_authorization import uncovered
from dispatcher.domain.amendments import Amendment, Placed, Ready, record_facts
from dispatcher.domain.commands.counter import refuse_closed, refuse_full, taken
from dispatcher.domain.commands.subjects import OnOffer
from dispatcher.domain.commands.table import REQUEST, Command, decides
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.counters import settled, told, told_refused
from dispatcher.domain.decision import Body, Change, Decision
from dispatcher.domain.links import Span
from dispatcher.domain.messages import changed
from dispatcher.domain.needed import Needed
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.proposal import Precondition
from dispatcher.domain.refusals import NotFound, WrongState
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.rights import SUBMITTERS
from dispatcher.domain.sequence import refuse_out_of_sequence

ANSWERERS = SUBMITTERS | {Role.OPS}


class TakeCounter(OnOffer, frozen=True, kw_only=True):
    """The vendor has the work as it would do it.

    `placed`: where that is booked by now; `ready`: the request with the wider window, where the start lies
    outside. Both None while they have to be worked out. `asks`: what it draws on, so; `authorizations`: what
    was read to tell.
    """

    number: int
    placed: Placed | None = None
    preconditions: tuple[Precondition, ...] = ()
    ready: Ready | None = None
    room: bool = True
    asks: Needed | None = None
    authorizations: Mapping[str, Record] = {}

    @property
    def if_full(self) -> Command:
        """Another took what it would need."""
        return replace(self, room=False)

    @property
    def beside(self) -> Mapping[str, Record]:
        """What was read to work it out."""
        return {**(self.ready.beside if self.ready else {}), **self.authorizations}


class RefuseCounter(OnOffer, frozen=True, kw_only=True):
    """Not so; the offer is open as it was made."""

    number: int


@decides(TakeCounter, REQUEST, roles=ANSWERERS)
def take(record: RequestRecord, command: TakeCounter, context: Context) -> Decision | None:
    """Book it, the window widened where need be; None when it was taken before.

    Raises NotFound for an unknown offer or counter-offer; WrongState when the offer is not open any more, it
    was answered otherwise, or it would be out of sequence or not authorized; DoesNotFit for want of capacity.
    """
    offer = _countered(record, command.offer_id, command.number)
    if _state(offer) is CounterState.TAKEN:
        return None
    _refuse_answered(record, offer, command.offer_id, context)
    placed, ready = command.placed, command.ready
    assert placed is not None  # noqa: S101  (worked out before it is decided)
    refuse_full(command.offer_id, room=command.room, has_place=offer.bookings == placed.bookings)
    refuse_out_of_sequence(record, Span(placed.start_ms, placed.end_ms), context)
    _refuse_uncovered(record, offer, command, context)
    wider = record if ready is None else _widened(record, ready, context)
    wider = replace(wider, authorization=command.asks)
    decision = taken(wider, offer, placed, context, command.preconditions)
    body = () if ready is None else (Body(record.id, ready.after),)
    return replace(decision, changes=(Change(record, decision.after),), bodies=body)


@decides(RefuseCounter, REQUEST, roles=ANSWERERS)
def refuse(record: RequestRecord, command: RefuseCounter, context: Context) -> Decision | None:
    """Tell its vendor; None when it was refused before. Raises as `take`."""
    offer = _countered(record, command.offer_id, command.number)
    if _state(offer) is CounterState.REFUSED:
        return None
    _refuse_answered(record, offer, command.offer_id, context)
    over, code = settled(offer, CounterState.REFUSED), "counter_refused"
    after = moved(record, record.state, context, code, offers=record.offers_with(over))
    news = (told(after, over, "refused", context.by), told_refused(after, over))
    return Decision(
        changes=(Change(record, after),),
        messages=(*news, changed(after, context.by, code)),
        at_ms=context.now_ms,
    )


def _countered(record: RequestRecord, name: str, number: int) -> OfferRecord:
    offer = record.offer_named(name)
    if offer.counter is None or offer.counter.number < number:
        raise NotFound(f"offer {name} has no counter-offer {number}\nMaybe the number is misspelt.")
    if offer.counter.number > number:
        raise WrongState(
            f"counter-offer {number} of offer {name} was replaced by {offer.counter.number}\n"
            "Maybe read the request again, and answer that.",
            state=CounterState.LAPSED.value,
        )
    return offer


def _state(offer: OfferRecord) -> CounterState:
    assert offer.counter is not None  # noqa: S101  (looked at before)
    return offer.counter.state


def _refuse_answered(record: RequestRecord, offer: OfferRecord, name: str, context: Context) -> None:
    refuse_closed(record, offer, name, context, by_vendor=False)
    if not offer.is_countered:
        raise WrongState(
            f"the counter-offer of offer {name} is {_state(offer)}; it cannot be answered any more\n"
            "Maybe its vendor makes another.",
            state=_state(offer).value,
        )


def _refuse_uncovered(
    record: RequestRecord, offer: OfferRecord, command: TakeCounter, context: Context
) -> None:
    """Raises WrongState where it would not be authorized so: the offer stays good as it was made."""
    assert offer.counter is not None  # noqa: S101  (looked at before)
    start_ms, level = offer.counter.start_ms, offer.counter.level or record.service_class
    why = uncovered(command.asks, start_ms, context)
    if why:
        raise WrongState(
            f"the counter-offer of offer {command.offer_id} cannot be taken: {why}, for {level} at "
            f"{to_instant(start_ms).isoformat()}\n"
            "Maybe ask a case manager to issue or renew the authorization first; or refuse it.",
            state=record.state.value,
        )


def _widened(record: RequestRecord, ready: Ready, context: Context) -> RequestRecord:
    """The request with the window that the start needs, kept as an amendment that was made at once."""
    if len(record.amendments) >= MAX_AMENDMENTS:
        raise WrongState(
            f"request {record.id} was amended {len(record.amendments)} times; the limit is {MAX_AMENDMENTS}\n"
            "Maybe refuse it, and offer the request to another vendor.",
            state=record.state.value,
        )
    made = Amendment(
        at_ms=context.now_ms,
        by=context.by,
        subject=context.subject,
        fields=ready.fields,
        outcome=AmendmentOutcome.PENDING,
        before=ready.before,
        proposed=ready.after,
        filing=ready.filing,
    ).settled(AmendmentOutcome.MADE, context.now_ms, made=True)
    return replace(record, amendments=(*record.amendments, made), **record_facts(ready.facts))
