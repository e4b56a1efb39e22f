"""Requests that end without a vendor count against how their group fares, in the same commit."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.codes import RequestState
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.fairness import GroupCount, left_out
from dispatcher.domain.requests import RequestRecord


def with_left_out(decision: Decision, context: Context) -> Decision:
    """The decision with a count of each request that the matcher could not match, and that ends in it."""
    found = tuple(filter(None, (_left_out(each, context) for each in decision.changes)))
    return replace(decision, groups=(*decision.groups, *found)) if found else decision


def _left_out(change: Change, context: Context) -> GroupCount | None:
    """None for one that nobody looked for a vendor for: the matcher had not said why, or it was on hold."""
    before, after = change.before, change.after
    if not isinstance(before, RequestRecord) or not isinstance(after, RequestRecord):
        return None
    ends = after.state is RequestState.UNMATCHED and before.state is not after.state
    if not ends or before.requirements or before.unmatched is None or not before.unmatched.group:
        return None
    return left_out(before.unmatched.group, context.now_ms, offered=bool(before.offers))
