"""Who did what, and when: what is told with a step, and what stays in the record of it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from contracts.codes import RequestState, TrackingStatus
from contracts.events import RequestChanged
from contracts.instants import MINUTE_MS, to_instant
from contracts.matches import CostTerm, RunnerUp
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.decision import Decision
from tests.domain import make
from tests.domain.make import NOW, accepted, accepting, after, also_asking, decide, due, offered, reporting
from tests.domain.test_decisions import declining

T = TrackingStatus


def changes(decision: Decision | None) -> list[RequestChanged]:
    assert decision is not None
    return [each.data for each in decision.messages if isinstance(each.data, RequestChanged)]


@pytest.mark.parametrize(
    ("decision", "by"),
    [
        (declining(offered()), "vendor:v1"),
        (accepting(offered()), "vendor:v1"),
        (reporting(accepted(), T.EN_ROUTE), "vendor:v1"),
        (reporting(accepted(), T.COMPLETED), "vendor:v1"),
        (reporting(accepted(), T.TURNED_BACK), "vendor:v1"),
        (declining(also_asking(offered(), make.vendor("v2")).after, "r1.2", "v2"), "vendor:v2"),
        (due(offered()), "timer"),
        (due(offered(make.vendor(assumed=True))), "timer"),
        (decide(offered(), CancelRequest(request_id="r1")), "platform"),
        (make.offering(make.received()), "matcher"),
    ],
)
def test_who_did_it_stands_in_the_history_and_in_what_is_told(decision: Decision, by: str) -> None:
    assert decision.after.history[-1].by == by
    assert [each.by for each in changes(decision)] == [by]


def test_what_is_told_of_a_missing_report_is_of_now_and_not_of_the_last_step() -> None:
    record = accepted()
    for overdue in (1, 2):
        decision = due(record, record.timer_ms + 5)
        assert decision is not None
        assert decision.at_ms == record.timer_ms + 5 > record.history[-1].at_ms
        assert [(each.by, each.code, each.state) for each in changes(decision)] == [
            ("timer", "overdue", RequestState.ACCEPTED)
        ]
        record = decision.after
        assert record.offers[0].overdue == overdue
        assert record.history[-1].at_ms == NOW  # a reminder is no step


def test_what_a_vendor_reports_late_is_told_as_of_when_it_happened() -> None:
    start_ms = accepted().offers[0].start_ms
    then_ms, now_ms = start_ms + 10 * MINUTE_MS, start_ms + 30 * MINUTE_MS
    for status in (T.EN_ROUTE, T.COMPLETED):
        decision = reporting(accepted(), status, at=to_instant(then_ms), now_ms=now_ms)
        assert decision is not None
        assert decision.at_ms == decision.after.history[-1].at_ms == then_ms


def explained(record: Any) -> Any:
    """Offered, with what explains the choice of the vendor."""
    facts = {
        "terms": (CostTerm(rule="price", cost_cents=4_500),),
        "runners_up": (RunnerUp(vendor_id="v9", start_at=to_instant(NOW), cost_cents=4_900),),
    }
    plan = make.proposal(record, make.vendor())
    return make.offering(record, replace(plan, **facts)).after


def why(record: Any) -> tuple[int, int]:
    """How much explains the first offer."""
    return len(record.offers[0].terms), len(record.offers[0].runners_up)


def test_what_explains_a_choice_is_kept_while_it_stands_and_after_the_work() -> None:
    record = explained(make.received())
    taken = after(accepting(record))
    for each in (record, taken, after(reporting(taken, T.EN_ROUTE)), after(reporting(taken, T.COMPLETED))):
        assert why(each) == (1, 1)


def test_what_explains_a_choice_goes_with_the_offer_that_it_was_about() -> None:
    record = explained(make.received())
    asked = also_asking(record, make.vendor("v2")).after
    for over in (
        declining(record),
        due(record),
        decide(record, CancelRequest(request_id="r1")),
        reporting(after(accepting(record)), T.TURNED_BACK),
        accepting(asked, "r1.2", "v2"),
    ):
        assert why(after(over)) == (0, 0)
        assert after(over).offers[0].closed_ms > 0
