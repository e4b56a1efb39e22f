"""A wider window is asked for, not taken: the platform amends its request, or says that it cannot be.

The request stays as it is. What is asked stands in a task of the platform's, which ends by itself once the
window is as wide, or the work goes on without it.
"""

from __future__ import annotations

from msgspec.structs import replace

from contracts.codes import RequestState
from contracts.instants import to_instant
from contracts.tasks import TaskKind, TaskState
from dispatcher.domain.commands.subjects import OnRequest
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.messages import changed, window_asked
from dispatcher.domain.refusals import Invalid, Unreadable, WrongState
from dispatcher.domain.requests import RequestRecord, moved, noted
from dispatcher.domain.rights import CHOOSERS
from dispatcher.domain.states import TERMINAL
from dispatcher.domain.tasks import TaskRecord, news, opened, reopened
from dispatcher.domain.tasks import changed as task_changed

ASKED = "window_asked"  # in the history
KIND = TaskKind.WINDOW_ASKED


class AskForWindow(OnRequest, frozen=True, kw_only=True):
    """Ask the platform for this window, which holds all of the present one."""

    earliest_ms: int
    latest_ms: int


@decides(AskForWindow, REQUEST, roles=CHOOSERS)
def ask(record: RequestRecord, command: AskForWindow, context: Context) -> Decision | None:
    """Its task is opened, or asks for another window than before; None when it asks for this already.

    Raises WrongState when nothing is sought, or the work has begun; Invalid for a window that is no wider.
    """
    _refuse_state(record)
    _refuse_window(record, command, context)
    name = f"{record.id}.{KIND.value}"
    task = context.related.get(name)
    if name in record.tasks and not isinstance(task, TaskRecord):
        raise Unreadable(
            f"task {name} is stored and cannot be read\nMaybe `dispatcher audit`.", kind="task", id=name
        )
    before = task if isinstance(task, TaskRecord) else None
    if before is not None and before.state is not TaskState.DONE and _same(before, command):
        return None
    after = _asking(record, before, command, context)
    if before is None or before.state is TaskState.DONE:
        known = record.tasks if before is not None else (*record.tasks, name)
        request = moved(record, record.state, context, ASKED, tasks=known)
    else:
        request = noted(record, context)  # the same question: however often, it is one step of the history
    return Decision(
        changes=(Change(record, request), Change(before, after)),
        messages=(
            changed(request, context.by, ASKED),
            news(after, "opened", context.by),
            window_asked(request, after, context.by),
        ),
        at_ms=context.now_ms,
    )


def _asking(
    record: RequestRecord, before: TaskRecord | None, command: AskForWindow, context: Context
) -> TaskRecord:
    fresh = opened(KIND, record.id, context, code=ASKED, priority=record.priority)
    if before is None:
        after = fresh
    elif before.state is TaskState.DONE:
        after = reopened(before, fresh, context)
    else:
        after = task_changed(before, before.state, context)
    return replace(after, asked_earliest_ms=command.earliest_ms, asked_latest_ms=command.latest_ms)


def _same(task: TaskRecord, command: AskForWindow) -> bool:
    return (task.asked_earliest_ms, task.asked_latest_ms) == (command.earliest_ms, command.latest_ms)


def _refuse_state(record: RequestRecord) -> None:
    advice = ""
    if record.state in TERMINAL:
        advice = f"it is {record.state}\nMaybe it is to be submitted again."
    elif record.waits_for_call:
        advice = "it is a will-call, and has none\nMaybe its call says when."
    elif record.state is RequestState.IN_PROGRESS:
        advice = "its vendor is under way\nMaybe call the vendor."
    if advice:
        raise WrongState(
            f"no wider window of request {record.id} can be asked for: {advice}", state=record.state.value
        )


def _refuse_window(record: RequestRecord, command: AskForWindow, context: Context) -> None:
    asked, now = (command.earliest_ms, command.latest_ms), (record.earliest_ms, record.latest_ms)
    if not (asked[0] <= now[0] and now[1] <= asked[1] and asked != now):
        has = " to ".join(to_instant(each).isoformat() for each in now)
        raise Invalid(
            f"the window that is asked for is not wider than that of request {record.id}: {has}\n"
            "Maybe amend the request where it is to start at another time altogether."
        )
    if asked[1] <= context.now_ms:
        raise Invalid("the window that is asked for is over\nMaybe ask for a later end.")
