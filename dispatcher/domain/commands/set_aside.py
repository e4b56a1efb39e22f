"""Something stored of a request cannot be read: a person has to know, once."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.codes import Priority
from contracts.tasks import TaskKind
from dispatcher.domain.commands.subjects import OnRequest
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import TERMINAL
from dispatcher.domain.tasks import BY_ITSELF, news, opened


class SetAside(OnRequest, frozen=True, kw_only=True):
    """What cannot be read (`body`, `patient` …) of a request whose record can."""

    what: str


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


def unread(request_id: str, what: str, context: Context, priority: Priority = Priority.ROUTINE) -> Decision:
    """The task alone: of a request whose record cannot be read either."""
    task = opened(TaskKind.UNREADABLE, request_id, context, code=what, priority=priority)
    return Decision(
        changes=(Change(None, task),), messages=(news(task, "opened", BY_ITSELF),), at_ms=context.now_ms
    )
