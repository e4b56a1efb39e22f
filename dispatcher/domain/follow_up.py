"""What follows from a decision on a request: the tasks that it makes necessary, and those that it settles."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.codes import RequestState, Requirement
from contracts.tasks import TaskKind, TaskOutcome, TaskState
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Message
from dispatcher.domain.legs import OUTBOUND
from dispatcher.domain.requests import RequestRecord, offer_id
from dispatcher.domain.states import OPEN, REQUEST_STATES
from dispatcher.domain.tasks import BY_ITSELF, TaskRecord, done, news, opened
from dispatcher.domain.will_call import NOT_CALLED

EARLY = "early"  # before the deadline
VENDORLESS = OPEN | {RequestState.ON_HOLD, RequestState.UNMATCHED}


def with_tasks(decision: Decision, context: Context) -> Decision:
    """The decision with its tasks in the same commit; as it is where there is none to open or to settle."""
    for change in decision.changes:
        if isinstance(change.after, RequestRecord):
            decision = _with_tasks_of(decision, change, change.after, context)
    return decision


def _with_tasks_of(decision: Decision, change: Change, after: RequestRecord, context: Context) -> Decision:
    """With the tasks of one request among those that change."""
    before = change.before if isinstance(change.before, RequestRecord) else None
    fresh, ended = _opened(before, after, context), _settled(after, context)
    if not fresh and not ended:
        return decision
    tasks = (*after.tasks, *(each.id for each in fresh))
    with_names = Change(before, replace(after, tasks=tasks))
    changes = (
        *(with_names if each is change else each for each in decision.changes),
        *(Change(None, each) for each in fresh),
        *(Change(task, end) for task, end in ended),
    )
    told: list[Message] = [news(each, "opened", BY_ITSELF) for each in fresh]
    told += [news(end, "done", BY_ITSELF) for _, end in ended]
    return replace(decision, changes=changes, messages=(*decision.messages, *told))


def _opened(before: RequestRecord | None, after: RequestRecord, context: Context) -> list[TaskRecord]:
    """The task of a state that was reached, and one for each dispatch whose next report is now overdue.

    A request that has nobody left to ask has its task before its deadline; who has that, keeps it beyond.

    A report settles such a task and the next may be missing too: that is another task, with an id of its own.
    """
    found = []
    kind = REQUEST_STATES[after.state].task
    is_new = before is None or before.state is not after.state
    if kind and is_new and not (kind is TaskKind.UNMATCHED and _undone(after, context, kind)):
        code, priority = after.history[-1].code, after.priority
        found.append(opened(kind, after.id, context, code=code, priority=priority))
    early = _early(after, context) if after.has_nobody_left else None
    if early is not None and early.id not in after.tasks:
        found.append(early)
    found += _of_legs_and_calls(before, after, context)
    for offer in after.offers:
        if offer.live and offer.overdue:
            since = offer.status.value if offer.status else ""
            name = offer_id(after, offer)
            about = {"offer_id": name, "code": since, "since": since}
            task = opened(TaskKind.OVERDUE, after.id, context, **about, priority=after.priority)
            if task.id not in after.tasks:  # not: overdue for the first time; an older version made no tasks
                found.append(task)
    return found


def _of_legs_and_calls(
    before: RequestRecord | None, after: RequestRecord, context: Context
) -> list[TaskRecord]:
    """That nobody has called for a will-call; that the way back of a leg that was not made is on hold."""
    found, code = [], after.history[-1].code
    if before is not None and before.call_by_ms and not after.call_by_ms and not after.activated_ms:
        found.append(TaskKind.WILL_CALL)
    held = Requirement.PREDECESSOR in after.requirements and code.startswith(OUTBOUND)
    if held and not _undone(after, context, TaskKind.PREDECESSOR_MISSING):
        found.append(TaskKind.PREDECESSOR_MISSING)
    tasks = [opened(each, after.id, context, code=code, priority=after.priority) for each in found]
    return [each for each in tasks if each.id not in after.tasks]


def _is_there(after: RequestRecord) -> list[TaskKind]:
    """What a request asks of nobody any more: it was called or given up, or goes without what it waited for.

    One that was not called in time still does: whoever it was for may stand at a door.
    """
    called = not after.waits_for_call and after.history[-1].code != NOT_CALLED
    goes = Requirement.PREDECESSOR not in after.requirements
    return [TaskKind.WILL_CALL] * called + [TaskKind.PREDECESSOR_MISSING] * goes


def _settled(after: RequestRecord, context: Context) -> list[tuple[TaskRecord, TaskRecord]]:
    """Open tasks about a missing report, once there was one or the work is no longer that vendor's.

    And that nobody is left to ask, once somebody was asked, or the request ended otherwise.
    """
    overdue = {offer_id(after, offer) for offer in after.offers if offer.live and offer.overdue}
    late = [each for each in _undone(after, context, TaskKind.OVERDUE) if each.offer_id not in overdue]
    sought = after.state in VENDORLESS
    tasks = late if sought else [*late, *_undone(after, context, TaskKind.UNMATCHED)]
    tasks += [task for kind in _is_there(after) for task in _undone(after, context, kind)]
    return [(task, done(task, context, TaskOutcome.SETTLED)) for task in tasks]


def _early(after: RequestRecord, context: Context) -> TaskRecord:
    """That nobody is left to ask: a task for each time that this was so, after another offer."""
    last = offer_id(after, after.offers[-1]) if after.offers else ""
    rule = after.unmatched.last_rule if after.unmatched else ""
    return opened(
        TaskKind.UNMATCHED, after.id, context, offer_id=last, code=rule, since=EARLY, priority=after.priority
    )


def _undone(of: RequestRecord, context: Context, kind: TaskKind) -> list[TaskRecord]:
    """Tasks of that kind about a request that nobody has ended."""
    tasks = [each for each in context.related.values() if isinstance(each, TaskRecord)]
    undone = [each for each in tasks if each.kind is kind and each.state is not TaskState.DONE]
    return [each for each in undone if each.request_id == of.id]
