"""accepted or in progress → the vendor waits at the door, or no more; its rate card says what that costs."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from contracts.codes import OfferState, RequestState, Role, TrackingStatus
from contracts.instants import to_instant
from dispatcher.domain.commands.plausible import happened
from dispatcher.domain.commands.subjects import OnOffer
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.messages import changed
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.prices import Wait, waited
from dispatcher.domain.refusals import Invalid, WrongState
from dispatcher.domain.requests import RequestRecord, moved

WAITING, READY = "waiting", "ready"  # as the history names them
MOST_WAITS = 20  # of one dispatch; a record must not grow with every report
STILL_MS = 2**62
T = TrackingStatus


class ReportWaiting(OnOffer, frozen=True, kw_only=True):
    """The vendor waits since then, left out: since now; until then, left out: it still does."""

    since: datetime | None = None
    until: datetime | None = None


class ReportReady(OnOffer, frozen=True, kw_only=True):
    """The vendor waits no more, since `at`; left out: since now."""

    at: datetime | None = None


@decides(ReportWaiting, REQUEST, roles={Role.VENDOR})
def waiting(record: RequestRecord, command: ReportWaiting, context: Context) -> Decision | None:
    """Note it; None when it was told before. Who waits is at the door, if it has not said so.

    Raises NotFound unless the dispatch is that vendor's, Invalid for times that cannot be, WrongState when
    the work is not its own (any more), or it says that it still waits with the passenger on board.
    """
    offer = record.offer_named(command.offer_id, context.vendor_id)
    still = command.until is None
    _refuse_unfit(offer, command.offer_id, still=still)
    since_ms, until_ms = _span(offer, command, context)
    waits = _with(offer.waits, Wait(since_ms, until_ms))
    if waits == offer.waits:
        return None
    if len(waits) > MOST_WAITS:
        raise Invalid(
            f"dispatch {command.offer_id} has {MOST_WAITS} waits, the limit\nMaybe report them as one."
        )
    return _noted(record, offer, waits, context, WAITING, arrived_ms=since_ms)


@decides(ReportReady, REQUEST, roles={Role.VENDOR})
def ready(record: RequestRecord, command: ReportReady, context: Context) -> Decision | None:
    """End the wait; None when it had ended before. Raises as `waiting`."""
    offer = record.offer_named(command.offer_id, context.vendor_id)
    _refuse_unfit(offer, command.offer_id, still=False)
    if not offer.waits:
        raise WrongState(
            f"dispatch {command.offer_id} does not wait\nMaybe report `waiting` first, with `since`.",
            state=offer.state.value,
        )
    if not offer.waits[-1].is_open:
        return None
    since_ms = offer.waits[-1].since_ms
    at_ms = happened("at", command.at, offer, context.now_ms)
    if at_ms < since_ms:
        raise _backwards(command.offer_id, since_ms, at_ms)
    waits = (*offer.waits[:-1], replace(offer.waits[-1], until_ms=at_ms))
    return _noted(record, offer, waits, context, READY)


def _noted(
    record: RequestRecord,
    offer: OfferRecord,
    waits: tuple[Wait, ...],
    context: Context,
    code: str,
    *,
    arrived_ms: int = 0,
) -> Decision:
    """The dispatch with what was waited; its report is no longer missing, for its vendor is there."""
    came = offer.status is None or offer.status is T.EN_ROUTE
    there = {"status": T.AT_PICKUP, "arrived_ms": offer.arrived_ms or arrived_ms} if came else {}
    after_offer = replace(offer, overdue=0, **there, **waited(offer, waits))
    offers = record.offers_with(after_offer)
    after = moved(record, RequestState.IN_PROGRESS, context, code, offers=offers)
    news = changed(after, context.by, code)
    return Decision(changes=(Change(record, after),), messages=(news,), at_ms=context.now_ms)


def _refuse_unfit(offer: OfferRecord, name: str, *, still: bool) -> None:
    reason = ""
    if offer.unanswered:
        reason = "it is not accepted yet\nMaybe accept the offer first."
    elif offer.state is not OfferState.ACCEPTED:
        reason = f"it is {offer.state}\nMaybe dispute a line of its price."
    elif still and offer.status is T.ON_BOARD:
        reason = "the passenger is on board\nMaybe say until when it was waited: `until`."
    if reason:
        raise WrongState(f"dispatch {name} cannot wait: {reason}", state=offer.state.value)


def _span(offer: OfferRecord, command: ReportWaiting, context: Context) -> tuple[int, int]:
    """From when until when (0: it still waits). Raises Invalid."""
    open_since = offer.waits[-1].since_ms if offer.waits and offer.waits[-1].is_open else None
    said = command.since
    since_ms = (
        open_since
        if said is None and open_since is not None
        else happened("since", said, offer, context.now_ms)
    )
    if command.until is None:
        return since_ms, 0
    until_ms = happened("until", command.until, offer, context.now_ms)
    if until_ms < since_ms:
        raise _backwards(command.offer_id, since_ms, until_ms)
    return since_ms, until_ms


def _backwards(name: str, since_ms: int, until_ms: int) -> Invalid:
    return Invalid(
        f"dispatch {name} waits since {to_instant(since_ms).isoformat()}, and that ends before: "
        f"{to_instant(until_ms).isoformat()}\nMaybe one of them has another time zone."
    )


def _with(waits: tuple[Wait, ...], new: Wait) -> tuple[Wait, ...]:
    """Waits in order, those that meet as one; at most the last is open.

    That it waits since a moment at which it is known to have waited is nothing new: it comes late.
    """
    spans = [(each.since_ms, each.until_ms or STILL_MS) for each in waits]
    mine = (new.since_ms, new.until_ms or STILL_MS)
    if new.is_open and any(since_ms <= new.since_ms < until_ms for since_ms, until_ms in spans):
        return waits
    if not new.is_open and spans and spans[-1][1] == STILL_MS and spans[-1][0] <= mine[1]:
        spans[-1] = (spans[-1][0], mine[1])
    joined: list[tuple[int, int]] = []
    for since_ms, until_ms in sorted((*spans, mine)):
        if joined and since_ms <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], until_ms))
        else:
            joined.append((since_ms, until_ms))
    return tuple(
        Wait(since_ms, 0 if until_ms == STILL_MS else until_ms, _counted_from(waits, since_ms, until_ms))
        for since_ms, until_ms in joined
    )


def _counted_from(waits: tuple[Wait, ...], since_ms: int, until_ms: int) -> int:
    """What the first of those that became one is counted from."""
    return next((each.from_ms for each in waits if since_ms <= each.since_ms <= until_ms), 0)
