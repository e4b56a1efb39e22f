"""— → received or on hold: a request enters, with a deadline for finding its vendor."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.codes import RequestState, Requirement
from contracts.instants import HOUR_MS, to_instant, to_ms
from contracts.requests import Request
from contracts.will_call import WillCall
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.links import Link, link_of
from dispatcher.domain.messages import changed
from dispatcher.domain.needed import Needed
from dispatcher.domain.refusals import Invalid
from dispatcher.domain.requests import RequestRecord, Transition, step
from dispatcher.domain.will_call import CallSpan, call_span
from dispatcher.domain.windows import Leaves, StartWindow, at_once, start_window

WANTED = Requirement.AUTHORIZATION
LATE_MS = 12 * HOUR_MS  # a day at a clinic may end after midnight


def receive(
    request: Request,
    context: Context,
    leaves: Leaves = at_once,
    standing_order: str = "",
    authorization: Needed | None = None,
) -> Decision:
    """The first version of the record. `leaves` times the ride to an appointment. Raises Invalid: it is past.

    `standing_order`: which one makes it; `authorization`: what it needs one for.
    """
    span = _span(request.id, request.on_call, context) if request.on_call is not None else None
    window = asked_window(request, context, leaves)
    match_by_ms = deadline(request, window, context.now_ms) if span is None else span.until_ms
    history = _history(codes := _held_for(request, authorization), context)
    after = RequestRecord(
        id=request.id,
        version=1,
        state=history[-1].state,
        kind=str(request.__struct_config__.tag),
        received_ms=context.now_ms,
        match_by_ms=match_by_ms,
        earliest_ms=window.earliest_ms,
        latest_ms=window.latest_ms,
        timer_ms=match_by_ms if span is None else span.evening_ms,
        call_by_ms=span.evening_ms if span is not None else 0,
        history=history,
        requirements=request.requirements,
        service_class=request.service_class.value,
        priority=request.priority,
        after=_links(request),
        standing_order=standing_order,
        episode=request.episode or "",
        facility=request.facility or "",
        payer=request.payer or "",
        authorization=authorization,
        return_of=request.way_back_of or "",
        trace=context.trace,
    )
    return _received(after, codes, context)


def _history(codes: Sequence[str], context: Context) -> tuple[Transition, ...]:
    held = [step(RequestState.ON_HOLD, context, code) for code in codes]
    return (step(RequestState.RECEIVED, context), *held)


def _received(after: RequestRecord, codes: Sequence[str], context: Context) -> Decision:
    news = changed(after, context.by, codes[-1] if codes else "", event="received")
    return Decision(changes=(Change(None, after),), messages=(news,), at_ms=context.now_ms)


def _held_for(request: Request, authorization: Needed | None) -> list[str]:
    """Why it is on hold, each reason by its code; of an authorization what it lacks, where that is known."""
    lacks = authorization.lacks if authorization is not None else ""
    return [lacks if lacks and each is WANTED else each.value for each in request.requirements]


def asked_window(request: Request, context: Context, leaves: Leaves = at_once) -> StartWindow:
    """The window that a new request asks for; of a will-call, when it may be called."""
    if request.on_call is None:
        return start_window(request, context.values, leaves)
    span = call_span(request.on_call, context.tz, context.values)
    return StartWindow(span.opens_ms, span.until_ms)


def _links(request: Request) -> tuple[Link, ...]:
    """What goes before it; of a way back the leg there, whether or not it says more about that."""
    links = tuple(map(link_of, request.after))
    there = request.way_back_of
    if there is None or there in {each.request_id for each in links}:
        return links
    return (*links, Link(request_id=there))


def _span(name: str, asked: WillCall, context: Context) -> CallSpan:
    """When a will-call may be called. Raises Invalid when that is over, or `until` is of another day."""
    span = call_span(asked, context.tz, context.values)
    whole_day = call_span(WillCall(day=asked.day), context.tz, context.values)
    if not span.opens_ms < span.until_ms <= whole_day.until_ms + LATE_MS:
        raise Invalid(
            f"will-call {name} is for {asked.day.isoformat()}, and may be called until "
            f"{to_instant(span.until_ms).isoformat()}\nMaybe leave until out: its day's end is the default.",
            request_id=name,
        )
    if span.until_ms <= context.now_ms:
        raise Invalid(
            f"will-call {name} could be called until {to_instant(span.until_ms).isoformat()}, "
            f"and it is {to_instant(context.now_ms).isoformat()}\nMaybe its day is a wrong one.",
            request_id=name,
        )
    return span


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
