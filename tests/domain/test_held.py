"""What is on hold is somebody's work: one task for what is missing, however often that comes and goes."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from contracts.codes import RequestState, Requirement
from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.tasks import OwnerRole, TaskKind, TaskOutcome, TaskState
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.on_hold import HoldRequest, ResumeRequest
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.commands.table import with_follow_ups
from dispatcher.domain.commands.tasks import CommentTask, FinishTask
from dispatcher.domain.commands.unmatched import ExplainUnmatched
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.follow_up import with_tasks
from dispatcher.domain.links import Link
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.tasks import TaskRecord
from tests.domain import make
from tests.domain.make import NOW, after, decide, due, opened
from tests.domain.test_nobody_left import NOBODY

AUTHORIZATION, PREDECESSOR = Requirement.AUTHORIZATION, Requirement.PREDECESSOR


def holding(record: RequestRecord, what: Requirement = AUTHORIZATION, **facts: Any) -> Decision | None:
    return decide(record, HoldRequest(request_id="r1", requirement=what), **facts)


def lifting(record: RequestRecord, what: Requirement = AUTHORIZATION, **facts: Any) -> Decision | None:
    by = "case_manager" if what is AUTHORIZATION else "coordinator"
    return decide(record, ResumeRequest(request_id="r1", requirement=what), by=by, **facts)


def held(**changes: Any) -> tuple[RequestRecord, TaskRecord]:
    """A request that waits for its authorization, and the case manager's task."""
    decision = holding(make.received(make.trip(**changes)))
    (task,) = opened(decision)
    return after(decision), task


def finishing(task: TaskRecord, **facts: Any) -> TaskRecord:
    finish = FinishTask(task_id=task.id, by="ann", outcome=TaskOutcome.RESOLVED)
    done: TaskRecord = after(decide(task, finish, **facts))
    return done


def of_tasks(decision: Decision | None) -> list[tuple[str, str]]:
    """What is told of tasks."""
    assert decision is not None
    return [(each.type, each.subject) for each in decision.messages if each.type.startswith("dispatch.task.")]


def changed_task(decision: Decision | None) -> TaskRecord:
    """The one task that was there before and changes."""
    assert decision is not None
    (found,) = (each.after for each in decision.changes if isinstance(each.before, TaskRecord))
    assert isinstance(found, TaskRecord)
    return found


@pytest.mark.parametrize(
    ("what", "kind", "owner"),
    [
        (AUTHORIZATION, TaskKind.AUTHORIZATION_MISSING, OwnerRole.CASE_MANAGER),
        (PREDECESSOR, TaskKind.PREDECESSOR_MISSING, OwnerRole.CARE_COORDINATOR),
    ],
)
def test_what_is_missing_is_its_owners_task_whether_it_comes_so_or_is_put_on_hold_later(
    what: Requirement, kind: TaskKind, owner: OwnerRole
) -> None:
    now = make.context()
    for decision in (
        with_follow_ups(receive(make.trip(hold=what), now), now),
        holding(make.received(), what),
    ):
        (task,) = opened(decision)
        assert (task.id, task.kind, task.owner, task.code) == (f"r1.{kind}", kind, owner, what.value)
        assert after(decision).tasks == (task.id,)
        assert of_tasks(decision) == [("dispatch.task.opened", task.id)]


def test_two_requirements_are_two_tasks_and_each_is_settled_by_itself() -> None:
    now = make.context()
    decision = with_follow_ups(receive(make.trip(hold=(AUTHORIZATION, PREDECESSOR)), now), now)
    authorization, predecessor = opened(decision)
    lifted = lifting(after(decision), PREDECESSOR, tasks=[authorization, predecessor])
    over = changed_task(lifted)
    assert (over.id, over.outcome) == (predecessor.id, TaskOutcome.SETTLED)
    assert of_tasks(lifted) == [("dispatch.task.done", predecessor.id)]
    freed = lifting(after(lifted), AUTHORIZATION, tasks=[authorization, over])
    assert (changed_task(freed).id, after(freed).state) == (authorization.id, RequestState.RECEIVED)


def test_it_is_due_in_good_time_before_the_deadline_and_never_sooner_than_any_other_task() -> None:
    assert held(ahead_ms=72 * HOUR_MS)[1].due_ms == NOW + 48 * HOUR_MS + 30 * MINUTE_MS
    assert held(ahead_ms=2 * HOUR_MS)[1].due_ms == NOW + 30 * MINUTE_MS


@pytest.mark.parametrize("end", ["deadline", "cancelled"])
def test_with_the_request_it_ends(end: str) -> None:
    record, task = held()
    decision = (
        due(record, tasks=[task])
        if end == "deadline"
        else decide(record, CancelRequest(request_id="r1"), tasks=[task])
    )
    assert changed_task(decision).outcome is TaskOutcome.SETTLED
    assert [each.id for each in opened(decision)] == ["r1.unmatched"] * (end == "deadline")


def test_held_again_it_is_the_same_task_open_again_with_what_was_said_on_it() -> None:
    record, task = held()
    said = after(decide(task, CommentTask(task_id=task.id, by="ann", sealed=b"x")))
    freed = lifting(record, tasks=[said])
    later = NOW + HOUR_MS
    again = holding(after(freed), now_ms=later, tasks=[changed_task(freed)])
    open_again = changed_task(again)
    assert open_again == replace(
        said, version=4, opened_ms=later, due_ms=later + 30 * MINUTE_MS, timer_ms=later + 30 * MINUTE_MS
    )
    assert of_tasks(again) == [("dispatch.task.opened", task.id)]
    assert after(again).tasks == (task.id,), "a record does not grow with every hold"


def test_however_late_it_was_it_begins_anew_as_its_first_owners() -> None:
    record, task = held()
    late: TaskRecord = after(due(after(due(task))))
    assert (late.owner, late.escalations) == (OwnerRole.OPS, 2)
    freed = lifting(record, tasks=[late])
    again = changed_task(holding(after(freed), now_ms=late.timer_ms, tasks=[changed_task(freed)]))
    assert (again.owner, again.escalations, again.state) == (OwnerRole.CASE_MANAGER, 0, TaskState.OPEN)
    assert (again.outcome, again.ended_ms, again.claimed_by) == (None, 0, "")


def test_who_has_ended_it_is_not_asked_again_until_it_was_there_and_is_missing_once_more() -> None:
    record, task = held()
    done = finishing(task)
    other = holding(record, PREDECESSOR, tasks=[done])
    assert [each.kind for each in opened(other)] == [TaskKind.PREDECESSOR_MISSING]
    assert len(of_tasks(other)) == 1
    freed = lifting(record, tasks=[done])
    assert of_tasks(freed) == []
    assert of_tasks(holding(after(freed), tasks=[done])) == [("dispatch.task.opened", task.id)]


def test_a_task_that_cannot_be_read_is_neither_opened_twice_nor_in_the_way() -> None:
    record, _ = held()
    freed = lifting(record)
    again = holding(after(freed))
    assert (opened(again), of_tasks(again), after(again).state) == ([], [], RequestState.ON_HOLD)


def test_nobody_left_once_more_is_work_once_more_though_a_person_had_ended_it() -> None:
    lonely = ExplainUnmatched(request_id="r1", unmatched=NOBODY)
    somebody = ExplainUnmatched(request_id="r1", unmatched=replace(NOBODY, nobody_left=False))
    decision = decide(make.received(), lonely)
    (task,) = opened(decision)
    done = finishing(task)
    hopeful = after(decide(after(decision), somebody, tasks=[done]))
    again = decide(hopeful, lonely, tasks=[done])
    assert of_tasks(again) == [("dispatch.task.opened", task.id)]
    assert changed_task(again).outcome is None


@pytest.mark.parametrize(
    ("risk", "link", "kinds"),
    [
        ("", Link("r0"), []),  # it ends by itself, and lifts the hold
        ("predecessor_failed", Link("r0", broken="failed"), [TaskKind.PREDECESSOR_MISSING]),
        ("", Link("r0", done_ms=1), [TaskKind.PREDECESSOR_MISSING]),  # whatever else is meant: nothing will
    ],
)
def test_a_predecessor_is_a_persons_to_see_to_unless_it_ends_by_itself_or_is_their_task_already(
    risk: str, link: Link, kinds: list[TaskKind]
) -> None:
    before = replace(make.received(), after=(link,))
    held = replace(before, state=RequestState.ON_HOLD, requirements=(PREDECESSOR,), risk=risk, version=2)
    context = make.context()
    decision = with_tasks(Decision(changes=(Change(before, held),), at_ms=NOW), context)
    assert [each.kind for each in opened(decision)] == kinds
