"""— → received or on hold: a request enters, with a deadline for finding its vendor."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.codes import RequestState
from contracts.requests import Request
from contracts.tuning import Number
from dispatcher.domain.decision import Decision
from dispatcher.domain.instants import to_instant, to_ms
from dispatcher.domain.messages import changed
from dispatcher.domain.record import RequestRecord, Step
from dispatcher.domain.refusals import Invalid
from dispatcher.domain.windows import StartWindow, start_window

BY = "platform"


def receive(
    request: Request, now_ms: int, values: Mapping[str, Number], *, travel_s: float = 0.0
) -> Decision:
    """The first version of the record. `travel_s` estimates the ride to an appointment.

    Raises Invalid when the window or the deadline has passed.
    """
    window = start_window(request, values, travel_s=travel_s)
    match_by_ms = _match_by(request, window, now_ms)
    code = request.hold.value if request.hold else ""
    held = (Step(RequestState.ON_HOLD, now_ms, BY, code),) if code else ()
    history = (Step(RequestState.RECEIVED, now_ms, BY), *held)
    after = RequestRecord(
        id=request.id,
        version=1,
        state=history[-1].state,
        kind=str(request.__struct_config__.tag),
        received_ms=now_ms,
        match_by_ms=match_by_ms,
        earliest_ms=window.earliest_ms,
        latest_ms=window.latest_ms,
        timer_ms=match_by_ms,
        history=history,
    )
    return Decision(before=None, after=after, messages=(changed(after, BY, code, event="received"),))


def _match_by(request: Request, window: StartWindow, now_ms: int) -> int:
    """The deadline given, at most the end of the window."""
    if window.latest_ms <= now_ms:
        raise Invalid(
            f"request {request.id} could start at {to_instant(window.latest_ms).isoformat()} at the latest, "
            f"and it is {to_instant(now_ms).isoformat()}\nMaybe the window has a wrong day or time zone.",
            request_id=request.id,
        )
    match_by_ms = window.latest_ms if request.match_by is None else to_ms(request.match_by)
    if match_by_ms <= now_ms:
        raise Invalid(
            f"match_by of request {request.id} has passed: it is {to_instant(now_ms).isoformat()}\n"
            "Maybe leave match_by out: the end of the window is the default.",
            request_id=request.id,
        )
    return min(match_by_ms, window.latest_ms)
