"""The life of a task: claimed, put back, finished, commented; past due it is somebody else's."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.codes import Priority
from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.streams import To
from contracts.tasks import MAX_COMMENTS, OwnerRole, TaskKind, TaskOutcome, TaskState
from dispatcher.domain.commands.tasks import ClaimTask, CommentTask, FinishTask, ReleaseTask
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.refusals import Invalid, WrongState
from dispatcher.domain.task_owners import ESCALATES_TO, OWNERS
from dispatcher.domain.tasks import TASK_STATES, TaskRecord
from tests.domain import make
from tests.domain.make import NOW, after, decide, due, heard, opened

S = TaskState
NAME = "r1.unmatched"
LATER = NOW + 6 * MINUTE_MS


def claim(by: str) -> ClaimTask:
    return ClaimTask(task_id=NAME, by=by)


def release(by: str) -> ReleaseTask:
    return ReleaseTask(task_id=NAME, by=by)


def finish(by: str, outcome: TaskOutcome = TaskOutcome.RESOLVED) -> FinishTask:
    return FinishTask(task_id=NAME, by=by, outcome=outcome)


def comment(by: str) -> CommentTask:
    return CommentTask(task_id=NAME, by=by, sealed=b"sealed")


def fresh() -> TaskRecord:
    record = make.received()
    (task,) = opened(due(record))
    return task


def task_in(state: TaskState) -> TaskRecord:
    """A task that is open, claimed by ann, or resolved by her."""
    task = fresh()
    if state is not S.OPEN:
        command = claim("ann") if state is S.CLAIMED else finish("ann")
        task = after(decide(task, command, now_ms=task.opened_ms))
    assert task.state is state
    return task


@pytest.mark.parametrize(
    ("before", "command", "state", "claimed_by", "told"),
    [
        (S.OPEN, claim("ann"), S.CLAIMED, "ann", ["dispatch.task.claimed"]),
        (S.CLAIMED, release("ann"), S.OPEN, "", ["dispatch.task.opened"]),
        (S.OPEN, finish("bob"), S.DONE, "bob", ["dispatch.task.done"]),
        (S.CLAIMED, finish("bob"), S.DONE, "ann", ["dispatch.task.done"]),
        (S.OPEN, comment("bob"), S.OPEN, "", []),
        (S.CLAIMED, comment("bob"), S.CLAIMED, "ann", []),
    ],
)
def test_what_people_do_with_a_task(
    before: TaskState, command: Any, state: TaskState, claimed_by: str, told: list[str]
) -> None:
    task = task_in(before)
    decision = decide(task, command, now_ms=task.opened_ms + 1)
    assert heard(decision, To.EVENTS) == told
    changed: TaskRecord = after(decision)
    assert (changed.state, changed.claimed_by, changed.version) == (state, claimed_by, task.version + 1)
    assert (changed.owner, changed.due_ms) == (task.owner, task.due_ms)


@pytest.mark.parametrize(
    ("before", "command"),
    [(S.CLAIMED, claim("ann")), (S.OPEN, release("ann")), (S.DONE, finish("bob"))],
)
def test_what_was_done_before_has_no_effect_again(before: TaskState, command: Any) -> None:
    assert decide(task_in(before), command) is None


@pytest.mark.parametrize(
    ("before", "command", "words"),
    [
        (S.CLAIMED, claim("bob"), r"was claimed by ann\nMaybe ask them to release it"),
        (S.DONE, claim("bob"), r"is done: resolved; it cannot be claimed\nMaybe somebody else has ended it"),
        (S.DONE, release("ann"), r"is done: resolved; it cannot be open\nMaybe"),
        (S.DONE, finish("bob", TaskOutcome.NOT_NEEDED), r"is done: resolved; it cannot be not_needed\nMaybe"),
        (S.DONE, comment("bob"), "is done; it takes no comment"),
    ],
)
def test_what_cannot_be_is_refused_with_the_state_that_it_is_in(
    before: TaskState, command: Any, words: str
) -> None:
    with pytest.raises(WrongState, match=words) as refused:
        decide(task_in(before), command)
    assert refused.value.facts == {"state": before.value}


@pytest.mark.parametrize("priority", Priority)
def test_the_more_pressing_the_request_the_sooner_its_task_is_due_and_goes_to_the_next_owner(
    priority: Priority,
) -> None:
    share = {"urgent": 0.5, "asap": 0.3, "stat": 0.2}.get(priority, 1.0)
    (task,) = opened(due(make.received(make.trip(priority=priority))))
    assert task.due_ms - task.opened_ms == 30 * MINUTE_MS * share
    later: TaskRecord = after(due(task, task.due_ms))
    assert later.timer_ms - task.due_ms == 30 * MINUTE_MS * share


def test_how_a_task_was_finished_and_when_is_kept() -> None:
    task = fresh()
    done: TaskRecord = after(decide(task, finish("ann", TaskOutcome.NOT_NEEDED), now_ms=LATER))
    assert (done.outcome, done.ended_ms, done.state) == (TaskOutcome.NOT_NEEDED, LATER, S.DONE)


def test_comments_are_kept_in_order_up_to_a_limit_and_are_told_to_nobody() -> None:
    task = fresh()
    for number in range(MAX_COMMENTS):
        decision = decide(task, comment(f"p{number}"), now_ms=NOW + number)
        assert decision is not None
        assert decision.messages == ()
        task = decision.after
    assert [(each.by, each.at_ms) for each in task.comments][:2] == [("p0", NOW), ("p1", NOW + 1)]
    with pytest.raises(Invalid, match=r"has 50 comments, the limit\nMaybe"):
        decide(task, comment("ann"))


def test_past_due_a_task_goes_to_the_next_owner_and_then_is_told_again_each_time_after_twice_as_long() -> (
    None
):
    task = fresh()
    assert task.owner is OwnerRole.CARE_COORDINATOR
    assert due(task, task.due_ms - 1) is None
    for number, pause in enumerate((30, 60, 120, 240, 480, 960, 24 * 60, 24 * 60), 1):
        now_ms = task.timer_ms + 7  # timers are late
        decision = due(task, now_ms)
        assert heard(decision, To.EVENTS) == ["dispatch.task.escalated"]
        task = after(decision)
        assert (task.owner, task.escalations, task.state) == (OwnerRole.OPS, number, S.OPEN)
        assert task.timer_ms == now_ms + pause * MINUTE_MS
        assert task.due_ms == fresh().due_ms, "when it was due does not change"


def test_what_coordinator_or_case_manager_do_not_do_goes_to_ops() -> None:
    assert ESCALATES_TO == {
        OwnerRole.CASE_MANAGER: OwnerRole.OPS,
        OwnerRole.CARE_COORDINATOR: OwnerRole.OPS,
        OwnerRole.OPS: OwnerRole.OPS,
        OwnerRole.PLATFORM: OwnerRole.OPS,
    }
    assert set(OWNERS) == set(TaskKind)


def test_a_claimed_task_that_is_past_due_is_still_theirs_and_somebody_elses_to_see_to() -> None:
    late: TaskRecord = after(due(task_in(S.CLAIMED)))
    assert (late.state, late.claimed_by, late.owner) == (S.CLAIMED, "ann", OwnerRole.OPS)


def test_a_done_task_is_forgotten_after_retention_and_only_then() -> None:
    done = task_in(S.DONE)
    assert done.timer_ms == done.ended_ms + 72 * HOUR_MS
    assert due(done, done.timer_ms - 1) is None
    decision = due(done)
    assert decision is not None
    assert decision == Decision(changes=(Change(done, None),), at_ms=done.timer_ms)


@pytest.mark.parametrize("state", TaskState)
def test_every_task_has_a_timer_whatever_its_state(state: TaskState) -> None:
    task = task_in(state)
    assert task.timer_ms == (task.ended_ms + 72 * HOUR_MS if state is S.DONE else task.due_ms)
    assert due(task) is not None


def test_a_step_that_the_table_does_not_have_cannot_be_made() -> None:
    assert set(TASK_STATES) == set(TaskState)
    with pytest.raises(WrongState):
        Change(None, task_in(S.CLAIMED))  # nor does one begin as somebody's
