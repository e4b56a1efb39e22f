"""A will-call waits for its call, is found at once when it comes, and is somebody's when it does not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from contracts.codes import Priority, RequestState, Requirement
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant, to_ms
from contracts.streams import To
from contracts.tasks import TaskKind, TaskOutcome, TaskState
from contracts.will_call import WillCall
from dispatcher.domain.commands.activate import ActivateRequest
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.offer_by_hand import refuse_taken
from dispatcher.domain.commands.on_hold import HoldRequest, ResumeRequest
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.decision import Decision
from dispatcher.domain.refusals import Invalid, WrongState
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.tasks import TaskRecord
from dispatcher.domain.will_call import DayKind, call_of, call_span
from tests.domain import make
from tests.domain.make import NOW, after, decide, due, opened, received

S = RequestState
NEW_YORK = ZoneInfo("America/New_York")
EVENING, MIDNIGHT = NOW + 10 * HOUR_MS, NOW + 16 * HOUR_MS  # 18:00 and 24:00


def activating(record: Any, *, ahead_ms: int | None = None, **facts: Any) -> Decision | None:
    ready_ms = None if ahead_ms is None else NOW + ahead_ms
    return decide(record, ActivateRequest(request_id=record.id, ready_ms=ready_ms), **facts)


def settled(decision: Decision | None) -> list[TaskKind]:
    assert decision is not None
    ends = [each.after for each in decision.changes if isinstance(each.after, TaskRecord) and each.before]
    return [each.kind for each in ends if each.outcome is TaskOutcome.SETTLED]


def test_a_will_call_is_the_coordinators_and_offered_to_nobody_until_it_is_called() -> None:
    record = received(make.will_call())
    assert (record.state, record.requirements) == (S.ON_HOLD, (Requirement.ACTIVATION,))
    assert (record.latest_ms, record.timer_ms) == (MIDNIGHT, EVENING)


def test_a_call_gives_it_a_window_from_now_and_lets_it_be_found_before_others() -> None:
    decision = activating(received(make.will_call()))
    record = after(decision)
    assert (record.state, record.requirements) == (S.RECEIVED, ())
    assert (record.earliest_ms, record.latest_ms) == (NOW, NOW + HOUR_MS)
    assert record.timer_ms == record.match_by_ms == record.latest_ms
    assert record.priority is Priority.ASAP
    assert make.heard(decision, To.EVENTS)[0] == "dispatch.request.activated"
    assert activating(record) is None, "the second call is the same answer"
    again = after(activating(record, ahead_ms=3 * HOUR_MS))
    assert (again.state, again.earliest_ms, again.match_by_ms) == (
        S.RECEIVED,
        NOW + 3 * HOUR_MS,
        NOW + 4 * HOUR_MS,
    )
    assert REQUEST_KIND.is_new_work(record, again), "the matcher looks at it anew"


def test_who_is_more_pressing_than_that_stays_so() -> None:
    record = after(activating(received(make.will_call(priority=Priority.STAT))))
    assert record.priority is Priority.STAT


def test_a_passenger_may_be_ready_later_and_may_have_been_ready_a_little_ago() -> None:
    record = received(make.will_call())
    assert after(activating(record, ahead_ms=2 * HOUR_MS)).earliest_ms == NOW + 2 * HOUR_MS
    assert after(activating(record, ahead_ms=-10 * MINUTE_MS)).latest_ms == NOW + 50 * MINUTE_MS
    with pytest.raises(Invalid, match="was over 60 minutes ago"):
        activating(record, ahead_ms=-HOUR_MS)


@pytest.mark.parametrize("ahead_ms", [16 * HOUR_MS, 40 * HOUR_MS])
def test_a_call_for_another_day_is_refused_with_the_day_that_it_is_for(ahead_ms: int) -> None:
    with pytest.raises(Invalid, match="is not from 2026-03-02T00:00:00"):
        activating(received(make.will_call()), ahead_ms=ahead_ms)


def test_the_evening_before_one_may_say_when_tomorrow_and_not_now() -> None:
    record = received(make.will_call(will_call=WillCall(day=date(2026, 3, 3))))
    assert after(activating(record, ahead_ms=26 * HOUR_MS)).earliest_ms == NOW + 26 * HOUR_MS
    with pytest.raises(Invalid, match="is not from 2026-03-03"):
        activating(record)


def test_in_the_evening_a_coordinator_is_asked_and_at_the_end_of_the_day_it_lapses() -> None:
    asked = due(received(make.will_call()))
    record, (task,) = after(asked), opened(asked)
    assert (task.kind, task.owner, record.state) == (TaskKind.WILL_CALL, "care_coordinator", S.ON_HOLD)
    assert record.timer_ms == MIDNIGHT
    lapsed = due(record, tasks=[task])
    gone = after(lapsed)
    assert (gone.state, gone.history[-1].code, gone.requirements) == (S.CANCELLED, "not_called", ())
    assert settled(lapsed) == [], "whoever it was for may stand at a door: a person looks"
    assert opened(lapsed) == []


def test_one_that_ends_before_the_evening_has_its_task_when_it_lapses() -> None:
    record = received(make.will_call(until_ms=4 * HOUR_MS))
    assert record.timer_ms == NOW + 4 * HOUR_MS
    lapsed = due(record)
    assert after(lapsed).state is S.CANCELLED
    assert [each.kind for each in opened(lapsed)] == [TaskKind.WILL_CALL]


def test_after_a_long_stop_both_come_at_once() -> None:
    lapsed = due(received(make.will_call()), MIDNIGHT + HOUR_MS)
    assert after(lapsed).state is S.CANCELLED
    assert [each.kind for each in opened(lapsed)] == [TaskKind.WILL_CALL]


@pytest.mark.parametrize("called", [True, False])
def test_a_call_or_a_cancellation_settles_the_task(called: bool) -> None:
    asked = due(received(make.will_call()))
    (task,) = opened(asked)
    facts: dict[str, Any] = {"tasks": [task], "now_ms": EVENING}
    cancel = CancelRequest(request_id="r1")
    decision = activating(after(asked), **facts) if called else decide(after(asked), cancel, **facts)
    assert settled(decision) == [TaskKind.WILL_CALL]
    assert all(each.state is TaskState.DONE for each in [decision.changes[-1].after]) if decision else False


def test_what_has_lapsed_or_was_cancelled_is_not_activated() -> None:
    record = received(make.will_call())
    with pytest.raises(WrongState, match="could be activated until"):
        activating(record, now_ms=MIDNIGHT)
    with pytest.raises(WrongState, match="submit a ride of its own"):
        activating(after(decide(record, CancelRequest(request_id="r1"))))


def test_what_has_its_time_is_no_will_call() -> None:
    with pytest.raises(WrongState, match="no will-call"):
        activating(received())


def test_each_requirement_is_lifted_by_itself() -> None:
    both = received(make.will_call(hold=Requirement.AUTHORIZATION))
    assert both.requirements == (Requirement.ACTIVATION, Requirement.AUTHORIZATION)
    called = after(activating(both))
    assert (called.state, called.requirements) == (S.ON_HOLD, (Requirement.AUTHORIZATION,))
    assert (called.timer_ms, called.latest_ms) == (NOW + HOUR_MS, NOW + HOUR_MS), "its deadline runs"
    free = after(decide(called, ResumeRequest(request_id="r1"), by="case_manager"))
    assert (free.state, free.latest_ms) == (S.RECEIVED, NOW + HOUR_MS)
    authorize = ResumeRequest(request_id="r1", requirement=Requirement.AUTHORIZATION)
    authorized = after(decide(both, authorize, by="case_manager"))
    assert (authorized.state, authorized.requirements) == (S.ON_HOLD, (Requirement.ACTIVATION,))
    assert after(activating(authorized)).state is S.RECEIVED


def test_resuming_does_not_call_and_nothing_else_is_held_for_a_call() -> None:
    record = received(make.will_call(hold=Requirement.AUTHORIZATION))
    left = after(decide(record, ResumeRequest(request_id="r1"), by="case_manager"))
    assert left.requirements == (Requirement.ACTIVATION,)
    assert decide(left, ResumeRequest(request_id="r1")) is None
    call = Requirement.ACTIVATION
    with pytest.raises(WrongState, match="activate it"):
        decide(left, ResumeRequest(request_id="r1", requirement=call))
    for each in (received(), after(activating(received(make.will_call())))):
        with pytest.raises(WrongState, match="does not wait for its activation"):
            decide(each, HoldRequest(request_id="r1", requirement=call))


def test_who_would_put_it_to_a_vendor_is_told_to_activate_it_and_not_to_resume_it() -> None:
    with pytest.raises(WrongState, match=r"it waits for activation\nMaybe activate it first"):
        refuse_taken(received(make.will_call()), NOW)
    held = after(decide(received(), HoldRequest(request_id="r1", requirement=Requirement.PREDECESSOR)))
    with pytest.raises(WrongState, match=r"it waits for predecessor\nMaybe resume it first"):
        refuse_taken(held, NOW)


def test_a_call_that_nobody_can_serve_ends_unmatched_with_a_task_as_any_request() -> None:
    record = after(activating(received(make.will_call())))
    ended = due(record)
    assert after(ended).state is S.UNMATCHED
    assert [each.kind for each in opened(ended)] == [TaskKind.UNMATCHED]


@pytest.mark.parametrize(
    ("day", "evening", "ends"),
    [
        (date(2026, 3, 8), "2026-03-08T22:00:00+00:00", "2026-03-09T04:00:00+00:00"),  # an hour less
        (date(2026, 11, 1), "2026-11-01T23:00:00+00:00", "2026-11-02T05:00:00+00:00"),  # and one more
        (date(2026, 7, 1), "2026-07-01T22:00:00+00:00", "2026-07-02T04:00:00+00:00"),
    ],
)
def test_the_evening_is_the_clocks_on_every_day_of_the_year(day: date, evening: str, ends: str) -> None:
    span = call_span(WillCall(day=day), NEW_YORK, {})
    assert [to_instant(each).isoformat() for each in span[1:]] == [evening, ends]


def test_an_evening_hour_that_the_clock_skips_is_the_first_minute_after() -> None:
    span = call_span(WillCall(day=date(2026, 3, 8)), NEW_YORK, {"will_call_evening_hour": 2})
    assert to_instant(span.evening_ms).isoformat() == "2026-03-08T07:00:00+00:00"


def test_calls_are_counted_by_the_hour_of_the_clock_and_the_kind_of_day() -> None:
    decision = activating(received(make.will_call()), tz=NEW_YORK)
    assert decision is not None
    assert decision.called == ("2026-03", DayKind.WEEKDAY, 3)
    twice = [to_ms(datetime(2026, 11, 1, hour, 30, tzinfo=UTC)) for hour in (5, 6)]
    assert [call_of(each, NEW_YORK) for each in twice] == [("2026-11", DayKind.SUNDAY, 1)] * 2
    assert call_of(to_ms(datetime(2026, 11, 7, 12, tzinfo=UTC)), NEW_YORK).kind is DayKind.SATURDAY


@pytest.mark.parametrize("hours", [-9, 29, 500])
def test_until_is_on_its_day_or_in_the_night_after(hours: int) -> None:
    request = make.will_call(until_ms=hours * HOUR_MS)
    with pytest.raises(Invalid, match="is for 2026-03-02, and may be called until"):
        receive(request, make.context())


def test_one_for_yesterday_is_refused() -> None:
    request = make.will_call(will_call=WillCall(day=date(2026, 3, 1)))
    with pytest.raises(Invalid, match="and it is"):
        receive(request, make.context())


@pytest.mark.parametrize(
    "wrong",
    [
        {"pickup_window": make.trip().pickup_window},
        {"appointment_at": to_instant(NOW)},
        {"match_by": to_instant(NOW)},
        {"hold": Requirement.ACTIVATION},
        {"will_call": None},
        {"return_of": "r1"},
    ],
)
def test_a_will_call_has_no_other_time_and_no_leg_is_its_own_return(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Maybe"):
        make.will_call(**wrong)


def test_a_return_is_not_called_before_its_way_there_has_ended() -> None:
    there = make.accepted()
    back = received(make.will_call("r2", return_of=there.id))
    end_ms = there.offers[0].end_ms
    with pytest.raises(Invalid, match=r"before the end of its way there: r1 ends at .*\n.* release this one"):
        activating(back, ahead_ms=end_ms - NOW - 1, tasks=[there])
    assert after(activating(back, ahead_ms=end_ms - NOW, tasks=[there])).earliest_ms == end_ms
