"""A round trip is two legs: what becomes of the way back when the leg there is not made."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from contracts.codes import OfferState, RequestState, Requirement, TrackingStatus
from contracts.episodes import After
from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.requests import TripRequest
from contracts.streams import To
from contracts.tasks import TaskKind
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.on_hold import ResumeRequest
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.decision import Decision
from dispatcher.domain.joining import joined
from dispatcher.domain.legs import refuse_odd_leg
from dispatcher.domain.links import Link
from dispatcher.domain.refusals import Invalid
from dispatcher.domain.requests import RequestRecord
from tests.domain import make
from tests.domain.make import NOW, accepted, after, decide, due, opened, received, reporting

S = RequestState
HOLD = {"return_after_no_show": 1}
BACK = make.trip("r2", ahead_ms=8 * HOUR_MS, return_of="r1")


THERE = replace(received(), before=("r2",))


def back_at(state: RequestState, status: TrackingStatus | None = None) -> RequestRecord:
    """The way back, four hours after the leg there."""
    record = received(BACK)
    if state is not S.RECEIVED:
        with_vendor = make.accepted()  # the leg there: else its way back is not offered
        record = make.offering(record, make.vendor("v2"), request=BACK, tasks=[with_vendor]).after
        if state in {S.ACCEPTED, S.IN_PROGRESS}:
            record = after(make.accepting(record, "r2.1", "v2", tasks=[with_vendor]))
        if status is not None:
            record = after(reporting(record, status, "r2.1", "v2", tasks=[with_vendor]))
    assert record.state is state
    return record


def cancelled(back: RequestRecord, **facts: Any) -> Decision:
    decision = decide(THERE, CancelRequest(request_id="r1"), tasks=[back], **facts)
    assert decision is not None
    return decision


def way_back(decision: Decision | None) -> RequestRecord:
    assert decision is not None
    (change,) = [each for each in decision.changes if each.record.id == "r2"]
    assert isinstance(change.after, RequestRecord)
    return change.after


@pytest.mark.parametrize("state", [S.RECEIVED, S.OFFERED, S.ACCEPTED])
def test_a_cancellation_cancels_the_way_back_in_the_same_commit_and_tells_its_vendor(state: S) -> None:
    back = back_at(state)
    decision = cancelled(back)
    gone = way_back(decision)
    assert (gone.state, gone.history[-1].code) == (S.CANCELLED, "outbound_cancelled")
    assert decision.unbook == tuple(each for offer in back.live_offers for each in offer.bookings)
    assert make.heard(decision, To.VENDOR) == ["dispatch.offer.closed"] * len(back.live_offers)
    told = [each.subject for each in decision.messages if each.type == "dispatch.request.changed"]
    assert told == ["r1", "r2"]


def test_a_no_show_does_so_too_and_its_own_task_stands() -> None:
    there, back = replace(accepted(), before=("r2",)), back_at(S.ACCEPTED)
    decision = reporting(there, TrackingStatus.NO_SHOW, tasks=[back])
    assert way_back(decision).history[-1].code == "outbound_no_show"
    assert [each.kind for each in opened(decision)] == [TaskKind.NO_SHOW]


@pytest.mark.parametrize("state", [S.RECEIVED, S.OFFERED, S.ACCEPTED, S.IN_PROGRESS])
def test_by_tuning_it_is_held_with_a_task_instead_and_nobody_works_on_it(state: S) -> None:
    status = TrackingStatus.EN_ROUTE if state is S.IN_PROGRESS else None
    decision = cancelled(back_at(state, status), values=HOLD)
    held = way_back(decision)
    assert (held.state, held.requirements) == (S.ON_HOLD, (Requirement.PREDECESSOR,))
    assert held.live_offers == ()
    assert {each.state for each in held.offers} <= {OfferState.CANCELLED}
    tasks = opened(decision)
    assert {each.kind for each in tasks} == {TaskKind.PREDECESSOR_MISSING}
    assert {(each.request_id, each.owner) for each in tasks} == {("r2", "care_coordinator")}
    free = decide(held, ResumeRequest(request_id="r2"), tasks=tasks)
    assert after(free).state is S.RECEIVED
    assert free is not None
    assert [getattr(each.after, "outcome", "") for each in free.changes[1:]] == ["settled"]


def test_left_alone_what_is_held_ends_unmatched_with_a_task() -> None:
    ended = due(way_back(cancelled(back_at(S.ACCEPTED), values=HOLD)))
    assert after(ended).state is S.UNMATCHED
    assert TaskKind.UNMATCHED in [each.kind for each in opened(ended)]


def test_a_will_call_that_is_held_goes_on_waiting_for_its_call_and_lapses_with_its_task() -> None:
    back = received(make.will_call("r2", return_of="r1"))
    held = way_back(cancelled(back, values=HOLD))
    assert held.requirements == (Requirement.ACTIVATION, Requirement.PREDECESSOR)
    asked = due(held)
    assert [each.kind for each in opened(asked)] == [TaskKind.WILL_CALL]
    assert after(due(after(asked), tasks=opened(asked))).state is S.CANCELLED


def test_who_is_on_board_of_the_way_back_arrives() -> None:
    decision = cancelled(back_at(S.IN_PROGRESS, TrackingStatus.ON_BOARD))
    going = way_back(decision)
    assert (going.state, going.risk) == (S.IN_PROGRESS, "started_early")


def test_a_way_back_that_has_ended_is_left_alone_and_what_else_goes_after_a_leg_is_not_cancelled() -> None:
    ended = after(decide(back_at(S.RECEIVED), CancelRequest(request_id="r2"), tasks=[THERE]))
    assert [each.record.id for each in cancelled(ended).changes] == ["r1"]
    assert way_back(cancelled(replace(back_at(S.RECEIVED), return_of=""))).state is S.ON_HOLD


def test_the_way_back_may_be_cancelled_alone() -> None:
    decision = decide(back_at(S.ACCEPTED), CancelRequest(request_id="r2"), tasks=[THERE])
    assert decision is not None
    assert [each.record.id for each in decision.changes] == ["r2"]


def legs(*requests: TripRequest, stored: tuple[RequestRecord, ...] = ()) -> list[Decision]:
    context = make.context()
    return joined([receive(each, context) for each in requests], {each.id: each for each in stored}, context)


def test_a_way_back_goes_after_its_leg_there_said_twice_or_once() -> None:
    first, second = legs(BACK, make.trip())
    assert (first.after.return_of, first.after.after, second.after.before) == ("r1", (Link("r1"),), ("r2",))
    lag = make.trip(
        "r2", ahead_ms=8 * HOUR_MS, return_of="r1", after=(After(request="r1", least_lag_minutes=30),)
    )
    assert legs(lag, make.trip())[0].after.after == (Link("r1", least_ms=30 * MINUTE_MS),)


def test_a_leg_that_is_stored_learns_of_its_way_back_in_the_same_commit() -> None:
    there = received()
    _, told = legs(BACK, stored=(there,))
    assert (told.before, told.after.before, told.after.version) == (there, ("r2",), 2)


def refused(record: RequestRecord, there: RequestRecord, *beside: RequestRecord, soonest_ms: int = 0) -> str:
    try:
        refuse_odd_leg(record, there, beside, soonest_ms)
    except Invalid as refusal:
        assert refusal.facts["request_ids"] == ["r2", "r1"]
        return refusal.detail
    return ""


def test_one_leg_has_one_return_at_a_time() -> None:
    back, other = received(BACK), received(make.trip("r3", return_of="r1"))
    assert "request r1 has its return: r3" in refused(back, THERE, back, other)
    gone = after(decide(other, CancelRequest(request_id="r3"), tasks=[THERE]))
    assert refused(back, THERE, back, gone, received(make.trip("r4"))) == ""


def test_a_leg_that_cannot_have_a_way_back_is_refused_by_name() -> None:
    back = received(BACK)
    assert "request r1 is of kind equipment" in refused(back, received(make.equipment("r1")))
    assert "request r1 is itself a return, of r0" in refused(back, replace(received(), return_of="r0"))


def test_a_way_back_that_must_start_before_the_leg_there_can_have_ended_is_refused_with_both_times() -> None:
    back, call = received(BACK), received(make.will_call("r2", until_ms=6 * HOUR_MS, return_of="r1"))
    end_ms = NOW + 8 * HOUR_MS + 30 * MINUTE_MS
    assert refused(back, THERE, soonest_ms=end_ms) == ""
    told = refused(back, THERE, soonest_ms=end_ms + 1)
    assert (
        "it may start until 2026-03-02T16:30:00+00:00, and request r1 ends at 2026-03-02T16:30:00.001" in told
    )
    assert "it may be called until 2026-03-02T14:00:00" in refused(call, THERE, soonest_ms=end_ms)
    done = after(reporting(accepted(), TrackingStatus.COMPLETED, now_ms=NOW + 5 * HOUR_MS))
    assert refused(back, done, soonest_ms=end_ms + 1) == "", "it has ended"
