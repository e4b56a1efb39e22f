"""Which answers to offers are remembered: once each, with what was asked, and of nobody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from contracts.codes import DeclineCode, Priority
from contracts.instants import DAY_MS, HOUR_MS
from dispatcher.domain.acceptance import Count, weeks
from dispatcher.domain.acceptance_sums import expected_of, freshness, summed, tallied
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.decision import Decision
from solvers.acceptance import Cell, cell_of, expected, in_vain, share_in, taken_in
from solvers.screening import ALL_OTHERS
from tests.domain import make
from tests.domain.make import NOW, accepting, after, broadcasting, decide, due, offered, received, vendor

V1, V2 = vendor("v1"), vendor("v2")
MONDAY_NOON = cell_of("wheelchair", 4 * HOUR_MS, 12, 0)


def said(decision: Decision | None) -> list[tuple[str, bool]]:
    assert decision is not None
    return [(each.vendor_id, each.yes) for each in decision.answers]


def declining(record: Any, code: DeclineCode, offer: str = "r1.1", by: str = "v1") -> Decision | None:
    return decide(record, DeclineOffer(offer_id=offer, code=code), vendor=by)


def test_a_yes_is_counted_with_what_was_asked_for_and_when() -> None:
    decision = accepting(offered())
    assert decision is not None
    (answer,) = decision.answers
    assert (answer.vendor_id, answer.week, answer.cell, answer.yes) == ("v1", "2026-W10", MONDAY_NOON, True)


def test_the_hour_is_the_clocks_in_the_market() -> None:
    decision = accepting(offered(), tz=ZoneInfo("Asia/Tokyo"))
    assert decision is not None
    assert decision.answers[0].cell == cell_of("wheelchair", 4 * HOUR_MS, 21, 0)


def test_a_no_is_counted_and_so_is_silence_and_silence_that_accepts() -> None:
    assert said(declining(offered(), DeclineCode.NO_VEHICLES_AVAILABLE)) == [("v1", False)]
    assert said(due(offered())) == [("v1", False)]
    assert said(due(offered(vendor("v1", assumed=True)))) == [("v1", True)]


@pytest.mark.parametrize("code", list(DeclineCode))
def test_a_decline_counts_whatever_its_reason_but_for_one_about_the_request(code: DeclineCode) -> None:
    about_it = {"INVALID_USER", "INVALID_PICKUP_ADDRESS", "INVALID_DROPOFF_ADDRESS"}
    expected_ = [] if code.value in about_it else [("v1", False)]
    assert said(declining(offered(), code)) == expected_


def test_what_is_taken_back_or_comes_after_the_answer_is_none() -> None:
    assert said(decide(offered(), CancelRequest(request_id="r1"), by="platform")) == []
    dispatch = make.accepted()
    assert said(decide(dispatch, CancelRequest(request_id="r1"), by="platform")) == []
    assert said(due(dispatch)) == [], "nor a report that is overdue"


def test_of_a_broadcast_who_was_not_first_has_not_answered() -> None:
    record = after(broadcasting(received(), V1, V2))
    assert said(accepting(record, "r1.2", "v2")) == [("v2", True)]
    first = due(record)
    assert (said(first), said(due(after(first)))) == ([("v1", False)], [("v2", False)]), "both had time"


def test_who_would_have_had_it_counts_though_another_got_it() -> None:
    values = {"broadcast_collect_s": 60}
    record = after(broadcasting(received(), V1, V2, values=values))
    noted = accepting(record, "r1.2", "v2", values=values)
    assert said(noted) == []
    both = accepting(after(noted), "r1.1", "v1", values=values)
    taken = due(after(both), values=values)
    assert sorted(said(taken)) == [("v1", True), ("v2", True)]


def test_an_answer_that_is_said_again_is_not_counted_again() -> None:
    assert accepting(make.accepted()) is None
    record = after(declining(offered(), DeclineCode.OTHER))
    assert declining(record, DeclineCode.OTHER) is None


def test_a_request_from_before_its_service_was_kept_is_not_counted() -> None:
    assert said(accepting(replace(offered(), service_class=""))) == []


def test_each_week_counts_less_than_the_one_after_it() -> None:
    known = weeks(NOW)
    assert (known[0], known[1], len(known)) == ("2026-W10", "2026-W09", 14)
    fresh = [freshness(each, NOW, {"acceptance_half_life_days": 7}) for each in known]
    assert fresh[0] == 1.0
    assert fresh[2] == pytest.approx(fresh[1] / 2)
    assert fresh == sorted(fresh, reverse=True)
    assert weeks(NOW + 365 * DAY_MS)[0] == "2027-W09"


def test_a_vendor_that_is_better_of_late_is_expected_to_be_as_it_is_now() -> None:
    old, new = (Count("v1", MONDAY_NOON, yes, 40) for yes in (False, True))
    told = told_by({weeks(NOW)[12]: [old], weeks(NOW)[0]: [new]})
    share = expected(told, "v1", MONDAY_NOON)
    assert share is not None
    assert share > 0.85


def bad_days_and_after(after_them: int) -> dict[str, list[Count]]:
    """Of eight weeks v1 declines half in one, three weeks ago, and is asked so often a week since."""
    counts = dict[str, list[Count]]()
    for nth, week in enumerate(weeks(NOW)[:8]):
        yes, no = (25, 25) if nth == 3 else (after_them, 0) if nth < 3 else (48, 2)
        counts[week] = [Count("v1", MONDAY_NOON, True, yes), Count("v1", MONDAY_NOON, False, no)]
        counts[week] += [
            Count(f"m{n}", MONDAY_NOON, yes, 9 if yes else 1) for n in range(9) for yes in (True, False)
        ]
    return {week: [each for each in known if each.number] for week, known in counts.items()}


def test_what_was_before_a_change_tells_no_more_once_the_answers_say_so() -> None:
    """Ten answers a week: a mean of all, as old as they are, would say 0.9."""
    share = expected(told_by(bad_days_and_after(10)), "v1", MONDAY_NOON)
    assert share is not None
    assert share > 0.93


def test_who_is_hardly_asked_has_the_benefit_of_the_doubt_by_what_it_costs() -> None:
    """A vendor that declined half of what it was asked, three weeks ago, and was asked nothing since."""
    told = told_by(bad_days_and_after(0))
    share = expected(told, "v1", MONDAY_NOON)
    assert share is not None
    assert share < 0.85
    market = taken_in(told[ALL_OTHERS], MONDAY_NOON)
    assert taken_in(told["v1"], MONDAY_NOON) == pytest.approx(market, abs=0.002), "it is asked again"
    asked_much = told_by({weeks(NOW)[0]: [Count("v1", MONDAY_NOON, yes, 50) for yes in (True, False)]})
    half = taken_in(asked_much["v1"], MONDAY_NOON)
    assert half == pytest.approx(expected(asked_much, "v1", MONDAY_NOON), abs=0.05), "and believed then"


def test_doubt_is_for_each_level_of_service_by_itself_so_that_declining_hard_rides_is_seen() -> None:
    """Who takes all easy rides and no hard ones is asked for hard ones, and declines, and has it counted."""
    hard = cell_of("stretcher", 4 * HOUR_MS, 12, 0)
    others = [Count(f"m{n}", cell, True, 50) for n in range(5) for cell in (MONDAY_NOON, hard)]
    picky = [Count("v1", MONDAY_NOON, True, 200), Count("v1", hard, False, 3)]
    counts = dict.fromkeys(weeks(NOW)[:5], picky + others)
    told = told_by(counts)
    market, likely, taken = (
        in_vain(each)
        for each in (share_in(told[ALL_OTHERS], hard), share_in(told["v1"], hard), taken_in(told["v1"], hard))
    )
    assert likely > 10 * market
    assert taken - market == pytest.approx((likely - market) * 0.3, rel=0.5), "of three answers in a week"
    without = told_by(counts, acceptance_doubt_answers=0)
    assert taken_in(without["v1"], hard) == share_in(without["v1"], hard)


def told_by(counts: Mapping[str, Sequence[Count]], **values: float) -> dict[str, bytes]:
    told = {week: tallied(each) for week, each in counts.items()}
    return expected_of(summed(told, NOW, values), values)


def test_one_that_is_less_likely_to_accept_has_less_time_where_that_is_tuned() -> None:
    record = received(make.trip(ahead_ms=24 * HOUR_MS, priority=Priority.ROUTINE))

    def open_ms(accepts: float, **values: float) -> int:
        plan = replace(make.proposal(record, V1), accepts=accepts)
        offer = after(make.offering(record, plan, values=values)).offers[0]
        return int(offer.expires_ms - offer.made_ms)

    whole = open_ms(0.5)
    assert open_ms(0.0, acceptance_answer_share=0.2) == whole, "of whom nothing is known"
    assert open_ms(0.5, acceptance_answer_share=0.2) == pytest.approx(0.6 * whole, rel=0.01)
    assert open_ms(1.0, acceptance_answer_share=0.2) == whole


def test_while_nobody_has_answered_nothing_is_expected() -> None:
    assert told_by({}) == told_by({week: [] for week in weeks(NOW)}) == {}


def test_a_cell_is_stored_as_its_numbers() -> None:
    assert Cell(*map(int, ":".join(map(str, MONDAY_NOON)).split(":"))) == MONDAY_NOON
