"""Work in sequence stays in sequence (P10): what may be planned.

An offer is refused unless it stands in sequence with all that goes before it and with the dispatches that go
after it, but for those that may be asked to start later by now (`giving_way`). Nobody is on two rides at once
either (`apart`). Offers that nobody has answered yet give way instead: `with_sequence`, which follows every
decision, withdraws them, and relies on all that was looked at as it was read.
"""

from __future__ import annotations

from contracts.instants import to_instant
from dispatcher.domain.apart import meeting
from dispatcher.domain.context import Context
from dispatcher.domain.giving_way import may_follow
from dispatcher.domain.links import Link, Span, bounds_of, span_of, successors
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord

RULE = "sequence"  # in reasons why a request has no vendor


def refuse_out_of_sequence(record: RequestRecord, span: Span, context: Context) -> None:
    """Raises WrongState where work from start to end would break the sequence that it stands in."""
    reason = out_of_sequence(record, span, context)
    if reason:
        raise WrongState(
            f"request {record.id} cannot be offered: {reason}\nMaybe another start, or release it.",
            state=record.state.value,
        )


def out_of_sequence(record: RequestRecord, span: Span, context: Context) -> str:
    """Why the work may not be done then, in words; empty where it may."""
    for link in record.after:
        if reason := _after(link, span, context):
            return reason
    for other, link in successors(record, context.related):
        dispatch = other.dispatch
        if dispatch is None or bounds_of(link, span).hold(dispatch.start_ms):
            continue
        if not may_follow(other, link, span, context.now_ms, context.values):
            return f"{other.id} goes after it and starts at {_told(dispatch.start_ms)}"
    other_ride = meeting(record, span, context)
    return f"its passenger would be on {other_ride} at the same time" if other_ride else ""


def _after(link: Link, span: Span, context: Context) -> str:
    name = link.request_id
    if link.broken:
        return f"{name}, which goes before it, is {link.broken}"
    before = span_of(link, context.related.get(name), context.values)
    if before is None:
        return f"{name}, which goes before it, has no vendor"
    if not bounds_of(link, before).hold(span.start_ms):
        return f"{name} goes before it, and it would start at {_told(span.start_ms)}"
    return ""


def _told(at_ms: int) -> str:
    return to_instant(at_ms).isoformat()
