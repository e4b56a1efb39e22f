"""Who is to be told is planned with what makes it necessary, is due once, and falls away when work moves."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from contracts.amendments import Amend
from contracts.codes import DeclineCode, ReportCode, RequestState, Requirement, TrackingStatus
from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.notifications import Audience, Template
from contracts.tasks import TaskKind
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.activate import ActivateRequest
from dispatcher.domain.commands.answer_amendment import AgreeToAmendment
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.commands.notifications import (
    MOST_ATTEMPTS,
    EndNotification,
    PutOffNotification,
    SendNotificationAgain,
    TryNotification,
)
from dispatcher.domain.commands.on_hold import HoldRequest
from dispatcher.domain.decision import Decision
from dispatcher.domain.notifications import NotificationRecord, NotificationState
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord
from tests.domain import make
from tests.domain.make import NOW, accepted, after, decide, due, offered, opened, reporting
from tests.domain.test_parameters import notes

S = NotificationState
VALUES = {"notify_appointment_hours": 1}


def reminder(offer: RequestRecord | None = None) -> tuple[RequestRecord, NotificationRecord]:
    """A dispatch and what its patient is to be reminded of."""
    decision = decide(
        offer or offered(ahead_ms=4 * HOUR_MS), AcceptOffer(offer_id="r1.1"), vendor="v1", values=VALUES
    )
    (note,) = notes(decision)
    return decision.after, note


def told(decision: Decision | None) -> list[str]:
    assert decision is not None
    return [each.type for each in decision.messages if each.type.startswith("dispatch.notification")]


def test_a_dispatch_is_reminded_of_before_its_start_and_the_event_names_no_one() -> None:
    record, note = reminder()
    start_ms = record.offers[0].start_ms
    assert (note.state, note.due_ms, note.until_ms) == (S.PLANNED, start_ms - HOUR_MS, start_ms)
    assert (note.template, note.audience) == (Template.RIDE_APPOINTMENT, Audience.PATIENT)
    assert due(note, note.due_ms - 1, tasks=[record]) is None
    fired = due(note, note.due_ms, tasks=[record])
    assert told(fired) == ["dispatch.notification.due"]
    assert after(fired).state is S.DUE
    data = fired.messages[0].data
    assert (data.notification_id, data.offer_id) == (note.id, "r1.1")
    assert "r1" not in note.id


def test_one_that_begins_sooner_is_due_in_the_commit_that_accepts() -> None:
    decision = decide(offered(), AcceptOffer(offer_id="r1.1"), vendor="v1")
    (note,) = notes(decision)
    assert note.state is S.DUE
    assert told(decision) == ["dispatch.notification.due"]


def test_a_will_call_that_is_called_is_told_once_with_the_time_by_which_it_is_there() -> None:
    called = decide(make.received(make.will_call()), ActivateRequest(request_id="r1"))
    (note,) = notes(called)
    assert (note.template, note.audience) == (Template.WILL_CALL_ACTIVATED, Audience.PATIENT)
    assert (note.state, note.start_ms, note.until_ms) == (S.DUE, NOW + HOUR_MS, NOW + HOUR_MS)
    assert told(called) == ["dispatch.notification.due"]
    (event,) = [each.data for each in called.messages if each.type == "dispatch.notification.due"]
    assert (event.request_id, event.offer_id) == ("r1", None)
    assert decide(after(called), ActivateRequest(request_id="r1")) is None
    held = decide(after(called), HoldRequest(request_id="r1", requirement=Requirement.PREDECESSOR))
    assert notes(held) == []


def test_a_call_of_which_the_patient_could_not_be_told_is_a_task_of_its_request() -> None:
    called = decide(make.received(make.will_call()), ActivateRequest(request_id="r1"))
    (note,) = notes(called)
    ends = EndNotification(notification_id=note.id, state=S.FAILED, code="http_410")
    failed = decide(note, ends, tasks=[after(called)])
    (task,) = opened(failed)
    assert (task.id, task.kind) == ("r1.notification_will_call", TaskKind.NOTIFICATION)


def test_work_that_was_given_back_is_not_reminded_of_and_the_next_vendors_is() -> None:
    record, note = reminder()
    back = after(reporting(record, TrackingStatus.TURNED_BACK, code=ReportCode.NO_VEHICLES_AVAILABLE))
    fired = due(note, note.due_ms, tasks=[back])
    assert told(fired) == []
    assert (after(fired).state, after(fired).code) == (S.DROPPED, "moved")
    again = offered(make.vendor("v2"), record=back)
    decision = decide(again, AcceptOffer(offer_id="r1.2"), vendor="v2", values=VALUES)
    (second,) = notes(decision)
    assert second.id != note.id


def test_a_time_that_was_agreed_anew_has_a_reminder_of_its_own_and_the_old_one_falls_away() -> None:
    record, note = reminder()
    offer = replace(record.offers[0], start_ms=record.offers[0].start_ms + HOUR_MS)
    later = replace(record, version=record.version + 1, offers=(offer,))
    assert after(due(note, note.due_ms, tasks=[later])).state is S.DROPPED


def test_a_time_that_was_agreed_away_and_back_again_is_reminded_of_once() -> None:
    record, first = reminder()
    asked, planned = make.trip(), []
    for ahead_ms in (5 * HOUR_MS, 4 * HOUR_MS):
        wanted = make.trip(ahead_ms=ahead_ms)
        patch = Amend(pickup_window=wanted.pickup_window)
        proposed = after(make.amending(record, patch, stored=asked, values=VALUES))
        answer = AgreeToAmendment(offer_id="r1.1", number=len(proposed.amendments))
        agreed = decide(proposed, answer, vendor="v1", values=VALUES)
        record, asked = after(agreed), wanted
        planned += notes(agreed)
    back = planned[-1]
    assert (back.start_ms, record.offers[0].start_ms) == (first.start_ms, first.start_ms)
    fired = [after(due(each, first.due_ms, tasks=[record])).state for each in (first, back)]
    assert fired == [S.DROPPED, S.DUE]


def test_the_vendor_on_its_way_is_told_once_however_it_reports() -> None:
    record = accepted()
    going = reporting(record, TrackingStatus.EN_ROUTE)
    (note,) = notes(going)
    assert (note.template, note.state) == (Template.RIDE_ARRIVING, S.DUE)
    at_the_door = reporting(after(going), TrackingStatus.AT_PICKUP)
    assert notes(at_the_door) == []


def test_equipment_that_was_set_up_is_told_to_the_coordinator_and_a_ride_is_not() -> None:
    record = accepted()
    late_ms = record.offers[0].start_ms + 10 * MINUTE_MS
    done = TrackingStatus.COMPLETED
    assert notes(reporting(record, done, now_ms=late_ms)) == []
    (note,) = notes(reporting(replace(record, kind="equipment"), done, now_ms=late_ms))
    assert (note.template, note.audience) == (Template.EQUIPMENT_SET_UP, Audience.COORDINATOR)


def test_an_attempt_is_counted_before_it_is_made_and_pauses_grow_to_an_end() -> None:
    record = accepted()
    (note,) = notes(reporting(record, TrackingStatus.EN_ROUTE))
    now_ms, pauses = NOW, list[int]()
    for number in range(MOST_ATTEMPTS):
        tried = decide(note, TryNotification(notification_id=note.id), now_ms=now_ms, tasks=[record])
        assert tried.after.attempts == number + 1
        assert decide(tried.after, TryNotification(notification_id=note.id), now_ms=now_ms) is None
        note, pause_ms = tried.after, tried.after.next_ms - now_ms
        pauses.append(pause_ms)
        now_ms += pause_ms
    assert pauses == sorted(pauses)
    failed = decide(note, TryNotification(notification_id=note.id), now_ms=now_ms, tasks=[record])
    assert (failed.after.state, failed.after.code) == (S.FAILED, "unanswered")
    (task,) = opened(failed)
    assert (task.kind, task.owner) == (TaskKind.NOTIFICATION, "ops")
    assert failed.changes[1].after.tasks == (task.id,)


def test_a_second_failure_of_the_same_kind_needs_no_second_task() -> None:
    record = accepted()
    (note,) = notes(reporting(record, TrackingStatus.EN_ROUTE))
    end = EndNotification(notification_id=note.id, state=S.FAILED, code="refused")
    failed = decide(note, end, tasks=[record])
    named = failed.changes[1].after
    again = decide(note, end, tasks=[named])
    assert opened(again) == []
    assert decide(failed.after, end, tasks=[named]) is None


def test_what_nobody_sent_in_time_has_failed_and_is_forgotten_in_the_end() -> None:
    record = accepted()
    (note,) = notes(reporting(record, TrackingStatus.EN_ROUTE))
    unsent = due(note, note.timer_ms, tasks=[record])
    assert (after(unsent).state, after(unsent).code, opened(unsent)) == (S.DROPPED, "late", [])
    tried = decide(note, TryNotification(notification_id=note.id)).after
    put_off = decide(tried, PutOffNotification(notification_id=note.id, next_ms=note.until_ms * 2)).after
    late = due(put_off, note.timer_ms, tasks=[record])
    assert (after(late).state, after(late).code, len(opened(late))) == (S.FAILED, "late", 1)
    gone = due(after(late), after(late).timer_ms)
    assert gone is not None
    assert gone.after is None


def test_a_request_without_a_vendor_tells_nobody() -> None:
    declined = decide(offered(), DeclineOffer(offer_id="r1.1", code=DeclineCode.OTHER), vendor="v1")
    assert after(declined).state is RequestState.MATCHING
    assert notes(declined) == []


def test_ops_sends_again_what_failed_for_as_long_as_it_says_something_new() -> None:
    record = accepted()
    (note,) = notes(reporting(record, TrackingStatus.EN_ROUTE))
    again = SendNotificationAgain(notification_id=note.id)
    assert decide(note, again, tasks=[record]) is None  # it is due anyway
    end = EndNotification(notification_id=note.id, state=S.FAILED, code="refused")
    failed = decide(note, end, tasks=[record]).after
    sent = decide(failed, again, now_ms=NOW + MINUTE_MS, tasks=[record]).after
    assert (sent.state, sent.attempts, sent.code, sent.next_ms) == (S.DUE, 0, "", NOW + MINUTE_MS)
    with pytest.raises(WrongState, match="says nothing new"):
        decide(failed, again, now_ms=note.until_ms, tasks=[record])
    with pytest.raises(WrongState, match="says nothing new"):
        decide(failed, again, tasks=[replace(record, offers=())])
    delivered = decide(note, EndNotification(notification_id=note.id, state=S.DELIVERED)).after
    with pytest.raises(WrongState, match="delivered"):
        decide(delivered, again, tasks=[record])
