"""What people do with tasks: claim, put back, finish, comment."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.codes import Role
from contracts.tasks import MAX_COMMENTS, TaskOutcome, TaskState
from dispatcher.domain.commands.subjects import OnTask
from dispatcher.domain.commands.table import TASK, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.refusals import Invalid, WrongState
from dispatcher.domain.tasks import TaskComment, TaskRecord, changed, done, news

PEOPLE = frozenset({Role.PLATFORM, Role.OPS})


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


class CommentTask(OnTask, frozen=True, kw_only=True):
    """A word on it; `sealed` is the text, encrypted."""

    by: str
    sealed: bytes


@decides(ClaimTask, TASK, roles=PEOPLE)
def claim(task: TaskRecord, command: ClaimTask, context: Context) -> Decision | None:
    """None when they have it already. Raises WrongState when somebody else has it, or it is done."""
    if task.state is TaskState.CLAIMED:
        if task.claimed_by == command.by:
            return None
        raise WrongState(
            f"task {task.id} was claimed by {task.claimed_by}\nMaybe ask them to release it.",
            state=task.state.value,
        )
    after = changed(task, TaskState.CLAIMED, context, claimed_by=command.by)
    return _told(task, after, "claimed", command.by, context)


@decides(ReleaseTask, TASK, roles=PEOPLE)
def release(task: TaskRecord, command: ReleaseTask, context: Context) -> Decision | None:
    """None when nobody has it. Raises WrongState when it is done."""
    if task.state is TaskState.OPEN:
        return None
    after = changed(task, TaskState.OPEN, context, claimed_by="")
    return _told(task, after, "opened", command.by, context)


@decides(FinishTask, TASK, roles=PEOPLE)
def finish(task: TaskRecord, command: FinishTask, context: Context) -> Decision | None:
    """None when it was finished so before. Raises WrongState when it ended otherwise."""
    if task.state is TaskState.DONE and task.outcome is command.outcome:
        return None
    after = done(task, context, command.outcome)
    if not task.claimed_by:
        after = replace(after, claimed_by=command.by)
    return _told(task, after, "done", command.by, context)


@decides(CommentTask, TASK, roles=PEOPLE)
def comment(task: TaskRecord, command: CommentTask, context: Context) -> Decision:
    """Add it. Raises Invalid when the task has all it can hold, WrongState when it is done."""
    if len(task.comments) >= MAX_COMMENTS:
        raise Invalid(f"task {task.id} has {MAX_COMMENTS} comments, the limit\nMaybe finish it, or speak.")
    if task.state is TaskState.DONE:
        raise WrongState(f"task {task.id} is done; it takes no comment", state=task.state.value)
    word = TaskComment(context.now_ms, command.by, command.sealed)
    after = changed(task, task.state, context, comments=(*task.comments, word))
    return Decision(changes=(Change(task, after),), at_ms=context.now_ms)


def _told(before: TaskRecord, after: TaskRecord, what: str, by: str, context: Context) -> Decision:
    return Decision(changes=(Change(before, after),), messages=(news(after, what, by),), at_ms=context.now_ms)
