"""What follows from a decision on a request: the tasks that it makes necessary, and those that it settles."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.tasks import TaskKind, TaskOutcome, TaskState
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Message
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.states import REQUEST_STATES
from dispatcher.domain.tasks import BY_ITSELF, TaskRecord, done, news, opened


def with_tasks(decision: Decision, context: Context) -> Decision:
    """The decision with its tasks in the same commit; as it is where there is none to open or to settle."""
    before, after = decision.before, decision.after
    if not isinstance(after, RequestRecord):
        return decision
    fresh, ended = _opened(before, after, context), _settled(before, after, context)
    if not fresh and not ended:
        return decision
    tasks = (*after.tasks, *(each.id for each in fresh))
    changes = (
        Change(before, replace(after, tasks=tasks)),
        *decision.changes[1:],
        *(Change(None, each) for each in fresh),
        *(Change(task, end) for task, end in ended),
    )
    told: list[Message] = [news(each, "opened", BY_ITSELF) for each in fresh]
    told += [news(end, "done", BY_ITSELF) for _, end in ended]
    return replace(decision, changes=changes, messages=(*decision.messages, *told))


def _opened(before: RequestRecord | None, after: RequestRecord, context: Context) -> list[TaskRecord]:
    """The task of a state that was reached, and one for each dispatch whose next report is now overdue.

    A report settles such a task and the next may be missing too: that is another task, with an id of its own.
    """
    found = []
    kind = REQUEST_STATES[after.state].task
    if kind and (before is None or before.state is not after.state):
        code, priority = after.history[-1].code, after.priority
        found.append(opened(kind, after.id, context, code=code, priority=priority))
    for offer in after.offers:
        if offer.live and offer.overdue:
            since = offer.status.value if offer.status else ""
            name = offer_id(after, offer)
            about = {"offer_id": name, "code": since, "since": since}
            task = opened(TaskKind.OVERDUE, after.id, context, **about, priority=after.priority)
            if task.id not in after.tasks:  # not: overdue for the first time; an older version made no tasks
                found.append(task)
    return found


def _settled(
    before: RequestRecord | None, after: RequestRecord, context: Context
) -> list[tuple[TaskRecord, TaskRecord]]:
    """Open tasks about a missing report, once there was one or the work is no longer that vendor's."""
    overdue = {offer_id(after, offer) for offer in after.offers if offer.live and offer.overdue}
    tasks = [each for each in context.related.values() if isinstance(each, TaskRecord)]
    return [
        (task, done(task, context, TaskOutcome.SETTLED))
        for task in tasks
        if task.kind is TaskKind.OVERDUE and task.state is not TaskState.DONE and task.offer_id not in overdue
    ]
