"""received or matching → matching: no vendor yet, and why."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.codes import RequestState
from contracts.instants import to_instant
from contracts.unmatched import Unmatched
from dispatcher.domain.commands.subjects import OnRequest
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.messages import changed
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord, moved, noted
from dispatcher.domain.states import OPEN


class ExplainUnmatched(OnRequest, frozen=True, kw_only=True):
    """Why there is no vendor yet, as the matcher found it."""

    unmatched: Unmatched


@decides(ExplainUnmatched, REQUEST)
def explain(record: RequestRecord, command: ExplainUnmatched, context: Context) -> Decision | None:
    """Keep the reasons of the newest attempt, with who was asked; None when they are the same as before.

    Where they say that nobody is left to ask, a task is opened with them (`follow_up`).

    Raises WrongState when the request no longer waits for a vendor.
    """
    if record.state not in OPEN:
        raise WrongState(
            f"request {record.id} is {record.state}; nothing to explain", state=record.state.value
        )
    reasons = replace(command.unmatched, asked=record.asked, explained_at=to_instant(context.now_ms))
    if _same(record.unmatched, reasons):
        return None
    if record.state is RequestState.MATCHING:
        after = noted(record, context, unmatched=reasons)
        return Decision(changes=(Change(record, after),), at_ms=context.now_ms)
    rule = command.unmatched.last_rule
    after = moved(record, RequestState.MATCHING, context, rule, unmatched=reasons)
    news = changed(after, context.by, rule)
    return Decision(changes=(Change(record, after),), messages=(news,), at_ms=context.now_ms)


def _same(known: Unmatched | None, fresh: Unmatched) -> bool:
    """Whether two explanations say the same, whenever they were made."""
    return known is not None and replace(known, explained_at=None) == replace(fresh, explained_at=None)
