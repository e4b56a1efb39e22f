"""Barriers of requests: suggested where they follow from how one ended, recorded where somebody says so.

Each is counted in the week in which its request ended, in the same commit; what is said otherwise later, is
taken from the one count and added to the other.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from contracts.barriers import BarrierCode, BarrierRecorded
from contracts.codes import ReportCode, RequestState, Requirement
from contracts.instants import DAY_MS
from dispatcher.domain.barriers import KEPT, Barrier, Cell, PatternCount, week_of
from dispatcher.domain.bundles import is_given_back
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Message
from dispatcher.domain.legs import OUTBOUND
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import ASKS_BARRIER
from dispatcher.domain.will_call import NOT_CALLED

B, C = BarrierCode, ReportCode
BY_ITSELF = "service"
OF_CODES: Mapping[str, BarrierCode] = {  # what a vendor's report, or a cancellation, says
    C.NO_CLIENT: B.NO_ONE_AT_HOME,
    C.NOT_READY: B.PATIENT_NOT_READY,
    C.CANCEL_AT_DOOR: B.TRANSPORT_REFUSED,
    C.PROVIDER_ADMIN_CANCEL: B.VENDOR_FAILED,
    C.NO_VEHICLES_AVAILABLE: B.VENDOR_FAILED,
    C.UNABLE_TO_SERVICE_TRIP: B.VENDOR_FAILED,
    C.INVALID_PICKUP_ADDRESS: B.WRONG_ADDRESS,
    C.INVALID_DROPOFF_ADDRESS: B.WRONG_ADDRESS,
    C.BAD_WEATHER: B.WEATHER,
    NOT_CALLED: B.NOT_CALLED,
    **{OUTBOUND + each.value: B.SEQUENCE for each in ASKS_BARRIER},
}
OF_REQUIREMENTS: Mapping[Requirement, BarrierCode] = {  # what it was on hold for when its time was over
    Requirement.AUTHORIZATION: B.AUTHORIZATION,
    Requirement.PREDECESSOR: B.SEQUENCE,
    Requirement.ACTIVATION: B.NOT_CALLED,
}


def with_barriers(decision: Decision, context: Context) -> Decision:
    """The decision with the barrier of each request that ends in it, as far as that follows by itself."""
    for change in decision.changes:
        before, after = change.before, change.after
        if isinstance(after, RequestRecord) and after.state in ASKS_BARRIER and after.barrier is None:
            was = before if isinstance(before, RequestRecord) else None
            ends = was is not None and was.state is not after.state
            code = _follows(was, after) if was is not None and ends else None
            if code is not None:
                decision = _suggested(decision, change, after, code, context)
    return decision


def _follows(before: RequestRecord, after: RequestRecord) -> BarrierCode | None:
    if after.state is not RequestState.UNMATCHED:
        return OF_CODES.get(after.history[-1].code)
    held = [code for requirement, code in OF_REQUIREMENTS.items() if requirement in before.requirements]
    unfound = B.SEQUENCE if is_given_back(after) else B.NO_VENDOR
    return held[0] if held else unfound


def _suggested(
    decision: Decision, change: Change, after: RequestRecord, code: BarrierCode, context: Context
) -> Decision:
    barrier = Barrier(code, context.now_ms, BY_ITSELF, suggested=True)
    named = Change(change.before, replace(after, barrier=barrier))
    changes = tuple(named if each is change else each for each in decision.changes)
    return replace(decision, changes=changes, counts=(*decision.counts, _count(after, code, 1, context)))


def recorded(
    record: RequestRecord, code: BarrierCode, context: Context, sealed: bytes = b""
) -> Decision | None:
    """What somebody says that the barrier was; None when they said so before. A note takes that one's place.

    Raises WrongState while the request has not ended, and when it was completed.
    """
    if record.state not in ASKS_BARRIER:
        raise WrongState(
            f"request {record.id} is {record.state}; a barrier is why one ended without its service\n"
            "Maybe cancel it first, or comment on its task.",
            state=record.state.value,
        )
    was = record.barrier
    if was is not None and was.code is code and not was.suggested and not sealed:
        return None
    kept = was.sealed if was is not None and not sealed else sealed
    barrier = Barrier(code, context.now_ms, context.by, context.subject, sealed=kept)
    after = replace(record, version=record.version + 1, barrier=barrier)
    before = was.code if was is not None else None
    data = BarrierRecorded(
        request_id=record.id, code=code, before=before, episode=record.episode, by=context.by
    )
    return Decision(
        changes=(Change(record, after),),
        messages=(Message(type="dispatch.barrier.recorded", subject=record.id, data=data),),
        counts=_corrected(record, before, code, context),
        at_ms=context.now_ms,
    )


def _corrected(
    record: RequestRecord, before: BarrierCode | None, code: BarrierCode, context: Context
) -> tuple[PatternCount, ...]:
    if before is code:
        return ()
    less = (_count(record, before, -1, context),) if before is not None else ()
    return (*less, _count(record, code, 1, context))


def _count(record: RequestRecord, code: BarrierCode, by: int, context: Context) -> PatternCount:
    """In the week in which it ended, whenever somebody says why: one that is changed is found again."""
    vendor = record.dispatch.vendor_id if record.dispatch else ""
    cell = Cell(code.value, record.facility, vendor, record.service_class)
    kept_ms = KEPT.whole(context.values) * DAY_MS
    return PatternCount(week_of(record.history[-1].at_ms), cell, by, kept_ms)
