"""What people do with tasks: claim, put back, finish, comment; who owns it may, and ops.

One person has a claimed task: others neither put it back nor finish it, but for ops, and for a platform,
whose people are its own to tell apart. Whoever may read a task may comment on it.
"""

from __future__ import annotations

from msgspec.structs import replace

from contracts.barriers import BarrierCode
from contracts.codes import RequestState, Requirement
from contracts.tasks import MAX_COMMENTS, TaskKind, TaskOutcome, TaskState
from dispatcher.domain.commands.subjects import OnTask
from dispatcher.domain.commands.table import TASK, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.follow_barriers import recorded
from dispatcher.domain.refusals import Invalid, WrongState
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.rights import (
    READERS,
    SPEAKS_FOR_OTHERS,
    by_right,
    may_act,
    refuse_another_name,
)
from dispatcher.domain.statement_disputes import ItemLine
from dispatcher.domain.states import REQUIREMENT_TASKS
from dispatcher.domain.task_owners import OWNERS
from dispatcher.domain.tasks import TaskComment, TaskRecord, changed, done, has_ended, news, subject_of

ADVICE = {  # what lets a request on hold go on
    Requirement.AUTHORIZATION: "authorize it, or have a case manager resume the request",
    Requirement.PREDECESSOR: "see to what goes before it, or resume the request",
}


class ClaimTask(OnTask, frozen=True, kw_only=True):
    """Somebody takes the task on."""

    by: str


class ReleaseTask(OnTask, frozen=True, kw_only=True):
    """Whoever had it puts it back."""

    by: str


class FinishTask(OnTask, frozen=True, kw_only=True):
    """It is done."""

    by: str
    outcome: TaskOutcome
    barrier: BarrierCode | None = None  # of its request


class CommentTask(OnTask, frozen=True, kw_only=True):
    """A word on it; `sealed` is the text, encrypted."""

    by: str
    sealed: bytes


@decides(ClaimTask, TASK, roles=READERS, quiet=True)
def claim(task: TaskRecord, command: ClaimTask, context: Context) -> Decision | None:
    """None when they have it already. Raises WrongState when somebody else has it, or it is done.

    Raises NotAllowed, as all here, for a task that is another role's, and in another's name.
    """
    _refuse_others(task, command.by, context)
    if task.state is TaskState.CLAIMED:
        if task.claimed_by == command.by:
            return None
        raise _is_claimed(task)
    after = changed(task, TaskState.CLAIMED, context, claimed_by=command.by)
    return _told(task, after, "claimed", command.by, context)


@decides(ReleaseTask, TASK, roles=READERS, quiet=True)
def release(task: TaskRecord, command: ReleaseTask, context: Context) -> Decision | None:
    """None when nobody has it. Raises WrongState when it is done, or somebody else has it."""
    _refuse_others(task, command.by, context)
    if task.state is TaskState.DONE:
        raise has_ended(task, TaskState.OPEN)
    _refuse_claimed(task, command.by, context)
    if task.state is TaskState.OPEN:
        return None
    after = changed(task, TaskState.OPEN, context, claimed_by="")
    return _told(task, after, "opened", command.by, context)


@decides(FinishTask, TASK, roles=READERS)
def finish(task: TaskRecord, command: FinishTask, context: Context) -> Decision | None:
    """None when it was finished so before. Raises WrongState when it ended otherwise, or another has it.

    Also when it is to say a barrier of a request that was not kept from its service.
    """
    context = _refuse_others(task, command.by, context)
    if task.state is TaskState.DONE and task.outcome is command.outcome:
        _refuse_unsaid(task, command.barrier, context)
        return None
    _refuse_claimed(task, command.by, context)
    _refuse_waiting(task, context)
    _refuse_unsettled(task, context)
    after = done(task, context, command.outcome)
    if not task.claimed_by:
        after = replace(after, claimed_by=command.by)
    told = _told(task, after, "done", command.by, context)
    more = None if command.barrier is None else _barrier(task, command.barrier, context)
    if more is None:
        return told
    return replace(
        told,
        changes=(*told.changes, *more.changes),
        messages=(*told.messages, *more.messages),
        counts=more.counts,
    )


def _refuse_unsaid(task: TaskRecord, code: BarrierCode | None, context: Context) -> None:
    """Raises WrongState for a barrier that nobody has said: a task that is done says none any more."""
    request = context.related.get(task.request_id)
    barrier = request.barrier if isinstance(request, RequestRecord) else None
    if code is None or (barrier is not None and barrier.code is code and not barrier.suggested):
        return
    name = subject_of(task).request_id
    advice = f"say it of its request: POST …/requests/{name}/barrier" if name else "leave it out"
    raise WrongState(
        f"task {task.id} is done, and takes no barrier any more\nMaybe {advice}.",
        state=task.state.value,
    )


def _refuse_unsettled(task: TaskRecord, context: Context) -> None:
    """Raises WrongState for a dispute that nobody has settled: both sides wait for what is decided."""
    if task.kind is TaskKind.SCORE_DISPUTE:
        name = f"{task.offer_id}.{task.code}_dispute"
        raise WrongState(
            f"task {task.id} is about a dispute that is not answered\n"
            f"Maybe answer it: POST …/vendors/{task.vendor}/scorecard/disputes/{name}/answer.",
            state=task.state.value,
        )
    if task.kind is TaskKind.STATEMENT_DISPUTE:
        href = ItemLine.of_task(task.id, task.vendor).href
        raise WrongState(
            f"task {task.id} is about a dispute that is not settled\nMaybe settle it: POST …/{href}.",
            state=task.state.value,
        )
    request = context.related.get(task.request_id)
    if task.kind is not TaskKind.PRICE_DISPUTE or not isinstance(request, RequestRecord):
        return
    number = task.id.rpartition("_")[2]
    offer = request.offer_named(task.offer_id)
    if number.isdigit() and any(each.open for each in offer.disputes[int(number) - 1 : int(number)]):
        raise WrongState(
            f"task {task.id} is about a dispute that is not settled\n"
            f"Maybe settle it: POST …/dispatches/{task.offer_id}/price/disputes/{number}/settle.",
            state=task.state.value,
        )


def _barrier(task: TaskRecord, code: BarrierCode, context: Context) -> Decision | None:
    """Why its request ended without its service. Raises WrongState when it did not, or is not there."""
    request = context.related.get(task.request_id)
    if isinstance(request, RequestRecord):
        return recorded(request, code, context)
    raise WrongState(
        f"task {task.id} is about no request that is kept: there is nothing to say a barrier of\n"
        "Maybe finish the task without one."
    )


@decides(CommentTask, TASK, roles=READERS, quiet=True)
def comment(task: TaskRecord, command: CommentTask, context: Context) -> Decision:
    """Add it. Raises Invalid when the task has all it can hold, WrongState when it is done."""
    refuse_another_name(command.by, context)
    if len(task.comments) >= MAX_COMMENTS:
        raise Invalid(f"task {task.id} has {MAX_COMMENTS} comments, the limit\nMaybe finish it, or speak.")
    if task.state is TaskState.DONE:
        raise WrongState(f"task {task.id} is done; it takes no comment", state=task.state.value)
    word = TaskComment(context.now_ms, command.by, command.sealed)
    after = changed(task, task.state, context, comments=(*task.comments, word))
    return Decision(changes=(Change(task, after),), at_ms=context.now_ms)


def _refuse_others(task: TaskRecord, by: str, context: Context) -> Context:
    """By whose right. Raises NotAllowed for one that neither is nor was at first one of the caller's role."""
    refuse_another_name(by, context)
    allowed = may_act(task.owner, OWNERS[task.kind])
    return by_right(context, allowed, f"task {task.id}", "Maybe comment on it: that whoever reads it may.")


def _refuse_waiting(task: TaskRecord, context: Context) -> None:
    """Raises WrongState while its request is on hold for what the task is about: nobody would see to it."""
    request = context.related.get(task.request_id)
    if task.state is TaskState.DONE or not isinstance(request, RequestRecord):
        return
    for each in request.requirements if request.state is RequestState.ON_HOLD else ():
        if REQUIREMENT_TASKS.get(each) is task.kind:
            raise WrongState(
                f"task {task.id} cannot be finished: request {request.id} is on hold for {each.value} still\n"
                f"Maybe {ADVICE[each]}, or cancel the request; the task ends by itself then.",
                state=task.state.value,
            )


def _refuse_claimed(task: TaskRecord, by: str, context: Context) -> None:
    """Raises WrongState while it is somebody else's, but for those who may act for others."""
    if task.state is TaskState.CLAIMED and task.claimed_by != by and not context.roles & SPEAKS_FOR_OTHERS:
        raise _is_claimed(task)


def _is_claimed(task: TaskRecord) -> WrongState:
    return WrongState(
        f"task {task.id} was claimed by {task.claimed_by}\n"
        "Maybe ask them to release it; ops may release it for them.",
        state=task.state.value,
    )


def _told(before: TaskRecord, after: TaskRecord, what: str, by: str, context: Context) -> Decision:
    told = (news(after, what, by),)
    return Decision(changes=(Change(before, after),), messages=told, at_ms=context.now_ms, by=context.by)
