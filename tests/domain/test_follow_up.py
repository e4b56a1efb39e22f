"""What the service cannot settle is a task, opened and settled in the commit that makes it so (P11)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from contracts.codes import ReportCode, RequestState, TrackingStatus
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant
from contracts.tasks import OwnerRole, TaskChanged, TaskKind, TaskOutcome, TaskState
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.tasks import ClaimTask, FinishTask
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.tasks import TaskRecord
from tests.domain import make
from tests.domain.make import accepted, accepting, after, decide, due, offering, opened, reporting

T = TrackingStatus
HALF_AN_HOUR_MS, DAY_MS = 30 * MINUTE_MS, 24 * HOUR_MS


def missed() -> tuple[RequestRecord, TaskRecord]:
    """A dispatch whose report is missing for the first time, and the task of it."""
    decision = due(accepted())
    (task,) = opened(decision)
    return after(decision), task


def ended_tasks(decision: Decision | None) -> list[tuple[TaskRecord, TaskRecord]]:
    """The tasks that a decision changed, before and after."""
    assert decision is not None
    return [(each.before, each.after) for each in decision.changes if isinstance(each.before, TaskRecord)]  # type: ignore[misc]


def task_news(decision: Decision | None) -> list[tuple[str, str]]:
    assert decision is not None
    return [
        (each.type, each.data.task_id) for each in decision.messages if isinstance(each.data, TaskChanged)
    ]


C, OPS = OwnerRole.CARE_COORDINATOR, OwnerRole.OPS


@pytest.mark.parametrize(
    ("decision", "name", "kind", "owner", "code"),
    [
        (due(make.received()), "r1.unmatched", TaskKind.UNMATCHED, C, "match_by"),
        (
            reporting(accepted(), T.NO_SHOW, code=ReportCode.NO_CLIENT),
            "r1.no_show",
            TaskKind.NO_SHOW,
            C,
            "NO_CLIENT",
        ),
        (reporting(accepted(), T.FAILED), "r1.failed", TaskKind.FAILED, C, "failed"),
        (due(accepted(), values={"overdue_limit": 0}), "r1.failed", TaskKind.FAILED, C, "overdue"),
        (due(accepted()), "r1.1.overdue", TaskKind.OVERDUE, OPS, ""),
    ],
)
def test_what_needs_a_person_is_a_task_in_the_same_commit_with_an_owner_and_a_due_time(
    decision: Decision, name: str, kind: TaskKind, owner: OwnerRole, code: str
) -> None:
    (task,) = opened(decision)
    now_ms = task.opened_ms
    assert (task.id, task.kind, task.state) == (name, kind, TaskState.OPEN)
    assert (task.owner, task.code, task.request_id) == (owner, code, "r1")
    assert task.due_ms == task.timer_ms == now_ms + HALF_AN_HOUR_MS
    assert decision.changes[1:] == (Change(None, task),)
    assert decision.after.tasks == (name,)
    (news,) = [each.data for each in decision.messages if isinstance(each.data, TaskChanged)]
    assert task_news(decision) == [("dispatch.task.opened", name)]
    assert (news.owner, news.due_at, news.by) == (owner, to_instant(task.due_ms), "service")


def test_what_ends_as_it_should_asks_nobody() -> None:
    for decision in (
        reporting(accepted(), T.COMPLETED),
        decide(accepted(), CancelRequest(request_id="r1")),
        reporting(accepted(), T.TURNED_BACK),
    ):
        assert opened(decision) == []
        assert after(decision).tasks == ()


def test_only_the_first_reminder_of_a_missing_report_opens_a_task() -> None:
    record, task = missed()
    again = due(record, tasks=[task])
    assert after(again).offers[0].overdue == 2
    assert (opened(again), ended_tasks(again), after(again).tasks) == ([], [], (task.id,))


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (T.EN_ROUTE, RequestState.IN_PROGRESS),
        (T.COMPLETED, RequestState.COMPLETED),
        (T.TURNED_BACK, RequestState.MATCHING),
    ],
)
def test_a_report_or_a_turn_back_settles_the_task_of_the_missing_report(
    status: T, state: RequestState
) -> None:
    record, task = missed()
    decision = reporting(record, status, now_ms=record.timer_ms - 1, tasks=[task])
    ((before, settled),) = ended_tasks(decision)
    assert before == task
    assert (settled.state, settled.outcome) == (TaskState.DONE, TaskOutcome.SETTLED)
    assert settled.ended_ms == record.timer_ms - 1
    assert (after(decision).state, after(decision).tasks) == (state, (task.id,))
    assert task_news(decision) == [("dispatch.task.done", task.id)]


def test_a_cancelled_request_settles_it_too() -> None:
    record, task = missed()
    decision = decide(record, CancelRequest(request_id="r1"), tasks=[task])
    assert [each.outcome for _, each in ended_tasks(decision)] == [TaskOutcome.SETTLED]


def test_a_task_that_somebody_has_claimed_is_settled_and_one_that_is_done_stays_as_it_was_done() -> None:
    record, task = missed()
    claimed = after(decide(task, ClaimTask(task_id=task.id, by="ann")))
    ((_, settled),) = ended_tasks(reporting(record, T.EN_ROUTE, tasks=[claimed]))
    assert (settled.claimed_by, settled.outcome) == ("ann", TaskOutcome.SETTLED)
    finished = after(
        decide(task, FinishTask(task_id=task.id, by="ann", outcome=TaskOutcome.ARRANGED_OTHERWISE))
    )
    assert ended_tasks(reporting(record, T.EN_ROUTE, tasks=[finished])) == []


def test_a_dispatch_that_fails_for_want_of_reports_has_one_task_in_place_of_the_other() -> None:
    record, task = missed()
    decision = due(record, values={"overdue_limit": 1}, tasks=[task])
    assert after(decision).state is RequestState.FAILED
    assert [each.id for each in opened(decision)] == ["r1.failed"]
    assert [each.id for _, each in ended_tasks(decision)] == ["r1.1.overdue"]
    assert after(decision).tasks == ("r1.1.overdue", "r1.failed")


def test_a_report_that_is_missing_after_another_came_is_a_task_of_its_own() -> None:
    record, task = missed()
    done, known = [], [task]
    for status in (T.EN_ROUTE, T.AT_PICKUP, T.ON_BOARD):
        reported = reporting(record, status, now_ms=record.timer_ms - 1, tasks=known)
        done += [settled for _, settled in ended_tasks(reported)]
        silent = due(after(reported), tasks=[])
        known = opened(silent)
        assert [(each.id, each.code) for each in known] == [(f"r1.1.overdue_{status}", status)]
        record = after(silent)
        assert record.tasks[-1] == known[0].id
    assert [each.id for each in done] == ["r1.1.overdue", "r1.1.overdue_en_route", "r1.1.overdue_at_pickup"]


def test_the_next_vendors_missing_report_is_a_task_of_its_own() -> None:
    record, task = missed()
    back: Any = after(reporting(record, T.TURNED_BACK, now_ms=make.NOW + 1, tasks=[task]))
    asked = offering(back, make.vendor("v2"), now_ms=make.NOW + 2).after
    taken = after(accepting(asked, "r1.2", "v2", now_ms=make.NOW + 3))
    (second,) = opened(due(taken))
    assert (second.id, second.offer_id) == ("r1.2.overdue", "r1.2")


def unmatched() -> tuple[RequestRecord, TaskRecord]:
    """A request that found no vendor, and its task."""
    decision = due(make.received())
    (task,) = opened(decision)
    return after(decision), task


def test_a_request_is_not_forgotten_while_a_person_still_has_a_task_about_it() -> None:
    record, task = unmatched()
    kept = due(record, tasks=[task])
    assert kept is not None
    assert kept.changes == (
        Change(record, replace(record, version=record.version + 1, timer_ms=record.timer_ms + DAY_MS)),
    )
    assert kept.messages == ()


def test_a_request_goes_with_its_tasks_so_that_its_id_can_be_used_again() -> None:
    record, task = unmatched()
    ended = after(decide(task, FinishTask(task_id=task.id, by="ann", outcome=TaskOutcome.RESOLVED)))
    gone = due(record, tasks=[ended])
    assert gone is not None
    assert gone.changes == (Change(record, None), Change(ended, None))


def test_a_task_that_nobody_ends_lapses_with_its_request_and_that_is_told() -> None:
    record, task = unmatched()
    month_later = task.opened_ms + 30 * DAY_MS
    assert due(record, month_later - 1, tasks=[task]).after is not None  # type: ignore[union-attr]
    gone = due(record, month_later, tasks=[task])
    assert gone is not None
    assert gone.changes == (Change(record, None), Change(task, None))
    (news,) = gone.messages
    assert (news.type, news.data.outcome) == ("dispatch.task.done", TaskOutcome.LAPSED)  # type: ignore[attr-defined]


def test_a_done_task_stays_as_long_as_its_request_and_no_longer() -> None:
    record, task = unmatched()
    ended = after(decide(task, FinishTask(task_id=task.id, by="ann", outcome=TaskOutcome.RESOLVED)))
    kept = due(ended, tasks=[record])
    assert kept is not None
    assert kept.after == replace(ended, version=3, timer_ms=ended.timer_ms + DAY_MS)
    gone = due(ended)
    assert gone is not None
    assert gone.changes == (Change(ended, None),)


def test_a_record_is_read_with_the_tasks_that_it_made_necessary_and_a_task_with_its_request() -> None:
    record, task = unmatched()
    assert Change(None, make.received()).kind.related(record) == [("task", "r1.unmatched")]
    assert Change(None, task).kind.related(task) == [("request", "r1")]
