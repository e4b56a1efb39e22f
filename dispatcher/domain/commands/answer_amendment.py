"""The vendor of a dispatch agrees to an amendment and keeps its work, or refuses it."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.amendments import AmendmentOutcome
from contracts.codes import Role
from contracts.instants import to_instant
from dispatcher.domain.amended_authorization import unauthorized
from dispatcher.domain.amendments import Amendment, agreed_level
from dispatcher.domain.apart import meeting
from dispatcher.domain.commands.subjects import OnOffer
from dispatcher.domain.commands.table import REQUEST, Command, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Body, Change, Decision
from dispatcher.domain.links import Span
from dispatcher.domain.messages import amended, answered, changed, matched
from dispatcher.domain.not_agreed import made, not_agreed
from dispatcher.domain.offers import AMENDMENT, OfferRecord
from dispatcher.domain.prices import amended as amended_price
from dispatcher.domain.refiling import of_patient
from dispatcher.domain.refusals import NotFound, WrongState
from dispatcher.domain.requests import RequestRecord, moved

O = AmendmentOutcome  # noqa: E741
CAPACITY, SEQUENCE = "capacity", "sequence"  # as the solvers' rules are called


class AgreeToAmendment(OnOffer, frozen=True, kw_only=True):
    """The vendor keeps its work as it is wanted now; `room`: whether its capacity is known to hold it."""

    number: int
    room: bool = True

    @property
    def if_full(self) -> Command:
        """Its capacity does not: as if it had refused."""
        return replace(self, room=False)


class RefuseAmendment(OnOffer, frozen=True, kw_only=True):
    """The vendor does not do the work as it is wanted now: another is sought."""

    number: int


@decides(AgreeToAmendment, REQUEST, roles={Role.VENDOR})
def agree(record: RequestRecord, command: AgreeToAmendment, context: Context) -> Decision | None:
    """Move the booking and write the request anew; None when the vendor had agreed before.

    Raises NotFound unless dispatch and amendment are that vendor's, WrongState when it is too late.
    """
    dispatch = record.offer_named(command.offer_id, context.vendor_id)
    asked = _asked(record, dispatch, command.number, command.offer_id)
    if asked.outcome in (O.AGREED, O.UNFIT):
        return None
    _refuse_settled(asked, command.offer_id, command.number, context)
    if why := _unfit(record, command, dispatch, asked, context):
        return not_agreed(record, dispatch, O.UNFIT, context, (why,))
    placed, code = asked.placed, f"{AMENDMENT}agreed"
    after_dispatch = dispatch if placed is None else _moved_to(dispatch, asked)
    after = moved(
        record,
        record.state,
        context,
        code,
        offers=record.offers_with(after_dispatch),
        **made(record, asked, O.AGREED, context),
    )
    over = after.amendments[-1]
    told = (amended(after, after_dispatch, over), answered(after, over), matched(after, after_dispatch))
    return Decision(
        changes=(Change(record, after),),
        unbook=() if placed is None else dispatch.bookings,
        book=() if placed is None else placed.bookings,
        bodies=() if asked.retimes else (Body(record.id, asked.proposed),),
        messages=(*told, changed(after, context.by, code)),
        at_ms=context.now_ms,
    )


def _unfit(
    record: RequestRecord,
    command: AgreeToAmendment,
    dispatch: OfferRecord,
    asked: Amendment,
    context: Context,
) -> str:
    """The rule that it would break by now; "" if none.

    Where too little is left to draw on, it is matched again, and waits for a case manager.
    """
    if not command.room:
        return CAPACITY
    start_ms = asked.placed.start_ms if asked.placed else dispatch.start_ms
    why = unauthorized(record, asked.facts.asks if asked.facts else None, start_ms, context)
    return why or (SEQUENCE if _meets(record, asked, context) else "")


def _meets(record: RequestRecord, asked: Amendment, context: Context) -> bool:
    """Whether its passenger would be on another ride by now."""
    if asked.placed is None:
        return False
    filed = of_patient(asked.filing, context.related) if asked.filing is not None else []
    more = [each.id for each in filed if each.id != record.id]
    return bool(meeting(record, Span(asked.placed.start_ms, asked.placed.end_ms), context, more))


@decides(RefuseAmendment, REQUEST, roles={Role.VENDOR})
def refuse(record: RequestRecord, command: RefuseAmendment, context: Context) -> Decision | None:
    """Seek another vendor; None when it had refused before.

    Raises NotFound unless dispatch and amendment are that vendor's, WrongState when it is too late.
    """
    dispatch = record.offer_named(command.offer_id, context.vendor_id)
    asked = _asked(record, dispatch, command.number, command.offer_id)
    if asked.outcome is O.REFUSED:
        return None
    _refuse_settled(asked, command.offer_id, command.number, context)
    return not_agreed(record, dispatch, O.REFUSED, context)


def _asked(record: RequestRecord, dispatch: OfferRecord, number: int, name: str) -> Amendment:
    found = record.amendments[number - 1 : number] if number > 0 else ()
    for amendment in found:
        if amendment.attempt == dispatch.attempt:
            return amendment
    raise NotFound(f"there is no amendment {number} of dispatch {name}\nMaybe it is another dispatch's.")


def _refuse_settled(asked: Amendment, name: str, number: int, context: Context) -> None:
    state = asked.outcome
    if asked.pending and context.now_ms >= asked.expires_ms:
        at = to_instant(asked.expires_ms).isoformat()
        raise WrongState(
            f"amendment {number} of dispatch {name} expired at {at}\n"
            "Maybe answer sooner: each carries its expires_at.",
            state=O.EXPIRED.value,
        )
    if not asked.pending:
        raise WrongState(
            f"amendment {number} of dispatch {name} is {state}; it cannot be answered any more\n"
            "Maybe read the dispatch again: a later amendment has a number of its own.",
            state=state.value,
        )


def _moved_to(dispatch: OfferRecord, asked: Amendment) -> OfferRecord:
    """The dispatch at its new place; a report that was missing is waited for anew."""
    placed = asked.placed
    assert placed is not None  # noqa: S101  (told by the caller)
    return replace(
        dispatch,
        pool_id=placed.pool_id,
        start_ms=placed.start_ms,
        end_ms=placed.end_ms,
        bookings=placed.bookings,
        distance_m=placed.distance_m,
        overdue=0,
        level=agreed_level(dispatch, asked.fields),
        agreed=dispatch.agreed + (placed.start_ms != dispatch.start_ms),
        **amended_price(dispatch, placed.price_lines, placed.price_cents),
    )
