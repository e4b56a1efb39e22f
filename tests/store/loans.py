"""A second kind of record, made for tests alone: a wheelchair lent for a ride, until it is back."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from contracts.instants import HOUR_MS
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.kinds import Entry, Kind
from tests.store.made import NOW_MS, changed, record

OUT, BACK = "loans:out", "loans:back"


class Loan(Record, frozen=True, tag=1):
    """Out until it is back; `due_ms` is when somebody is reminded, or when it is forgotten."""

    due_ms: int
    back: bool = False
    reminders: int = 0


def loan(loan_id: str, due_ms: int = NOW_MS + HOUR_MS, **changes: Any) -> Loan:
    return replace(Loan(loan_id, 1, due_ms), **changes)


def lent(loan_id: str, due_ms: int = NOW_MS + HOUR_MS) -> Decision:
    """A new loan, and word of it."""
    return step(None, loan(loan_id, due_ms))


def returned(before: Loan) -> Decision:
    """The wheelchair is back."""
    return step(before, replace(before, version=before.version + 1, back=True))


def step(before: Loan | None, after: Loan | None) -> Decision:
    """One step of one loan, told on `events`."""
    change = Change(before, after)
    news = replace(changed(record(change.record.id)), subject=f"loan {change.record.id}")
    return Decision(changes=(change,), messages=(news,), at_ms=NOW_MS)


def on_timer(before: Loan, context: Context) -> Decision | None:
    """Remind once an hour; forget what is back."""
    if before.due_ms > context.now_ms:
        return None
    if before.back:
        return step(before, None)
    later = context.now_ms + HOUR_MS
    return step(
        before, replace(before, version=before.version + 1, due_ms=later, reminders=before.reminders + 1)
    )


def _may_become(before: Loan | None, after: Loan | None) -> bool:
    if before is None:
        return after is not None and not after.back
    return before.back if after is None else not before.back


LOAN_KIND = Kind(
    name="loan",
    form=Loan,
    key="loan",
    timers="timers:loan",
    timer_ms=lambda each: each.due_ms,
    lists=lambda each: {Entry(BACK if each.back else OUT, each.id): each.due_ms},
    may_become=_may_become,
    on_timer=on_timer,
)
