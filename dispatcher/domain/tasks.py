"""Tasks: what the service cannot settle is a person's work, written in the commit that needs it (P11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from contracts.codes import Priority
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant
from contracts.tasks import OwnerRole, TaskChanged, TaskKind, TaskOutcome, TaskState
from dispatcher.domain.compact import Compact, Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Message
from dispatcher.domain.kinds import Entry, Kind, register
from dispatcher.domain.pressing import pressed
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.task_owners import ESCALATES_TO, OWNERS
from dispatcher.domain.task_parameters import DUE, ESCALATION, LAPSE, PRESSED
from dispatcher.domain.timers import RETENTION

S = TaskState
TASK_STATES: Mapping[TaskState, frozenset[TaskState]] = {
    S.OPEN: frozenset({S.CLAIMED, S.DONE}),
    S.CLAIMED: frozenset({S.OPEN, S.DONE}),
    S.DONE: frozenset({S.OPEN}),  # `reopened`: it has become necessary again; nobody else can
}
OF_AN_END = frozenset({TaskKind.UNMATCHED, TaskKind.NO_SHOW, TaskKind.FAILED, TaskKind.BUNDLE_FAILED})
BY_ITSELF = "service"


class TaskComment(Compact, frozen=True):
    """A word on a task; the text is sealed, for it may name a patient."""

    at_ms: int
    by: str
    sealed: bytes


class TaskRecord(Record, frozen=True, tag=1):
    """One task. Its id is what it is about (a request or an offer id), a dot, and its kind.

    A missing report is a task for each report that is missing: the last one before it follows the kind.
    `due_ms` is when it was first due, and stays; `timer_ms` when it goes to the next owner or is told again.
    """

    kind: TaskKind
    request_id: str
    offer_id: str
    state: TaskState
    owner: OwnerRole
    code: str
    opened_ms: int
    due_ms: int
    timer_ms: int
    escalations: int = 0
    claimed_by: str = ""
    outcome: TaskOutcome | None = None
    ended_ms: int = 0
    comments: tuple[TaskComment, ...] = ()
    priority: Priority = Priority.ROUTINE  # of its request
    given_back: tuple[str, ...] = ()  # of a bundle that failed: what is not done now
    left: tuple[str, ...] = ()  # and what stays: done, or under way; of a vendor that is suspended, all of it
    retiming: str = ""  # of a sequence at risk: what became of asking its vendor for another start
    rules: tuple[str, ...] = ()  # of an amendment that is unfit: which its vendor would break
    standing_order: str = ""  # whose day could not be made
    asked_earliest_ms: int = 0  # of a wider window that is asked for; 0: none is
    asked_latest_ms: int = 0
    webhook: str = ""  # that takes nothing
    vendor: str = ""  # whose paper runs out, or that is suspended


def list_of(state: TaskState, owner: OwnerRole) -> str:
    """The list of tasks in one state of one owner, by due time."""
    return f"tasks:{state.value}:{owner.value}"


def opened(
    kind: TaskKind,
    request_id: str,
    context: Context,
    *,
    offer_id: str = "",
    code: str = "",
    since: str = "",
    priority: Priority = Priority.ROUTINE,
    not_due_before_ms: int = 0,
) -> TaskRecord:
    """A new task; `since`: after which report, where there may be a task of the kind after each.

    `priority`: its request's. The more pressing that is, the sooner it is due and goes to the next owner.
    """
    usual_ms = DUE.whole(context.values) * MINUTE_MS
    due_ms = context.now_ms + pressed(usual_ms, PRESSED, priority, context.values)
    due_ms = max(due_ms, not_due_before_ms)
    return TaskRecord(
        id=f"{offer_id or request_id}.{kind.value}" + (f"_{since}" if since else ""),
        version=1,
        kind=kind,
        request_id=request_id,
        offer_id=offer_id,
        state=S.OPEN,
        owner=OWNERS[kind],
        code=code,
        opened_ms=context.now_ms,
        due_ms=due_ms,
        timer_ms=due_ms,
        priority=priority,
    )


def changed(task: TaskRecord, state: TaskState, context: Context, **changes: Any) -> TaskRecord:
    """The task one version on. Raises WrongState when the table has no such step."""
    stays = state is task.state is not S.DONE
    if not stays and state not in TASK_STATES[task.state]:
        raise has_ended(task, changes.get("outcome", state))
    if state is S.DONE:
        changes["timer_ms"] = context.now_ms + RETENTION.whole(context.values) * HOUR_MS
    return replace(task, version=task.version + 1, state=state, **changes)


def asks_barrier(task: TaskRecord) -> bool:
    """Whether it is about how its request ended: who finishes it may say why."""
    about_the_end = task.id == f"{task.request_id}.{task.kind.value}" and task.kind in OF_AN_END
    return about_the_end and task.state is not S.DONE


def has_ended(task: TaskRecord, wanted: str) -> WrongState:
    """The refusal of what cannot be done with a task (any more)."""
    how = f": {task.outcome}" if task.outcome else ""
    return WrongState(
        f"task {task.id} is {task.state}{how}; it cannot be {wanted}\nMaybe somebody else has ended it.",
        state=task.state.value,
    )


def reopened(task: TaskRecord, fresh: TaskRecord, context: Context) -> TaskRecord:
    """A task that is done and has become necessary again, as if it were new; what was said on it stays.

    So one request has one task of a kind, however often it comes and goes.
    """
    return changed(
        task,
        S.OPEN,
        context,
        owner=fresh.owner,
        code=fresh.code,
        opened_ms=fresh.opened_ms,
        due_ms=fresh.due_ms,
        timer_ms=fresh.timer_ms,
        escalations=0,
        claimed_by="",
        outcome=None,
        ended_ms=0,
    )


def done(task: TaskRecord, context: Context, outcome: TaskOutcome) -> TaskRecord:
    """The task at its end."""
    return changed(task, S.DONE, context, outcome=outcome, ended_ms=context.now_ms)


def lapses_ms(task: TaskRecord, context: Context) -> int:
    """Until when a task that is not done keeps its request, ms since the epoch."""
    return task.opened_ms + LAPSE.whole(context.values) * HOUR_MS


class About(NamedTuple):
    """What a task is about, each by the name that it is read under."""

    request_id: str = ""
    authorization_id: str = ""
    standing_order_id: str = ""
    webhook_id: str = ""
    vendor_id: str = ""


def subject_of(task: TaskRecord) -> About:
    """A request; an authorization, with the request that drew on it last; an order; a webhook; a vendor."""
    if task.kind is not TaskKind.AUTHORIZATION_RUNNING_OUT:
        return About(task.request_id, "", task.standing_order, task.webhook, task.vendor)
    name = task.id.removesuffix(f".{TaskKind.AUTHORIZATION_RUNNING_OUT.value}")
    return About("" if task.request_id == name else task.request_id, authorization_id=name)


def news(task: TaskRecord, what: str, by: str) -> Message:
    """To all but vendors: a task was opened, claimed, escalated or done."""
    about = subject_of(task)
    data = TaskChanged(
        task_id=task.id,
        kind=task.kind,
        request_id=about.request_id,
        authorization_id=about.authorization_id,
        standing_order_id=about.standing_order_id,
        state=task.state,
        owner=task.owner,
        due_at=to_instant(task.due_ms),
        by=by,
        outcome=task.outcome,
        webhook_id=about.webhook_id,
        vendor_id=about.vendor_id,
    )
    return Message(type=f"dispatch.task.{what}", subject=task.id, data=data)


def due(task: TaskRecord, context: Context) -> Decision | None:
    """Its timer: past due it goes to the next owner and is told again; a done one is forgotten in the end."""
    if task.timer_ms > context.now_ms:
        return None
    if task.state is S.DONE:
        return _forgotten(task, context)
    usual_ms = ESCALATION.whole(context.values) * MINUTE_MS * 2 ** min(task.escalations, 10)
    pause_ms = pressed(usual_ms, PRESSED, task.priority, context.values)
    after = changed(
        task,
        task.state,
        context,
        owner=ESCALATES_TO[task.owner],
        timer_ms=context.now_ms + min(pause_ms, 24 * HOUR_MS),
        escalations=task.escalations + 1,
    )
    messages = (news(after, "escalated", context.by),)
    return Decision(changes=(Change(task, after),), messages=messages, at_ms=context.now_ms)


def _forgotten(task: TaskRecord, context: Context) -> Decision:
    """A done task goes with what it is about, which takes it along; by itself only if that went before.

    That little is left of an authorization is known to somebody as long as that stands.
    """
    if any(name in context.related for _, name in _about(task)):
        later = replace(task, version=task.version + 1, timer_ms=context.now_ms + 24 * HOUR_MS)
        return Decision(changes=(Change(task, later),), at_ms=context.now_ms)
    return Decision(changes=(Change(task, None),), at_ms=context.now_ms)


def _about(task: TaskRecord) -> list[tuple[str, str]]:
    """Its request; and its authorization, if that runs out."""
    about = subject_of(task)
    found = [("request", about.request_id)] if about.request_id else []
    if about.authorization_id:
        found.append(("authorization", f"{about.authorization_id}.authorization"))
    return found


def _may_become(before: TaskRecord | None, after: TaskRecord | None) -> bool:
    if before is None:
        return after is not None and after.state is S.OPEN
    if after is None:
        return True  # by its own timer when it is done; else with its request
    kept = replace(after, version=before.version, timer_ms=before.timer_ms) == before  # only for longer
    return kept or after.state is before.state is not S.DONE or after.state in TASK_STATES[before.state]


TASK_KIND = register(
    Kind(
        name="task",
        form=TaskRecord,
        key="t",
        plain_events=True,
        timers="timers:task",
        timer_ms=lambda task: task.timer_ms,
        lists=lambda task: {Entry(list_of(task.state, task.owner), task.id): task.due_ms},
        may_become=_may_become,
        on_timer=due,
        together=lambda task, values: True,
        related=_about,
    )
)
