"""— → received or on hold: a request enters, with a deadline for finding its vendor."""

from __future__ import annotations

from contracts.codes import RequestState
from contracts.instants import to_instant, to_ms
from contracts.requests import Request
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.links import link_of
from dispatcher.domain.messages import changed
from dispatcher.domain.needed import Needed
from dispatcher.domain.refusals import Invalid
from dispatcher.domain.requests import RequestRecord, step
from dispatcher.domain.windows import Leaves, StartWindow, at_once, start_window


def receive(
    request: Request,
    context: Context,
    leaves: Leaves = at_once,
    standing_order: str = "",
    authorization: Needed | None = None,
) -> Decision:
    """The first version of the record. `leaves` times the ride to an appointment.

    `standing_order`: which one makes it; `authorization`: what it needs one for.

    Raises Invalid when the window or the deadline has passed.
    """
    window = start_window(request, context.values, leaves)
    match_by_ms = deadline(request, window, context.now_ms)
    codes = [each.value for each in request.requirements]
    held = [step(RequestState.ON_HOLD, context, code) for code in codes]
    history = (step(RequestState.RECEIVED, context), *held)
    after = RequestRecord(
        id=request.id,
        version=1,
        state=history[-1].state,
        kind=str(request.__struct_config__.tag),
        received_ms=context.now_ms,
        match_by_ms=match_by_ms,
        earliest_ms=window.earliest_ms,
        latest_ms=window.latest_ms,
        timer_ms=match_by_ms,
        history=history,
        requirements=request.requirements,
        service_class=request.service_class.value,
        priority=request.priority,
        after=tuple(map(link_of, request.after)),
        standing_order=standing_order,
        episode=request.episode or "",
        authorization=authorization,
    )
    news = changed(after, context.by, codes[-1] if codes else "", event="received")
    return Decision(changes=(Change(None, after),), messages=(news,), at_ms=context.now_ms)


def deadline(request: Request, window: StartWindow, now_ms: int) -> int:
    """The deadline given, at most the end of the window. Raises Invalid when either has passed."""
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
