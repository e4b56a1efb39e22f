"""Round trips: a leg there and its way back, which goes after it.

Where the leg there is not made, its way back is cancelled or put on hold, in the same commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from msgspec.structs import replace

from contracts.codes import OfferState, RequestState, Requirement, TrackingStatus
from contracts.instants import to_instant
from contracts.tuning import Parameter
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.kinds import beside
from dispatcher.domain.messages import changed, closed
from dispatcher.domain.offers import OfferRecord, bookings_of, close
from dispatcher.domain.refusals import Invalid
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.states import TERMINAL

HOLDS = Parameter(
    name="return_after_no_show",
    default=0,
    minimum=0,
    maximum=1,
    unit="0 or 1",
    summary="What becomes of a return whose outbound leg is a no-show or cancelled: 0 cancelled, 1 on hold "
    "with a task.",
    scope="domain.legs",
)
PARAMETERS = (HOLDS,)
OUTBOUND = "outbound_"  # the code of the step in the return's history: this and how the leg there ended
NOT_MADE = frozenset({RequestState.NO_SHOW, RequestState.CANCELLED})


def planned_end_ms(record: RequestRecord) -> int:
    """When the leg ends as it was agreed or offered; 0 when it has ended, or nobody has it yet."""
    return max((each.end_ms for each in record.live_offers), default=0)


def refuse_odd_leg(
    record: RequestRecord, there: RequestRecord, beside: Iterable[RequestRecord], soonest_ms: int
) -> None:
    """Raises Invalid, with names, unless `record` can be the way back of `there`.

    `beside`: what else goes after that; `soonest_ms`: when it has ended at the soonest.
    """
    name = there.id
    if there.kind != record.kind:
        _refuse(record, f"request {name} is of kind {there.kind}", "name the ride that it is the way back of")
    if there.return_of:
        _refuse(record, f"request {name} is itself a return, of {there.return_of}", "name that in `after`")
    for other in beside:
        if other.return_of == name and other.id != record.id and other.state not in TERMINAL:
            _refuse(record, f"request {name} has its return: {other.id}", f"cancel {other.id} first")
    if there.state not in TERMINAL and record.latest_ms < soonest_ms:
        starts, ends = to_instant(record.latest_ms).isoformat(), to_instant(soonest_ms).isoformat()
        what = "be called until" if record.waits_for_call else "start until"
        why = f"it may {what} {starts}, and request {name} ends at {ends} at the soonest"
        _refuse(record, why, "make its window later")


def _refuse(record: RequestRecord, why: str, advice: str) -> NoReturn:
    raise Invalid(
        f"request {record.id} cannot be the return of {record.return_of}: {why}\nMaybe {advice}.",
        request_ids=[record.id, record.return_of],
    )


def with_return(decision: Decision, context: Context) -> Decision:
    """With what becomes of the way back where a leg there is not made: cancelled or held, vendors told."""
    for change in decision.changes:
        before, after = change.before, change.after
        if not isinstance(before, RequestRecord) or not isinstance(after, RequestRecord):
            continue
        if after.state in NOT_MADE and before.state not in TERMINAL:
            for name in after.before:
                back = context.related.get(name)
                if isinstance(back, RequestRecord) and back.return_of == after.id:
                    decision = _not_made(decision, after, back, context)
    return decision


def _not_made(decision: Decision, there: RequestRecord, back: RequestRecord, context: Context) -> Decision:
    """The way back follows; who is on board of it has come there by other means, and arrives."""
    known = {beside(each.record) for each in decision.changes}
    on_board = any(each.status is TrackingStatus.ON_BOARD for each in back.live_offers)
    if back.state in TERMINAL or on_board or back.id in known:
        return decision
    code, live = OUTBOUND + there.state.value, back.live_offers
    over = [close(each, OfferState.CANCELLED, context.now_ms, code) for each in live]
    offers = back.offers_with(*over)
    if HOLDS.whole(context.values):
        after = _held(back, offers, code, context)
    else:
        after = moved(back, RequestState.CANCELLED, context, code, offers=offers, requirements=())
    told = (*(closed(after, each) for each in over), changed(after, context.by, code))
    return replace(
        decision,
        changes=(*decision.changes, Change(back, after)),
        unbook=(*decision.unbook, *bookings_of(live)),
        messages=(*decision.messages, *told),
    )


def _held(back: RequestRecord, offers: tuple[OfferRecord, ...], code: str, context: Context) -> RequestRecord:
    """On hold for what goes before it; until its deadline, or where that has passed the end of its window."""
    wanted = tuple(dict.fromkeys((*back.requirements, Requirement.PREDECESSOR)))
    late = back.match_by_ms <= context.now_ms
    match_by_ms = max(back.match_by_ms, back.latest_ms) if late else back.match_by_ms
    return moved(
        back,
        RequestState.ON_HOLD,
        context,
        code,
        offers=offers,
        requirements=wanted,
        match_by_ms=match_by_ms,
    )
