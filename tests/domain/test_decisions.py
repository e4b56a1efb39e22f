"""What each command does to a request, case by case."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.codes import DeclineCode, OfferState, ReportCode, RequestState, TrackingStatus
from contracts.events import RequestMatched
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant
from contracts.matches import CostTerm
from contracts.streams import To
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.refusals import Invalid, NotFound, WrongState
from dispatcher.domain.states import REQUEST_STATES
from tests.domain import make
from tests.domain.make import (
    NOW,
    accepted,
    accepting,
    after,
    context,
    decide,
    due,
    heard,
    offered,
    offering,
    reporting,
)

T = TrackingStatus
CANCEL = CancelRequest(request_id="r1")


def declining(record: Any, offer: str = "r1.1", vendor: str = "v1", **facts: Any) -> Decision | None:
    command = DeclineOffer(offer_id=offer, code=DeclineCode.NO_VEHICLES_AVAILABLE)
    return decide(record, command, vendor=vendor, **facts)


def test_a_request_is_due_at_its_deadline_which_is_the_end_of_its_window_unless_given() -> None:
    record = make.received()
    assert record.timer_ms == record.match_by_ms == record.latest_ms == NOW + 4 * HOUR_MS + 30 * MINUTE_MS
    sooner = make.trip(match_by=to_instant(NOW + HOUR_MS))
    assert make.received(sooner).timer_ms == NOW + HOUR_MS


def test_no_vendor_is_sought_once_the_window_has_ended_whatever_deadline_was_given() -> None:
    record = make.received(make.trip(match_by=to_instant(NOW + 9 * HOUR_MS)))
    assert record.timer_ms == record.match_by_ms == record.latest_ms == NOW + 4 * HOUR_MS + 30 * MINUTE_MS


@pytest.mark.parametrize(
    "request_",
    [
        make.trip(ahead_ms=-HOUR_MS),
        make.trip(match_by=to_instant(NOW - 1)),
        make.equipment(ahead_ms=-3 * HOUR_MS),
    ],
)
def test_a_window_or_deadline_in_the_past_is_refused_with_the_advice_on_a_line_of_its_own(
    request_: Any,
) -> None:
    with pytest.raises(Invalid, match=r"\nMaybe "):
        receive(request_, context())


def test_an_offer_books_capacity_and_tells_vendor_and_platform() -> None:
    decision = offering(make.received())
    assert decision.book == decision.after.offers[0].bookings != ()
    assert heard(decision, To.VENDOR) == ["dispatch.offer.made"]
    assert heard(decision, To.MATCHES) == ["dispatch.request.matched"]
    assert decision.after.timer_ms == decision.after.offers[0].expires_ms


def test_a_vendor_that_the_platform_excluded_is_not_offered_the_request() -> None:
    with pytest.raises(WrongState, match="v1 is excluded"):
        offering(make.received(), request=make.trip(excluded_vendors=("v1",)))


def test_a_request_that_has_had_all_its_offers_waits_and_ends_saying_so() -> None:
    values = {"max_attempts": 1}
    record = after(declining(offered()))
    with pytest.raises(WrongState, match="1 offers"):
        offering(record, make.vendor("v2"), values=values)
    ended = after(due(record, record.match_by_ms, values=values))
    assert ended.state is RequestState.UNMATCHED
    assert ended.unmatched is not None
    assert ended.unmatched.last_rule == "max_attempts"


def test_an_acceptance_is_told_to_the_platform_as_a_match_and_to_the_vendor_as_its_own() -> None:
    decision = accepting(offered(), reference="T-9")
    assert heard(decision, To.VENDOR) == ["dispatch.dispatch.confirmed"]
    assert heard(decision, To.MATCHES) == ["dispatch.request.matched"]
    assert after(decision).offers[0].reference == "T-9"


def test_what_explains_the_choice_is_told_once_and_kept() -> None:
    record = make.received()
    term = CostTerm(rule="price", cost_cents=4_500)
    made = offering(record, replace(make.proposal(record, make.vendor()), terms=(term,)))
    taken = accepting(made.after)
    told = [
        message.data.match.terms
        for decision in (made, taken)
        for message in decision.messages  # type: ignore[union-attr]
        if isinstance(message.data, RequestMatched)
    ]
    assert told == [(term,), ()]
    assert after(taken).offers[0].terms == (term,)


def test_accepting_twice_is_accepting_once() -> None:
    assert accepting(accepted()) is None


def test_an_acceptance_after_the_expiry_is_refused_and_names_it_before_and_after_the_timer_fired() -> None:
    record = offered()
    expiry = record.offers[0].expires_ms
    expired = after(due(record, expiry))
    for late in (record, expired):
        with pytest.raises(
            WrongState, match=f"expired at {to_instant(expiry).isoformat()}".replace("+", r"\+")
        ):
            accepting(late, now_ms=expiry)


@pytest.mark.parametrize("name", ["r1.1", "r1.2", "r2.1", "r1.01"])
def test_another_vendors_offer_is_as_unknown_as_one_that_never_was(name: str) -> None:
    with pytest.raises(NotFound, match=f"there is no offer {name}"):
        accepting(offered(), name, "v2")


def test_a_decline_gives_the_capacity_back_and_the_vendor_is_not_asked_again() -> None:
    record = offered()
    decision = declining(record)
    assert decision is not None
    assert decision.unbook == record.offers[0].bookings
    assert decision.after.state is RequestState.MATCHING
    assert decision.after.declined_by == {"v1"}
    assert declining(decision.after) is None
    plan = make.proposal(decision.after, make.vendor())
    with pytest.raises(WrongState, match="v1 is excluded"):
        offering(decision.after, plan)
    changed = replace(plan, changed_ms=NOW + 1)
    assert offering(decision.after, changed, now_ms=NOW + 2).after.state is RequestState.OFFERED


def test_an_accepted_offer_is_turned_back_not_declined() -> None:
    with pytest.raises(WrongState, match="Maybe turn the dispatch back"):
        declining(accepted())


def test_silence_lets_an_offer_expire_and_accepts_an_assumed_one() -> None:
    explicit = offered()
    assumed = offered(make.vendor(assumed=True))
    assert after(due(explicit)).state is RequestState.MATCHING
    taken = after(due(assumed))
    assert taken.state is RequestState.ACCEPTED
    assert taken.offers[0].state is OfferState.ACCEPTED


def test_an_assumed_vendor_that_speaks_late_has_accepted() -> None:
    record = offered(make.vendor(assumed=True))
    with pytest.raises(WrongState, match="yours by silence"):
        declining(record, now_ms=record.timer_ms)
    assert accepting(record, now_ms=record.timer_ms) is not None


def test_a_vendor_may_report_nothing_but_the_end() -> None:
    record = after(reporting(accepted(), T.COMPLETED))
    assert record.state is RequestState.COMPLETED
    assert record.offers[0].bookings  # what it took of the day stays taken


def test_a_report_that_a_later_one_has_overtaken_is_ignored() -> None:
    on_board = after(reporting(accepted(), T.ON_BOARD))
    assert reporting(on_board, T.EN_ROUTE) is None
    assert reporting(on_board, T.ON_BOARD) is None
    assert reporting(after(reporting(on_board, T.COMPLETED)), T.AT_PICKUP) is None


def test_a_work_under_way_is_turned_back_until_the_passenger_is_on_board() -> None:
    at_pickup = after(reporting(accepted(), T.AT_PICKUP))
    back = reporting(at_pickup, T.TURNED_BACK, code=ReportCode.BAD_WEATHER)
    assert back is not None
    assert back.unbook == at_pickup.offers[0].bookings
    assert (back.after.state, back.after.status) == (RequestState.MATCHING, None)
    assert back.after.offers[0].code == "BAD_WEATHER"
    assert reporting(back.after, T.TURNED_BACK) is None
    on_board = after(reporting(at_pickup, T.ON_BOARD))
    for impossible in (T.TURNED_BACK, T.NO_SHOW):
        with pytest.raises(WrongState, match="on board"):
            reporting(on_board, impossible)


def test_a_no_show_ends_the_request_and_the_vendors_work() -> None:
    record = after(reporting(accepted(), T.NO_SHOW, code=ReportCode.NO_CLIENT))
    assert (record.state, record.offers[0].state) == (RequestState.NO_SHOW, OfferState.COMPLETED)
    with pytest.raises(WrongState):
        reporting(record, T.COMPLETED)


def test_a_report_before_acceptance_is_refused() -> None:
    with pytest.raises(WrongState, match="accept the offer first"):
        reporting(offered(), T.EN_ROUTE)


def test_reported_times_are_kept_within_what_is_possible() -> None:
    early, future = to_instant(NOW - HOUR_MS), to_instant(NOW + HOUR_MS)
    assert after(reporting(accepted(), T.EN_ROUTE, at=early)).history[-1].at_ms == NOW
    assert after(reporting(accepted(), T.EN_ROUTE, at=future)).history[-1].at_ms == NOW


def test_an_overdue_dispatch_is_told_to_ops_again_and_again_and_at_last_fails() -> None:
    values = {"overdue_limit": 2, "overdue_minutes": 10}
    record = accepted()
    assert record.timer_ms == record.offers[0].start_ms + 20 * MINUTE_MS
    for told in (["dispatch.request.overdue", "dispatch.task.opened"], ["dispatch.request.overdue"]):
        decision = due(record, values=values)
        assert heard(decision, To.EVENTS) == told
        record = after(decision)
    assert after(due(record, values=values)).state is RequestState.FAILED
    again = after(reporting(record, T.EN_ROUTE, now_ms=record.timer_ms))
    assert again.offers[0].overdue == 0  # a report starts the count anew


def test_a_cancelled_offer_gives_its_capacity_back_and_its_vendor_hears_it() -> None:
    record = accepted()
    decision = decide(record, CANCEL)
    assert heard(decision, To.VENDOR) == ["dispatch.offer.closed"]
    assert decision is not None
    assert decision.unbook == record.offers[0].bookings
    assert decide(decision.after, CANCEL) is None
    with pytest.raises(WrongState, match="is cancelled"):
        reporting(decision.after, T.COMPLETED)


def test_what_ended_is_forgotten_after_retention_and_only_then() -> None:
    record = after(reporting(accepted(), T.COMPLETED))
    assert record.timer_ms - record.offers[0].end_ms == timedelta(hours=72) / timedelta(milliseconds=1)
    assert due(record, record.timer_ms - 1) is None
    decision = due(record)
    assert decision is not None
    assert decision.changes == (Change(record, None),)
    assert decision.unbook == record.offers[0].bookings


def test_a_decision_that_breaks_the_table_cannot_be_made() -> None:
    record = make.received()
    with pytest.raises(WrongState):
        Change(record, replace(record, version=2, state=RequestState.COMPLETED))
    with pytest.raises(WrongState):
        Change(record, replace(record, version=3))
    with pytest.raises(WrongState):
        Change(record, None)  # what has not ended is not forgotten


def test_a_history_keeps_its_newest_steps_and_every_one_follows_from_the_one_before() -> None:
    values = {"max_attempts": 50}
    record = make.received()
    for number in range(40):
        record = offering(record, make.vendor(f"v{number}"), values=values).after
        record = after(declining(record, f"r1.{number + 1}", f"v{number}"))
    states = [each.state for each in record.history]
    assert len(states) == 64
    assert all(following in REQUEST_STATES[before].next for before, following in pairwise(states))
