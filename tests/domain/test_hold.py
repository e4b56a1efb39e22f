"""On hold: no vendor is sought before authorization or a predecessor is there."""

from __future__ import annotations

import pytest

from contracts.codes import HoldReason, RequestState
from dispatcher.domain.decisions import due, hold, offer, receive, resume
from dispatcher.domain.record import RequestRecord
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.states import REQUEST_STATES
from tests.domain import make
from tests.domain.make import NOW, VALUES, after

WHY = HoldReason.AUTHORIZATION


def held() -> RequestRecord:
    return after(receive(make.trip(hold=WHY), NOW, VALUES))


def test_a_request_may_come_in_on_hold_and_the_case_manager_owns_it() -> None:
    record = held()
    assert record.state is RequestState.ON_HOLD
    assert [(step.state.value, step.code) for step in record.history] == [
        ("received", ""),
        ("on_hold", "authorization"),
    ]
    assert REQUEST_STATES[record.state].owner == "case_manager"


def test_what_is_on_hold_is_offered_to_nobody() -> None:
    with pytest.raises(WrongState, match="on_hold"):
        offer(held(), make.trip(), make.proposal(held(), make.vendor()), NOW, VALUES)


def test_resumed_it_waits_for_a_vendor_and_again_has_no_effect() -> None:
    record = after(resume(held(), NOW + 1, "platform"))
    assert record.state is RequestState.RECEIVED
    assert resume(record, NOW + 2, "platform") is None


def test_the_same_hold_again_has_no_effect_and_another_reason_is_told() -> None:
    record = after(hold(make.received(), NOW, "platform", WHY))
    assert hold(record, NOW, "platform", WHY) is None
    assert after(hold(record, NOW, "platform", HoldReason.PREDECESSOR)).history[-1].code == "predecessor"


def test_what_a_vendor_has_is_not_put_on_hold() -> None:
    with pytest.raises(WrongState, match=r"offered.*\nMaybe cancel"):
        hold(make.offered(), NOW, "platform", WHY)


def test_its_deadline_runs_on_and_says_that_it_was_on_hold() -> None:
    record = held()
    ended = after(due(record, record.match_by_ms, VALUES))
    assert ended.state is RequestState.UNMATCHED
    assert ended.unmatched is not None
    assert ended.unmatched.last_rule == "on_hold"
