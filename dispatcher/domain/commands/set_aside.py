"""Something stored of a request cannot be read: a person has to know, once, until it can be read again."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from contracts.codes import Priority
from contracts.tasks import TaskKind, TaskOutcome, TaskState
from dispatcher.domain.commands.subjects import OnRequest, OnTask
from dispatcher.domain.commands.table import REQUEST, TASK, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import TERMINAL
from dispatcher.domain.tasks import BY_ITSELF, TaskRecord, done, news, opened, reopened

PLAN: Final = (
    "plan."  # begins `what` of a request that can be read, but not planned; the rule or step follows
)


class SetAside(OnRequest, frozen=True, kw_only=True):
    """What cannot be read (`body`, `patient` …) or planned (`plan.price`) of a request whose record can."""

    what: str


class SetAsideAgain(OnTask, frozen=True, kw_only=True):
    """What cannot be read of a request that was readable again in between."""

    what: str


class ReadAgain(OnTask, frozen=True, kw_only=True):
    """All of its request can be read again."""


@decides(SetAside, REQUEST)
def set_aside(record: RequestRecord, command: SetAside, context: Context) -> Decision | None:
    """Open the task, beside the request's own timer; None when it has one already."""
    alone = unread(record.id, command.what, context, record.priority)
    task = alone.changes[0].record
    if task.id in record.tasks:
        return None
    if record.state in TERMINAL:  # nothing of it changes any more
        return alone
    after = replace(record, version=record.version + 1, tasks=(*record.tasks, task.id))
    return replace(alone, changes=(Change(record, after), *alone.changes))


@decides(SetAsideAgain, TASK)
def set_aside_again(task: TaskRecord, command: SetAsideAgain, context: Context) -> Decision | None:
    """Open it once more; None where a person has seen to it, or it waits."""
    if task.outcome is not TaskOutcome.SETTLED:
        return None
    fresh = opened(TaskKind.UNREADABLE, task.request_id, context, code=command.what, priority=task.priority)
    after = reopened(task, fresh, context)
    return Decision(
        changes=(Change(task, after),), messages=(news(after, "opened", BY_ITSELF),), at_ms=context.now_ms
    )


@decides(ReadAgain, TASK)
def read_again(task: TaskRecord, command: ReadAgain, context: Context) -> Decision | None:
    """It is settled, whoever has claimed it; None where it is done."""
    if task.state is TaskState.DONE:
        return None
    after = done(task, context, TaskOutcome.SETTLED)
    return Decision(
        changes=(Change(task, after),), messages=(news(after, "done", BY_ITSELF),), at_ms=context.now_ms
    )


def task_id(request_id: str) -> str:
    """What the task is called."""
    return f"{request_id}.{TaskKind.UNREADABLE.value}"


def unread(request_id: str, what: str, context: Context, priority: Priority = Priority.ROUTINE) -> Decision:
    """The task alone: of a request whose record cannot be read either."""
    task = opened(TaskKind.UNREADABLE, request_id, context, code=what, priority=priority)
    return Decision(
        changes=(Change(None, task),), messages=(news(task, "opened", BY_ITSELF),), at_ms=context.now_ms
    )
