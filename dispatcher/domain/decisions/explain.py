"""received or matching → matching: no vendor yet, and why."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.codes import RequestState
from contracts.unmatched import Unmatched
from dispatcher.domain.decision import Decision
from dispatcher.domain.instants import to_instant
from dispatcher.domain.messages import changed
from dispatcher.domain.record import RequestRecord
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.states import OPEN
from dispatcher.domain.transitions import step

BY = "matcher"


def explain(record: RequestRecord, unmatched: Unmatched, now_ms: int) -> Decision | None:
    """Keep the reasons of the newest attempt; None when they are the same as before.

    Raises WrongState when the request no longer waits for a vendor.
    """
    if record.state not in OPEN:
        raise WrongState(
            f"request {record.id} is {record.state}; nothing to explain", state=record.state.value
        )
    if _same(record.unmatched, unmatched):
        return None
    reasons = replace(unmatched, explained_at=to_instant(now_ms))
    if record.state is RequestState.MATCHING:
        after = replace(record, version=record.version + 1, unmatched=reasons)
        return Decision(before=record, after=after)
    after = step(record, RequestState.MATCHING, now_ms, BY, unmatched.last_rule, unmatched=reasons)
    return Decision(before=record, after=after, messages=(changed(after, BY, unmatched.last_rule),))


def _same(known: Unmatched | None, fresh: Unmatched) -> bool:
    """Whether two explanations say the same, whenever they were made."""
    return known is not None and replace(known, explained_at=None) == replace(fresh, explained_at=None)
