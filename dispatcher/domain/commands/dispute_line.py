"""A line of a dispatch's price is disputed by its vendor, the platform or ops; ops settles it."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.codes import OfferState, Role
from contracts.prices import DisputeOutcome, PriceKind
from dispatcher.domain.commands.subjects import OnOffer
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.prices import AFTERWARDS, Dispute, Line, charged, lines_of, place_of, settled
from dispatcher.domain.refusals import Invalid, NotFound, WrongState
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.rights import DISPUTERS

MOST_DISPUTES = 20  # of one dispatch


class DisputePrice(OnOffer, frozen=True, kw_only=True):
    """Line number `line` (from 1) is wrong; `sealed` says why, encrypted."""

    line: int
    sealed: bytes


class SettlePrice(OnOffer, frozen=True, kw_only=True):
    """Dispute `number` is over: its line costs `cents`, None: what it did. `sealed` is the reason."""

    number: int
    sealed: bytes
    cents: int | None = None


@decides(DisputePrice, REQUEST, roles=DISPUTERS)
def dispute(record: RequestRecord, command: DisputePrice, context: Context) -> Decision:
    """Note it; ops has a task. The line stands until that is settled.

    Raises NotFound unless the dispatch, if a vendor calls, is its own; WrongState where nothing is charged,
    or the line is disputed already; Invalid for a line that it has not.
    """
    offer = record.offer_named(command.offer_id, context.vendor_id)
    line = _line(offer, command)
    if any(each.open and _is_about(each, offer, command.line) for each in offer.disputes):
        raise WrongState(
            f"line {command.line} of dispatch {command.offer_id} is disputed already\n"
            "Maybe wait until ops has settled it.",
            state=offer.state.value,
        )
    if len(offer.disputes) >= MOST_DISPUTES:
        raise Invalid(
            f"dispatch {command.offer_id} has had {MOST_DISPUTES} disputes, the limit\nMaybe speak with ops."
        )
    said = Dispute(
        kind=line.kind,
        place=command.line,
        cents=line.cents,
        at_ms=context.now_ms,
        by=context.by,
        subject=context.subject,
        sealed=command.sealed,
    )
    return _with(record, replace(offer, disputes=(*offer.disputes, said)), context)


@decides(SettlePrice, REQUEST, roles={Role.OPS})
def settle(record: RequestRecord, command: SettlePrice, context: Context) -> Decision | None:
    """Change the line, or not; None when it was settled so before.

    Raises NotFound for a dispute that there is not, WrongState when it was settled otherwise, or the line is
    gone, Invalid for a price below zero.
    """
    offer = record.offer_named(command.offer_id)
    found = offer.disputes[command.number - 1 : command.number] if command.number > 0 else ()
    if not found:
        raise NotFound(f"dispatch {command.offer_id} has no dispute {command.number}\nMaybe another has.")
    said = found[0]
    if not said.open:
        _refuse_otherwise(said, command)
        return None
    place = place_of(offer, said)
    changes = {} if command.cents is None else _changed(offer, command, place)
    outcome = DisputeOutcome.KEPT if command.cents is None else DisputeOutcome.CHANGED
    over = replace(
        said,
        outcome=outcome,
        settled_ms=context.now_ms,
        settled_cents=said.cents if command.cents is None else command.cents,
        reason=command.sealed,
    )
    disputes = (*offer.disputes[: command.number - 1], over, *offer.disputes[command.number :])
    return _with(record, replace(offer, disputes=disputes, **changes), context)


def _line(offer: OfferRecord, command: DisputePrice) -> Line:
    lines = charged(offer)
    if not lines:
        why = "was never accepted, or ended without a fee"
        raise WrongState(
            f"offer {command.offer_id} is {offer.state}: it {why}, and nothing is charged\n"
            "Maybe another of the request's offers was meant.",
            state=offer.state.value,
        )
    if not 0 < command.line <= len(lines):
        raise Invalid(
            f"the price of dispatch {command.offer_id} has no line {command.line}, it has {len(lines)}\n"
            f"Maybe read it again: GET …/dispatches/{command.offer_id}/price."
        )
    return lines[command.line - 1]


def _is_about(said: Dispute, offer: OfferRecord, line: int) -> bool:
    return place_of(offer, said) == line - 1


def _refuse_otherwise(said: Dispute, command: SettlePrice) -> None:
    wanted = DisputeOutcome.KEPT if command.cents is None else DisputeOutcome.CHANGED
    if said.outcome is wanted and command.cents in (None, said.settled_cents):
        return
    raise WrongState(
        f"dispute {command.number} of dispatch {command.offer_id} was settled: {said.outcome}, at "
        f"{said.settled_cents} cents\nMaybe dispute the line anew.",
        state=said.outcome.value,
    )


def _changed(offer: OfferRecord, command: SettlePrice, place: int | None) -> dict[str, object]:
    if place is None:
        raise WrongState(
            f"the line of dispute {command.number} of {command.offer_id} is in the price no more\n"
            "Maybe settle it without `cents`: the work has changed, or ended, since.",
            state=offer.state.value,
        )
    assert command.cents is not None  # noqa: S101  (told by the caller)
    kind = lines_of(offer)[place].kind
    if command.cents < 0 and kind in AFTERWARDS and kind is not PriceKind.TURN_BACK:
        raise Invalid(
            f"{kind.value} of dispatch {command.offer_id} cannot be {command.cents} cents: it may be all "
            "that is charged, once the work ends otherwise\nMaybe the sign is wrong; 0 takes the line away."
        )
    changes = settled(offer, place, command.cents, command.number)
    least = 0 if offer.state is not OfferState.TURNED_BACK else None
    if least is not None and changes["price_cents"] < least:
        raise Invalid(
            f"at {command.cents} cents for that line dispatch {command.offer_id} would cost "
            f"{changes['price_cents']} cents\nMaybe the sign is wrong."
        )
    return changes


def _with(record: RequestRecord, offer: OfferRecord, context: Context) -> Decision:
    """Its state and timer stay: a request that has ended is kept for this as long as its task is open."""
    after = replace(record, version=record.version + 1, offers=record.offers_with(offer))
    return Decision(changes=(Change(record, after),), at_ms=context.now_ms)
