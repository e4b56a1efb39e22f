"""received or matching ↔ on_hold: no vendor is sought while something that it waits for is missing.

Each requirement is somebody's to provide, and nobody else lifts it: `domain.rights` says whose.
"""

from __future__ import annotations

from msgspec.structs import replace

from contracts.codes import RequestState, Requirement, TrackingStatus
from dispatcher.domain.commands.subjects import OnRequest
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.messages import changed
from dispatcher.domain.needed import Needed
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.rights import MAY_HOLD, MAY_RELEASE, READERS, by_right
from dispatcher.domain.states import OPEN, TERMINAL

LIFT = "Maybe ask one of them to, and lift the requirement that is yours by its name."


class HoldRequest(OnRequest, frozen=True, kw_only=True):
    """Seek no vendor until the request has what it waits for; its deadline runs on."""

    requirement: Requirement


class ResumeRequest(OnRequest, frozen=True, kw_only=True):
    """What it waited for is there: one requirement, or (None) all but a will-call's activation.

    Each is lifted by who may.
    """

    requirement: Requirement | None = None


@decides(HoldRequest, REQUEST, roles=READERS)
def hold(record: RequestRecord, command: HoldRequest, context: Context) -> Decision | None:
    """Add to what it waits for; None when it waits for that already.

    Raises WrongState when a vendor has it, or it has ended: what a vendor has is cancelled, not held.
    NotAllowed for a requirement that is another role's.
    """
    if command.requirement in record.requirements:
        return None
    if command.requirement is Requirement.ACTIVATION:
        raise WrongState(
            f"request {record.id} does not wait for its activation: a will-call does so from the beginning\n"
            "Maybe hold it for another reason, or submit it anew as a will-call.",
            state=record.state.value,
        )
    what = f"to hold request {record.id} for {command.requirement}"
    context = by_right(context, MAY_HOLD[command.requirement], what, "Maybe ask one of them to.")
    if record.state not in OPEN and record.state is not RequestState.ON_HOLD:
        raise WrongState(
            f"request {record.id} is {record.state}; it cannot be put on hold\n"
            f"Maybe {_instead(record)} submit it on hold under another id.",
            state=record.state.value,
        )
    wanted = (*record.requirements, command.requirement)
    asked = record.authorization
    if asked is not None and command.requirement is Requirement.AUTHORIZATION:
        asked = replace(asked, waived=False, by_hand=True, lacks="")
    code = command.requirement.value
    return _waiting_for(record, RequestState.ON_HOLD, wanted, code, context, asked=asked)


@decides(ResumeRequest, REQUEST, roles=READERS)
def resume(record: RequestRecord, command: ResumeRequest, context: Context) -> Decision | None:
    """Seek a vendor once nothing is missing; None when it does not wait for that.

    Raises WrongState when a vendor has it, or it has ended, and for the activation of a will-call, which
    takes a time; NotAllowed where one is lifted that is another's.
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
    for each in sorted(set(record.requirements) - set(left), key=_how_many_may, reverse=True):
        context = by_right(context, MAY_RELEASE[each], f"to lift {each} off request {record.id}", LIFT)
    code, asked = there.value if there else "", record.authorization
    if asked is not None and Requirement.AUTHORIZATION in set(record.requirements) - set(left):
        asked = replace(asked, waived=True, by_hand=False, lacks="")
    if left:  # a history tells what was lifted from what went missing
        return _waiting_for(
            record, RequestState.ON_HOLD, left, f"{code or 'all_else'}_lifted", context, asked=asked
        )
    return _waiting_for(record, RequestState.RECEIVED, left, code, context, asked=asked)


def _instead(record: RequestRecord) -> str:
    if record.state in TERMINAL:
        return "nothing is left to hold; or"
    if record.status is TrackingStatus.ON_BOARD:
        return "call the vendor: the passenger is on board; or, once it has ended,"
    return "cancel it, and"


def _how_many_may(requirement: Requirement) -> int:
    """So that of several that are lifted at once, the history names the rarest right."""
    return len(MAY_RELEASE[requirement])


def _waiting_for(
    record: RequestRecord,
    state: RequestState,
    requirements: tuple[Requirement, ...],
    code: str,
    context: Context,
    *,
    asked: Needed | None,
) -> Decision:
    links = record.after
    if Requirement.PREDECESSOR not in requirements:  # go anyway: what was not done is waited for no more
        links = tuple(each for each in links if not each.broken)
    after = moved(record, state, context, code, requirements=requirements, after=links, authorization=asked)
    news = changed(after, context.by, code)
    changes = (Change(record, after),)
    return Decision(changes=changes, messages=(news,), at_ms=context.now_ms, by=context.by)
