"""A round trip is two legs: what becomes of the way back when the leg there is not made."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from contracts.codes import OfferState, RequestState, Requirement, TrackingStatus
from contracts.instants import HOUR_MS
from contracts.requests import TripRequest
from contracts.streams import To
from contracts.tasks import TaskKind
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.on_hold import ResumeRequest
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.decision import Decision
from dispatcher.domain.legs import linked
from dispatcher.domain.refusals import Invalid
from dispatcher.domain.requests import RequestRecord
from tests.domain import make
from tests.domain.make import NOW, accepted, after, decide, due, opened, received, reporting

S = RequestState
HOLD = {"return_after_no_show": 1}


def back_at(state: RequestState, status: TrackingStatus | None = None) -> RequestRecord:
    """The way back, four hours after the leg there."""
    record = received(make.trip("r2", ahead_ms=8 * HOUR_MS))
    if state is not S.RECEIVED:
        record = make.offered(make.vendor("v2"), record=record)
    if state in {S.ACCEPTED, S.IN_PROGRESS}:
        record = after(make.accepting(record, "r2.1", "v2"))
    if status is not None:
        record = after(reporting(record, status, "r2.1", "v2"))
    assert record.state is state
    return replace(record, return_of="r1")


def cancelled(back: RequestRecord, **facts: Any) -> Decision:
    there = replace(received(), return_leg=back.id)
    decision = decide(there, CancelRequest(request_id="r1"), tasks=[back], **facts)
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
    assert [each.subject for each in decision.messages if each.to is To.EVENTS] == ["r1", "r2"]


def test_a_no_show_does_so_too_and_its_own_task_stands() -> None:
    there, back = replace(accepted(), return_leg="r2"), back_at(S.ACCEPTED)
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
    (task,) = opened(decision)
    assert (task.kind, task.request_id, task.owner) == (
        TaskKind.PREDECESSOR_MISSING,
        "r2",
        "care_coordinator",
    )
    assert held.tasks == (task.id,)
    free = decide(held, ResumeRequest(request_id="r2"), tasks=[task])
    assert after(free).state is S.RECEIVED
    assert [each.after.outcome for each in free.changes[1:]] == ["settled"] if free else False  # type: ignore[union-attr]


def test_left_alone_what_is_held_ends_unmatched_with_a_task() -> None:
    ended = due(way_back(cancelled(back_at(S.ACCEPTED), values=HOLD)))
    assert after(ended).state is S.UNMATCHED
    assert TaskKind.UNMATCHED in [each.kind for each in opened(ended)]


def test_a_will_call_that_is_held_goes_on_waiting_for_its_call_and_lapses_with_its_task() -> None:
    back = replace(received(make.will_call("r2")), return_of="r1")
    held = way_back(cancelled(back, values=HOLD))
    assert held.requirements == (Requirement.ACTIVATION, Requirement.PREDECESSOR)
    asked = due(held)
    assert [each.kind for each in opened(asked)] == [TaskKind.WILL_CALL]
    assert after(due(after(asked), tasks=opened(asked))).state is S.CANCELLED


def test_who_is_on_board_of_the_way_back_arrives() -> None:
    decision = cancelled(back_at(S.IN_PROGRESS, TrackingStatus.ON_BOARD))
    assert [each.record.id for each in decision.changes] == ["r1"]


def test_a_way_back_that_has_ended_or_is_anothers_is_left_alone() -> None:
    ended = after(decide(back_at(S.RECEIVED), CancelRequest(request_id="r2")))
    for back in (ended, replace(back_at(S.RECEIVED), return_of="r9")):
        assert [each.record.id for each in cancelled(back).changes] == ["r1"]


def test_the_way_back_may_be_cancelled_alone() -> None:
    there = replace(received(), return_leg="r2")
    decision = decide(back_at(S.ACCEPTED), CancelRequest(request_id="r2"), tasks=[there])
    assert decision is not None
    assert [each.record.id for each in decision.changes] == ["r2"]


def legs(*requests: TripRequest, stored: tuple[RequestRecord, ...] = (), **ends: int) -> list[Decision]:
    context = make.context()
    decisions = [receive(each, context) for each in requests]
    return linked(decisions, {each.id: each for each in stored}, ends, context)


BACK = make.trip("r2", ahead_ms=8 * HOUR_MS, return_of="r1")


def test_both_legs_may_come_in_one_call_and_then_know_each_other() -> None:
    first, second = legs(BACK, make.trip())
    assert (first.after.return_of, second.after.return_leg) == ("r1", "r2")


def test_a_leg_that_is_stored_learns_of_its_way_back_in_the_same_commit() -> None:
    there = received()
    _, told = legs(BACK, stored=(there,))
    assert (told.before, told.after.return_leg, told.after.version) == (there, "r2", 2)
    assert len(legs(BACK, stored=(told.after,))) == 1, "said again, it is nothing new"


def test_a_completed_leg_may_be_named_too_and_nothing_follows_from_it() -> None:
    done = after(reporting(accepted(), TrackingStatus.COMPLETED, now_ms=NOW + 5 * HOUR_MS))
    (decision,) = legs(BACK, stored=(done,), r1=NOW + 30 * HOUR_MS)
    assert decision.after.return_of == "r1"


def test_once_a_return_has_ended_another_may_take_its_place() -> None:
    gone = after(decide(received(make.trip("r3")), CancelRequest(request_id="r3")))
    there = replace(received(), return_leg="r3")
    assert legs(BACK, stored=(there, gone))[1].after.return_leg == "r2"
    with pytest.raises(Invalid, match="request r1 has its return: r3"):
        legs(BACK, stored=(there, received(make.trip("r3"))))


def test_two_returns_of_one_leg_in_one_call_are_refused() -> None:
    with pytest.raises(Invalid, match="request r1 has its return: r2"):
        legs(make.trip(), BACK, make.trip("r3", ahead_ms=8 * HOUR_MS, return_of="r1"))


@pytest.mark.parametrize(
    ("there", "why"),
    [
        (None, "there is no request r1 in this market"),
        (received(make.equipment("r1")), "request r1 is of kind equipment"),
        (after(decide(received(), CancelRequest(request_id="r1"))), "request r1 is cancelled"),
        (after(due(received())), "request r1 is unmatched"),
        (replace(received(), return_of="r0"), "request r1 is itself a return, of r0"),
    ],
)
def test_a_leg_that_cannot_have_a_way_back_is_refused_by_name(there: RequestRecord | None, why: str) -> None:
    with pytest.raises(Invalid, match=why) as refusal:
        legs(BACK, stored=(there,) if there else ())
    assert refusal.value.facts["request_ids"] == ["r2", "r1"]


def test_a_way_back_that_may_start_before_the_leg_there_has_ended_is_refused_with_both_times() -> None:
    end_ms = NOW + 8 * HOUR_MS
    assert legs(make.trip(), BACK, r1=end_ms)
    with pytest.raises(
        Invalid, match=r"may start at 2026-03-02T16:00:00.*may last until 2026-03-02T16:00:00.001"
    ):
        legs(make.trip(), BACK, r1=end_ms + 1)
    call = make.will_call("r2", until_ms=6 * HOUR_MS, return_of="r1")
    with pytest.raises(Invalid, match="may be called until 2026-03-02T14:00:00"):
        legs(make.trip(), call, r1=end_ms)
