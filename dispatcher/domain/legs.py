"""Round trips: a leg there and its way back are two requests that know each other.

Where the leg there does not happen, its way back is cancelled or put on hold, in the same commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

from msgspec.structs import replace

from contracts.codes import OfferState, RequestState, Requirement, TrackingStatus
from contracts.instants import to_instant
from contracts.tuning import Parameter
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
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
Ends = Mapping[str, int]  #: by id of a leg there, when it has ended at the latest, as far as one can tell


def planned_end_ms(record: RequestRecord) -> int:
    """When the leg ends as it was agreed or offered; 0 when it has ended, or nobody has it yet."""
    offers = record.live_offers
    return max((each.end_ms for each in offers), default=0)


def linked(
    decisions: Sequence[Decision], stored: Mapping[str, RequestRecord], ends: Ends, context: Context
) -> list[Decision]:
    """The receipt of new requests, each leg there naming its way back; `stored`: what they name beside.

    Raises Invalid, with names, for a return of a leg that nobody knows, that has ended without being made,
    that is no ride, is a return itself or has one already; and for one that may start before that has ended.
    """
    changing = [each.after for decision in decisions for each in decision.changes]
    known = {**stored, **{each.id: each for each in changing if isinstance(each, RequestRecord)}}
    legs = dict[str, str]()  # by leg there, its way back
    for record in [each.after for each in decisions if each.after.return_of]:
        there = _leg_there(record, ends, known)
        if (
            there.return_leg != record.id and there.state not in TERMINAL
        ):  # nothing follows from one that is done
            legs[there.id] = record.id
            known[there.id] = replace(there, return_leg=record.id)
    told = [_with(each, legs) for each in decisions]
    beside = [stored[name] for name in legs if name not in {each.id for each in changing if each is not None}]
    changes = [
        Change(each, replace(each, version=each.version + 1, return_leg=legs[each.id])) for each in beside
    ]
    return [*told, *(Decision(changes=(each,), at_ms=context.now_ms) for each in changes)]


def _with(decision: Decision, legs: Mapping[str, str]) -> Decision:
    """Its changes of legs there with the name of their way back."""
    if not any(each.record.id in legs for each in decision.changes):
        return decision
    changes = [
        Change(each.before, replace(each.after, return_leg=legs[each.record.id]))
        if isinstance(each.after, RequestRecord) and each.record.id in legs
        else each
        for each in decision.changes
    ]
    return replace(decision, changes=tuple(changes))


def _leg_there(record: RequestRecord, ends: Ends, known: Mapping[str, RequestRecord]) -> RequestRecord:
    """The leg that `record` is the way back of. Raises Invalid unless it can be that."""
    there = known.get(record.return_of)
    name = record.return_of
    if there is None:
        _refuse(
            record,
            f"there is no request {name} in this market",
            "it is misspelt, or comes later in your calls",
        )
    if there.kind != record.kind:
        _refuse(record, f"request {name} is of kind {there.kind}", "name the ride that it is the way back of")
    if there.state in TERMINAL and there.state is not RequestState.COMPLETED:
        _refuse(record, f"request {name} is {there.state}", "leave return_of out")
    if there.return_of:
        _refuse(record, f"request {name} is itself a return, of {there.return_of}", "name the first leg")
    other = known.get(there.return_leg)
    if there.return_leg not in ("", record.id) and other is not None and other.state not in TERMINAL:
        _refuse(
            record, f"request {name} has its return: {there.return_leg}", f"cancel {there.return_leg} first"
        )
    starts_ms, end_ms = (
        record.latest_ms if record.waits_for_call else record.earliest_ms,
        ends.get(there.id, 0),
    )
    if there.state not in TERMINAL and starts_ms < end_ms:
        starts, end = to_instant(starts_ms).isoformat(), to_instant(end_ms).isoformat()
        what = "be called until" if record.waits_for_call else "start at"
        _refuse(
            record,
            f"it may {what} {starts}, and request {name} may last until {end}",
            "make its window later",
        )
    return there


def _refuse(record: RequestRecord, why: str, advice: str) -> NoReturn:
    raise Invalid(
        f"request {record.id} cannot be the return of {record.return_of}: {why}\nMaybe {advice}.",
        request_ids=[record.id, record.return_of],
    )


def with_return(decision: Decision, context: Context) -> Decision:
    """With what becomes of the way back where a leg there is not made: cancelled or held, vendors told."""
    for change in decision.changes:
        before, after = change.before, change.after
        if not isinstance(after, RequestRecord) or not after.return_leg or after.state not in NOT_MADE:
            continue
        back = context.related.get(after.return_leg)
        if (
            isinstance(before, RequestRecord)
            and before.state not in TERMINAL
            and isinstance(back, RequestRecord)
        ):
            decision = _not_made(decision, after, back, context)
    return decision


def _not_made(decision: Decision, there: RequestRecord, back: RequestRecord, context: Context) -> Decision:
    """The way back follows; who is on board of it has come there by other means, and arrives."""
    known = {each.record.id for each in decision.changes}
    on_board = any(each.status is TrackingStatus.ON_BOARD for each in back.live_offers)
    if back.state in TERMINAL or back.return_of != there.id or on_board or back.id in known:
        return decision
    code, live = OUTBOUND + there.state.value, back.live_offers
    over = [close(each, OfferState.CANCELLED, context.now_ms, code) for each in live]
    offers = back.offers_with(*over)
    if HOLDS.whole(context.values):
        after = _held(back, offers, code, context)
    else:
        after = moved(back, RequestState.CANCELLED, context, code, offers=offers, requirements=())
    return replace(
        decision,
        changes=(*decision.changes, Change(back, after)),
        unbook=(*decision.unbook, *bookings_of(live)),
        messages=(
            *decision.messages,
            *(closed(after, each) for each in over),
            changed(after, context.by, code),
        ),
    )


def _held(back: RequestRecord, offers: tuple[OfferRecord, ...], code: str, context: Context) -> RequestRecord:
    """On hold for what goes before it; until its deadline, or where that has passed the end of its window."""
    wanted = tuple(dict.fromkeys((*back.requirements, Requirement.PREDECESSOR)))
    match_by_ms = back.match_by_ms if back.match_by_ms > context.now_ms else back.latest_ms
    return moved(
        back,
        RequestState.ON_HOLD,
        context,
        code,
        offers=offers,
        requirements=wanted,
        match_by_ms=max(match_by_ms, back.match_by_ms),
    )
