"""On hold: no vendor is sought before authorization and predecessor are there."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from contracts.codes import RequestState, Requirement, Role, TrackingStatus
from contracts.request_views import WaitsFor
from dispatcher.domain.commands.on_hold import HoldRequest, ResumeRequest
from dispatcher.domain.decision import Decision
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import HISTORY_LIMIT, RequestRecord
from dispatcher.domain.states import REQUEST_STATES, REQUIREMENT_OWNERS
from dispatcher.domain.views import request_view
from tests.domain import make
from tests.domain.make import NOW, after, decide, due, offering

AUTHORIZATION, PREDECESSOR = Requirement.AUTHORIZATION, Requirement.PREDECESSOR


def held(*requirements: Requirement) -> RequestRecord:
    return make.received(make.trip(hold=requirements or (AUTHORIZATION,)))


def holding(record: RequestRecord, requirement: Requirement = AUTHORIZATION) -> Decision | None:
    return decide(record, HoldRequest(request_id="r1", requirement=requirement))


def resuming(record: RequestRecord, requirement: Requirement | None = None) -> Decision | None:
    """By who may lift either."""
    command, both = (
        ResumeRequest(request_id="r1", requirement=requirement),
        (Role.COORDINATOR, Role.CASE_MANAGER),
    )
    return decide(record, command, now_ms=NOW + 1, by="coordinator", roles=both)


def test_a_request_may_come_in_on_hold_and_the_case_manager_owns_it() -> None:
    record = held()
    assert record.state is RequestState.ON_HOLD
    assert [(step.state.value, step.code) for step in record.history] == [
        ("received", ""),
        ("on_hold", "authorization"),
    ]
    assert REQUEST_STATES[record.state].owner == "case_manager"
    assert request_view(record).owner == "case_manager"


def test_what_is_on_hold_is_offered_to_nobody() -> None:
    with pytest.raises(WrongState, match="on_hold"):
        offering(held())


def test_resumed_it_waits_for_a_vendor_and_again_has_no_effect() -> None:
    record = after(resuming(held()))
    assert record.state is RequestState.RECEIVED
    assert resuming(record) is None


def test_the_same_hold_again_has_no_effect_and_another_reason_is_told() -> None:
    record = after(holding(make.received()))
    assert holding(record) is None
    assert after(holding(record, PREDECESSOR)).history[-1].code == "predecessor"


def test_what_a_vendor_has_is_not_put_on_hold() -> None:
    with pytest.raises(WrongState, match=r"offered.*\nMaybe cancel"):
        holding(make.offered())
    with pytest.raises(WrongState, match="Maybe nothing is left to hold"):
        holding(replace(make.offered(), state=RequestState.CANCELLED))
    with pytest.raises(WrongState, match="Maybe call the vendor"):
        holding(after(make.reporting(make.accepted(), TrackingStatus.ON_BOARD)))


def test_its_deadline_runs_on_and_says_that_it_was_on_hold() -> None:
    record = held()
    ended = after(due(record, record.match_by_ms))
    assert ended.state is RequestState.UNMATCHED
    assert ended.unmatched is not None
    assert ended.unmatched.last_rule == "on_hold"


def test_what_ended_on_hold_waits_for_nothing_more_and_is_the_care_coordinators() -> None:
    ended = after(due(held()))
    view = request_view(ended)
    assert (view.owner, view.waits_for) == ("care_coordinator", ())
    for command in (holding, resuming):
        with pytest.raises(WrongState, match="unmatched"):
            command(ended)


def test_a_request_may_come_in_without_both_and_both_stand_in_its_history() -> None:
    record = held(AUTHORIZATION, PREDECESSOR, AUTHORIZATION)
    assert record.requirements == (AUTHORIZATION, PREDECESSOR)
    assert [(step.state.value, step.code) for step in record.history] == [
        ("received", ""),
        ("on_hold", "authorization"),
        ("on_hold", "predecessor"),
    ]
    assert request_view(record).waits_for == (
        WaitsFor(requirement=AUTHORIZATION, owner="case_manager"),
        WaitsFor(requirement=PREDECESSOR, owner="care_coordinator"),
    )


@pytest.mark.parametrize(
    ("there", "missing", "owner"),
    [(AUTHORIZATION, PREDECESSOR, "care_coordinator"), (PREDECESSOR, AUTHORIZATION, "case_manager")],
)
def test_when_one_requirement_is_there_the_other_is_still_missing_and_its_owner_has_the_work(
    there: Requirement, missing: Requirement, owner: str
) -> None:
    record = after(resuming(held(AUTHORIZATION, PREDECESSOR), there))
    assert (record.state, record.requirements) == (RequestState.ON_HOLD, (missing,))
    assert record.history[-1].code == f"{there}_lifted"  # not as when it goes missing: both stay on hold
    assert request_view(record).owner == owner
    with pytest.raises(WrongState, match="on_hold"):
        offering(record)
    freed = after(resuming(record, missing))
    assert (freed.state, freed.requirements, request_view(freed).owner) == (
        RequestState.RECEIVED,
        (),
        "service",
    )


def test_a_second_hold_is_beside_the_first_and_to_lift_one_leaves_the_other_whatever_the_order() -> None:
    for first, second in ((AUTHORIZATION, PREDECESSOR), (PREDECESSOR, AUTHORIZATION)):
        record = after(holding(after(holding(make.received(), first)), second))
        assert record.requirements == (first, second)
        assert [each.owner for each in request_view(record).waits_for] == [
            REQUIREMENT_OWNERS[first].value,
            REQUIREMENT_OWNERS[second].value,
        ]
        assert after(resuming(record, first)).requirements == (second,)
        assert after(resuming(record, second)).requirements == (first,)


def test_a_requirement_that_it_does_not_wait_for_changes_nothing() -> None:
    assert resuming(held(AUTHORIZATION), PREDECESSOR) is None


def test_to_resume_without_saying_why_lifts_all_that_was_missing() -> None:
    record = after(resuming(held(AUTHORIZATION, PREDECESSOR)))
    assert (record.state, record.requirements) == (RequestState.RECEIVED, ())


def test_a_history_that_is_cut_does_not_forget_why_a_request_is_on_hold() -> None:
    record = held(AUTHORIZATION)
    for _ in range(HISTORY_LIMIT):  # the other requirement goes missing and comes back, again and again
        record = after(holding(record, PREDECESSOR))
        record = after(resuming(record, PREDECESSOR))
    assert len(record.history) == HISTORY_LIMIT
    assert {step.code for step in record.history} == {"predecessor", "predecessor_lifted"}
    assert (record.state, record.requirements) == (RequestState.ON_HOLD, (AUTHORIZATION,))
    assert after(resuming(record, AUTHORIZATION)).state is RequestState.RECEIVED
