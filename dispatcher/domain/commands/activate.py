"""on hold → received: a will-call is called; it has a window from now on, and is sought for at once."""

from __future__ import annotations

from typing import NoReturn

from contracts.codes import Priority, RequestState, Requirement
from contracts.instants import MINUTE_MS, to_instant
from dispatcher.domain.commands.subjects import OnRequest
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.legs import planned_end_ms
from dispatcher.domain.messages import activated, changed
from dispatcher.domain.refusals import Invalid, NotFound, WrongState
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.rights import MAY_RELEASE
from dispatcher.domain.states import TERMINAL
from dispatcher.domain.will_call import MINUTES, call_of, called_window

ACTIVATED = "activated"  # the code of the step in the request's history
AT_LEAST = Priority.ASAP  # somebody waits at a door


class ActivateRequest(OnRequest, frozen=True, kw_only=True):
    """The passenger of a will-call is ready: at `ready_ms`, or (None) now."""

    ready_ms: int | None = None


@decides(ActivateRequest, REQUEST, roles=MAY_RELEASE[Requirement.ACTIVATION])
def activate(record: RequestRecord, command: ActivateRequest, context: Context) -> Decision | None:
    """Give it the window of its call; None when it was called before, whatever that call said.

    What else it waits for it goes on waiting for. Raises NotFound for another facility's;
    WrongState when it has ended or is no will-call; Invalid for a time beyond those that it was submitted
    with, or before its own way there has ended.
    """
    if context.facility_id not in ("", record.facility):
        raise NotFound(f"there is no {command.named}\nMaybe the id is misspelt.")
    if record.state in TERMINAL:
        advice = "submit a ride of its own" if record.state is not RequestState.COMPLETED else "look at it"
        raise WrongState(
            f"request {record.id} is {record.state}; it cannot be activated\nMaybe {advice}.",
            state=record.state.value,
        )
    if not record.waits_for_call:
        if record.activated_ms:
            return None
        raise WrongState(
            f"request {record.id} is {record.state} and no will-call: it has its time\n"
            "Maybe another one was meant.",
            state=record.state.value,
        )
    ready_ms = context.now_ms if command.ready_ms is None else command.ready_ms
    _refuse_odd(record, ready_ms, context)
    return _called(record, ready_ms, context)


def _called(record: RequestRecord, ready_ms: int, context: Context) -> Decision:
    window = called_window(ready_ms, context.values)
    left = tuple(each for each in record.requirements if each is not Requirement.ACTIVATION)
    after = moved(
        record,
        RequestState.ON_HOLD if left else RequestState.RECEIVED,
        context,
        ACTIVATED,
        requirements=left,
        earliest_ms=window.earliest_ms,
        latest_ms=window.latest_ms,
        match_by_ms=window.latest_ms,
        call_by_ms=0,
        activated_ms=context.now_ms,
        priority=max(record.priority, AT_LEAST, key=lambda each: each.rank),
    )
    return Decision(
        changes=(Change(record, after),),
        messages=(activated(after, context.by), changed(after, context.by, ACTIVATED)),
        called=call_of(ready_ms, context.tz),
        at_ms=context.now_ms,
    )


def _refuse_odd(record: RequestRecord, ready_ms: int, context: Context) -> None:
    """Raises Invalid for a time that this will-call cannot have."""
    minutes, ready = MINUTES.whole(context.values), to_instant(ready_ms).isoformat()
    if context.now_ms >= record.latest_ms:  # its timer is about to say so
        until = to_instant(record.latest_ms).isoformat()
        raise WrongState(
            f"request {record.id} could be activated until {until}\nMaybe submit a ride of its own.",
            state=record.state.value,
        )
    if ready_ms + minutes * MINUTE_MS <= context.now_ms:
        _refuse(
            record, f"ready_at {ready} was over {minutes} minutes ago", "leave it out: now is the default"
        )
    if not record.earliest_ms <= ready_ms < record.latest_ms:
        first, last = (
            to_instant(each).astimezone(context.tz) for each in (record.earliest_ms, record.latest_ms)
        )
        span = f"from {first.isoformat()} and before {last.isoformat()}"
        _refuse(record, f"ready_at {ready} is not {span}", "submit a ride for that time")
    there = context.related.get(record.return_of)
    if isinstance(there, RequestRecord) and ready_ms < planned_end_ms(there):
        end = to_instant(planned_end_ms(there)).isoformat()
        _refuse(
            record,
            f"ready_at {ready} is before the end of its way there: {there.id} ends at {end}",
            "give a later one; or, where that ride is over and nobody has reported it, release this one",
        )


def _refuse(record: RequestRecord, what: str, advice: str) -> NoReturn:
    raise Invalid(
        f"{what}; request {record.id} cannot be activated so\nMaybe {advice}.", request_id=record.id
    )
