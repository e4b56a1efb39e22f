"""When nobody is left to ask, a person has the request at once, and not when its deadline has passed."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.codes import RequestState, Requirement
from contracts.streams import To
from contracts.tasks import OwnerRole, TaskOutcome, TaskState
from contracts.unmatched import RuleCount, Unmatched
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.on_hold import HoldRequest, ResumeRequest
from dispatcher.domain.commands.tasks import ClaimTask, FinishTask
from dispatcher.domain.tasks import TaskRecord
from dispatcher.domain.views import request_view
from tests.domain import make
from tests.domain.make import after, decide, due, heard, offered, offering, opened
from tests.domain.test_decisions import declining
from tests.domain.test_unmatched import explaining

NOBODY = Unmatched(
    vendors=3, removed=(RuleCount(rule="declined", vendors=3),), last_rule="declined", nobody_left=True
)


def left_alone() -> tuple[Any, TaskRecord]:
    """A request that its only vendor has declined, and the task that was opened with the reasons."""
    decision = explaining(after(declining(offered())), NOBODY)
    (task,) = opened(decision)
    return after(decision), task


def settled(decision: Any) -> list[TaskRecord]:
    return [each.after for each in decision.changes if isinstance(each.after, TaskRecord) and each.before]


def test_the_owner_changes_and_a_task_opens_in_the_commit_of_the_reasons() -> None:
    decision = explaining(after(declining(offered())), NOBODY)
    record, (task,) = after(decision), opened(decision)
    assert (record.state, request_view(record).owner) == (RequestState.MATCHING, "care_coordinator")
    assert (task.id, task.owner, task.code) == (
        "r1.1.unmatched_early",
        OwnerRole.CARE_COORDINATOR,
        "declined",
    )
    assert record.tasks == (task.id,)
    assert heard(decision, To.EVENTS) == ["dispatch.task.opened"]
    assert request_view(record).unmatched.asked == record.asked  # type: ignore[union-attr]
    assert explaining(record, NOBODY, tasks=[task]) is None


def test_as_long_as_somebody_may_be_asked_it_stays_the_services() -> None:
    record = after(declining(offered()))
    assert request_view(record).owner == "service"
    full = Unmatched(vendors=3, removed=(RuleCount(rule="capacity", vendors=2),), last_rule="capacity")
    decision = explaining(record, full)
    assert (request_view(after(decision)).owner, opened(decision)) == ("service", [])


def test_the_last_offer_that_it_may_have_is_known_to_be_the_last_when_it_is_declined() -> None:
    decision = declining(offered(), values={"max_attempts": 1})
    record, (task,) = after(decision), opened(decision)
    assert request_view(record).owner == "care_coordinator"
    assert (record.unmatched.last_rule, task.code) == ("max_attempts", "max_attempts")
    assert [each.vendor_id for each in record.unmatched.asked] == ["v1"]


def test_whoever_has_the_task_keeps_it_when_the_deadline_passes() -> None:
    record, task = left_alone()
    claimed = after(decide(task, ClaimTask(task_id=task.id, by="ann")))
    ended = due(record, tasks=[claimed])
    assert (after(ended).state, opened(ended), settled(ended)) == (RequestState.UNMATCHED, [], [])
    assert request_view(after(ended)).owner == "care_coordinator"


def test_a_task_that_was_done_before_the_deadline_does_not_hide_that_it_passed() -> None:
    record, task = left_alone()
    finish = FinishTask(task_id=task.id, by="ann", outcome=TaskOutcome.RESOLVED)
    over = after(decide(task, finish))
    assert [each.id for each in opened(due(record, tasks=[over]))] == ["r1.unmatched"]
    assert explaining(record, NOBODY, tasks=[over]) is None


@pytest.mark.parametrize("end", ["offered", "cancelled"])
def test_the_task_is_settled_when_somebody_is_asked_after_all_or_the_request_is_cancelled(end: str) -> None:
    record, task = left_alone()
    if end == "offered":
        decision: Any = offering(record, make.vendor("v2"), tasks=[task])
    else:
        decision = decide(record, CancelRequest(request_id="r1"), tasks=[task])
    assert [(each.id, each.state, each.outcome) for each in settled(decision)] == [
        (task.id, TaskState.DONE, TaskOutcome.SETTLED)
    ]


def test_after_another_offer_it_is_another_task() -> None:
    record, task = left_alone()
    offering_again = offering(record, make.vendor("v2"), tasks=[task])
    (over,) = settled(offering_again)
    again = explaining(
        after(declining(after(offering_again), "r1.2", "v2", tasks=[over])), NOBODY, tasks=[over]
    )
    assert [each.id for each in opened(again)] == ["r1.2.unmatched_early"]


def test_a_hold_leaves_the_task_to_whoever_has_it() -> None:
    record, task = left_alone()
    held = decide(record, HoldRequest(request_id="r1", requirement=Requirement.AUTHORIZATION), tasks=[task])
    assert settled(held) == []
    assert request_view(after(held)).owner == "case_manager"
    (missing,) = opened(held)
    freed = decide(after(held), ResumeRequest(request_id="r1"), by="case_manager", tasks=[task, missing])
    assert [each.id for each in settled(freed)] == [missing.id]
    resumed = after(freed)
    assert request_view(resumed).owner == "care_coordinator"
