"""received or matching ↔ on_hold: no vendor is sought while something that it waits for is missing."""

from __future__ import annotations

from contracts.codes import RequestState, Requirement, Role
from dispatcher.domain.commands.subjects import OnRequest
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.messages import changed
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.states import OPEN


class HoldRequest(OnRequest, frozen=True, kw_only=True):
    """Seek no vendor until the request has what it waits for; its deadline runs on."""

    requirement: Requirement


class ResumeRequest(OnRequest, frozen=True, kw_only=True):
    """What it waited for is there: one requirement, or (None) all of them but a will-call's activation."""

    requirement: Requirement | None = None


@decides(HoldRequest, REQUEST, roles={Role.PLATFORM, Role.OPS})
def hold(record: RequestRecord, command: HoldRequest, context: Context) -> Decision | None:
    """Add to what it waits for; None when it waits for that already.

    Raises WrongState when a vendor has it, or it has ended: what a vendor has is cancelled, not held.
    """
    if command.requirement in record.requirements:
        return None
    if command.requirement is Requirement.ACTIVATION:
        raise WrongState(
            f"request {record.id} does not wait for its activation: a will-call does so from the beginning\n"
            "Maybe hold it for another reason, or submit it anew as a will-call.",
            state=record.state.value,
        )
    if record.state not in OPEN and record.state is not RequestState.ON_HOLD:
        raise WrongState(
            f"request {record.id} is {record.state}; it cannot be put on hold\n"
            "Maybe cancel it, and submit it on hold under another id.",
            state=record.state.value,
        )
    wanted = (*record.requirements, command.requirement)
    return _waiting_for(record, RequestState.ON_HOLD, wanted, command.requirement.value, context)


@decides(ResumeRequest, REQUEST, roles={Role.PLATFORM, Role.OPS})
def resume(record: RequestRecord, command: ResumeRequest, context: Context) -> Decision | None:
    """Seek a vendor once nothing is missing; None when it does not wait for that.

    Raises WrongState when a vendor has it, or it has ended; and for the activation of a will-call, which
    takes a time.
    """
    if record.waits_for_call and command.requirement is Requirement.ACTIVATION:
        raise WrongState(
            f"request {record.id} is a will-call; it is not resumed\nMaybe activate it: that says when.",
            state=record.state.value,
        )
    if record.state in OPEN:
        return None
    if record.state is not RequestState.ON_HOLD:
        raise WrongState(
            f"request {record.id} is {record.state}; it is not on hold\nMaybe it was resumed before.",
            state=record.state.value,
        )
    there = command.requirement
    kept = {Requirement.ACTIVATION} if there is None else set(Requirement) - {there}
    left = tuple(each for each in record.requirements if each in kept)
    if left == record.requirements:
        return None
    code = there.value if there else ""
    if left:  # a history tells what was lifted from what went missing
        return _waiting_for(record, RequestState.ON_HOLD, left, f"{code or 'all_else'}_lifted", context)
    return _waiting_for(record, RequestState.RECEIVED, left, code, context)


def _waiting_for(
    record: RequestRecord,
    state: RequestState,
    requirements: tuple[Requirement, ...],
    code: str,
    context: Context,
) -> Decision:
    after = moved(record, state, context, code, requirements=requirements)
    news = changed(after, context.by, code)
    return Decision(changes=(Change(record, after),), messages=(news,), at_ms=context.now_ms)
