"""A dispatch that starts out of sequence: its vendor is asked for another start, by the service itself.

Once for each change of what its start is bound by, and so often at most. The request stays as it is, and so
does the dispatch until its vendor agrees: what to do where it does not, a person says, who has a task from
the moment at which the sequence was at risk.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from contracts.amendments import MAX_AMENDMENTS, AmendmentOutcome
from contracts.codes import RequestState
from contracts.tasks import TaskKind, TaskState
from contracts.tuning import Parameter
from dispatcher.domain.context import Context
from dispatcher.domain.links import EARLY, Bounds, bounds, has_begun
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.tasks import TaskRecord

OFTEN = Parameter(
    name="sequence_retimes",
    default=4,
    minimum=0,
    maximum=8,
    unit="times",
    summary="So often the vendor of a dispatch is asked for another start by itself, once what goes before "
    "it moved; 0: never.",
    scope="domain.retiming",
)
PARAMETERS = (OFTEN,)
GO_ON = ("releaseRequest",)  # it has begun
WAIT = ("releaseRequest", "cancelRequest")  # while its vendor is asked
SETTLE = ("settlePrice",)
ANSWER = ("amendRequest", "finishTask")  # so wide; or not, and say so
DECIDE = ("amendRequest", *WAIT)  # another window; another vendor if this one does not agree


def retiming(
    record: RequestRecord, related: Mapping[str, Any], context: Context, *, is_late: bool
) -> RequestRecord:
    """With the moment at which its vendor is asked, or without the question where that is none any more."""
    dispatch = record.dispatch
    if dispatch is None:
        return replace(record, retime_ms=0, retimed_ms=0)
    if not is_late:
        return replace(_without(record, context), retimed_ms=0)
    if record.state is not RequestState.ACCEPTED or has_begun(record):
        return _without(record, context)
    within, asked = bounds(record, related, context.values), record.pending
    if within is None or (asked is not None and not asked.retimes):
        return replace(record, retime_ms=0)
    if asked is not None and asked.placed is not None and within.hold(asked.placed.start_ms):
        return replace(record, retime_ms=0)
    if mark_of(within) == record.retimed_ms:
        return replace(record, retime_ms=0)
    if len(record.retimings) >= OFTEN.whole(context.values) or len(record.amendments) >= MAX_AMENDMENTS:
        return _without(record, context)
    return replace(record, retime_ms=record.retime_ms or context.now_ms)


def mark_of(within: Bounds) -> int:
    """What its vendor is asked for: another bound is another question."""
    return within.not_before_ms or within.not_after_ms or 0


def could(task: TaskRecord) -> tuple[str, ...]:
    """What somebody could do about a sequence at risk, a wider window that is asked for, or a dispute."""
    if task.kind is TaskKind.PRICE_DISPUTE and task.state is not TaskState.DONE:
        return SETTLE
    if task.kind is TaskKind.WINDOW_ASKED and task.state is not TaskState.DONE:
        return ANSWER
    if task.kind is not TaskKind.SEQUENCE_AT_RISK or task.state is TaskState.DONE:
        return ()
    if task.code == EARLY:
        return GO_ON
    return WAIT if task.retiming == AmendmentOutcome.PENDING.value else DECIDE


def _without(record: RequestRecord, context: Context) -> RequestRecord:
    """It need not be asked (any more), or may not."""
    asked = record.pending
    if asked is None or not asked.retimes:
        return replace(record, retime_ms=0)
    over = asked.settled(AmendmentOutcome.WITHDRAWN, context.now_ms, made=False)
    return replace(record, retime_ms=0, amendments=(*record.amendments[:-1], over))
