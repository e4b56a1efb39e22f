"""on hold → received: a will-call is called; it has a window from now on, and is sought for at once.

Called again for another time, it is sought for that, as long as no vendor is asked.
"""

from __future__ import annotations

from typing import NoReturn

from contracts.codes import Priority, RequestState, Requirement
from contracts.instants import MINUTE_MS, to_instant
from dispatcher.domain.commands.subjects import OnRequest
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Message
from dispatcher.domain.legs import planned_end_ms
from dispatcher.domain.messages import activated, changed
from dispatcher.domain.refusals import Invalid, WrongState, no_such
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.rights import MAY_RELEASE
from dispatcher.domain.states import TERMINAL
from dispatcher.domain.will_call import MINUTES, call_of, called_window
from dispatcher.domain.windows import StartWindow

ACTIVATED = "activated"  # the code of the step in the request's history
AT_LEAST = Priority.ASAP  # somebody waits at a door


class ActivateRequest(OnRequest, frozen=True, kw_only=True):
    """The passenger of a will-call is ready: at `ready_ms`, or (None) now."""

    ready_ms: int | None = None


@decides(ActivateRequest, REQUEST, roles=MAY_RELEASE[Requirement.ACTIVATION])
def activate(record: RequestRecord, command: ActivateRequest, context: Context) -> Decision | None:
    """Give it the window of its call; None when it was called before for that time, or for now.

    What else it waits for it goes on waiting for. Raises NotFound for another facility's;
    WrongState when it has ended, is no will-call, or was called for another time and a vendor is asked;
    Invalid for a time beyond those that it was submitted with, or before its own way there has ended.
    """
    if context.facility_id not in ("", record.facility):
        raise no_such(command.named)
    if record.state in TERMINAL:
        advice = "submit a ride of its own" if record.state is not RequestState.COMPLETED else "look at it"
        raise WrongState(
            f"request {record.id} is {record.state}; it cannot be activated\nMaybe {advice}.",
            state=record.state.value,
        )
    if not record.waits_for_call:
        if record.activated_ms:
            return _called_again(record, command.ready_ms, context)
        raise WrongState(
            f"request {record.id} is {record.state} and no will-call: it has its time\n"
            "Maybe another one was meant.",
            state=record.state.value,
        )
    ready_ms = context.now_ms if command.ready_ms is None else command.ready_ms
    _refuse_odd(record, ready_ms, (record.earliest_ms, record.latest_ms), context)
    return _called(record, ready_ms, context)


def _called_again(record: RequestRecord, ready_ms: int | None, context: Context) -> Decision | None:
    """At that other time, while nobody has it; a minute more or less is what two desks say of one time."""
    if ready_ms is None or abs(ready_ms - record.earliest_ms) < MINUTE_MS:
        return None
    if record.live_offers or not record.callable_ms:
        told = to_instant(record.earliest_ms).astimezone(context.tz).isoformat()
        raise WrongState(
            f"request {record.id} was activated for {told}, and a vendor is asked or has it\n"
            "Maybe write to its vendor; or cancel it, and submit a ride with a pickup_window for that time.",
            state=record.state.value,
        )
    _refuse_odd(record, ready_ms, record.callable_ms, context)
    window = called_window(ready_ms, context.values)
    after = moved(record, record.state, context, ACTIVATED, unmatched=None, **_timed(window))
    return Decision(changes=(Change(record, after),), messages=_told(after, context), at_ms=context.now_ms)


def _called(record: RequestRecord, ready_ms: int, context: Context) -> Decision:
    window = called_window(ready_ms, context.values)
    left = tuple(each for each in record.requirements if each is not Requirement.ACTIVATION)
    after = moved(
        record,
        RequestState.ON_HOLD if left else RequestState.RECEIVED,
        context,
        ACTIVATED,
        requirements=left,
        call_by_ms=0,
        activated_ms=context.now_ms,
        callable_ms=(record.earliest_ms, record.latest_ms),
        priority=max(record.priority, AT_LEAST, key=lambda each: each.rank),
        **_timed(window),
    )
    return Decision(
        changes=(Change(record, after),),
        messages=_told(after, context),
        called=call_of(ready_ms, context.tz),
        at_ms=context.now_ms,
    )


def _timed(window: StartWindow) -> dict[str, int]:
    return {**window._asdict(), "match_by_ms": window.latest_ms}


def _told(after: RequestRecord, context: Context) -> tuple[Message, ...]:
    return activated(after, context.by), changed(after, context.by, ACTIVATED)


def _refuse_odd(record: RequestRecord, ready_ms: int, within: tuple[int, ...], context: Context) -> None:
    """Raises Invalid for a time that this will-call cannot have; `within`: from when until when it may be."""
    earliest_ms, latest_ms = within
    minutes, ready = MINUTES.whole(context.values), to_instant(ready_ms).isoformat()
    if context.now_ms >= latest_ms:  # its timer is about to say so
        until = to_instant(latest_ms).isoformat()
        raise WrongState(
            f"request {record.id} could be activated until {until}\nMaybe submit a ride of its own.",
            state=record.state.value,
        )
    if ready_ms + minutes * MINUTE_MS <= context.now_ms:
        _refuse(
            record, f"ready_at {ready} was over {minutes} minutes ago", "leave it out: now is the default"
        )
    if not earliest_ms <= ready_ms < latest_ms:
        first, last = (to_instant(each).astimezone(context.tz) for each in within)
        span = f"from {first.isoformat()} and before {last.isoformat()}"
        _refuse(record, f"ready_at {ready} is not {span}", "submit a ride for that time")
    there = context.related.get(record.return_of)
    if isinstance(there, RequestRecord) and ready_ms < planned_end_ms(there):
        if context.facility_id:  # reads nothing of another request
            why = f"ready_at {ready} is before the end of its way there"
            _refuse(record, why, "call the coordinator, where that ride is over")
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
