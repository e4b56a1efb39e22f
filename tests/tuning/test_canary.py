"""In which hours a candidate decides, what is compared with what, and how sure a guardrail has to be."""

from __future__ import annotations

import math
import random
from collections import Counter
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from contracts.instants import DAY_MS, HOUR_MS
from contracts.local_day import first_instant_ms
from contracts.tuning_canary import CanaryLayout, CanaryMode, Guarded, Guardrail
from dispatcher.domain.quarters import Cell, Quarters, What
from dispatcher.tuning.canary import RATIOS, judged, on_of, pairs_of, past_pairs, planned
from dispatcher.tuning.sequential import ALPHA, POWER, crossing, evidence, pairs_needed, variance_of

NEW_YORK, UTC = ZoneInfo("America/New_York"), ZoneInfo("UTC")
FIRST = date(2026, 3, 2)
LAYOUT = CanaryLayout()
FIRST_MS = first_instant_ms(FIRST, UTC)
DECLINED = (Guardrail(what=Guarded.DECLINED, worse_by=0.05),)


def test_each_pair_is_the_same_hours_of_two_days_and_the_lot_is_the_same_wherever_it_is_drawn() -> None:
    pairs = pairs_of(LAYOUT, FIRST, 14, UTC, 7)
    assert len(pairs) == 7 * 6
    for pair in pairs:
        assert abs(pair.candidate.start_ms - pair.other.start_ms) == DAY_MS
        assert pair.candidate.end_ms - pair.candidate.start_ms == 4 * HOUR_MS
    assert len({span for pair in pairs for span in pair}) == 2 * len(pairs), "each block once"
    assert pairs == pairs_of(LAYOUT, FIRST, 14, UTC, 7) != pairs_of(LAYOUT, FIRST, 14, UTC, 8)
    first = sum(pair.candidate.start_ms < pair.other.start_ms for pair in pairs)
    assert 10 < first < 32, "about every other time the earlier day"


def test_with_weeks_between_a_pair_has_the_same_day_of_the_week() -> None:
    pairs = pairs_of(CanaryLayout(pair_days=7, block_hours=12), FIRST, 14, UTC, 7)
    assert len(pairs) == 14
    assert {abs(each.candidate.start_ms - each.other.start_ms) for each in pairs} == {7 * DAY_MS}


def test_a_whole_market_is_compared_with_the_weeks_before_it_began() -> None:
    layout = CanaryLayout(mode=CanaryMode.WHOLE, block_hours=24)
    pairs = pairs_of(layout, FIRST, 9, UTC, 7)
    assert [(each.candidate.start_ms - each.other.start_ms) // DAY_MS for each in pairs] == [7] * 7 + [14] * 2
    assert all(each.other.end_ms <= FIRST_MS for each in pairs)
    assert on_of(layout, FIRST, 9, UTC, 7) == ((FIRST_MS, FIRST_MS + 9 * DAY_MS),)


def test_blocks_go_by_the_markets_clock_when_it_is_put_forward_and_back() -> None:
    day = date(2026, 3, 8)  # has no hour from two to three
    blocks = pairs_of(CanaryLayout(block_hours=2), day, 2, NEW_YORK, 7)
    lengths = Counter(span.end_ms - span.start_ms for pair in blocks for span in pair)
    assert lengths == {2 * HOUR_MS: 23, HOUR_MS: 1}
    spans = sorted(span for pair in blocks for span in pair)
    assert all(one.end_ms == two.start_ms for one, two in pairwise(spans))
    hours = pairs_of(CanaryLayout(block_hours=1), day, 2, NEW_YORK, 7)
    assert len(hours) == 23, "of an hour that does not come nothing is compared"
    back = pairs_of(CanaryLayout(block_hours=1), date(2026, 11, 1), 2, NEW_YORK, 7)
    assert 2 * HOUR_MS in {span.end_ms - span.start_ms for pair in back for span in pair}


def test_the_evidence_is_as_the_formula_of_the_paper_has_it_and_the_crossing_is_where_it_suffices() -> None:
    whole = 0.01 + 20 * 0.05**2
    expected = math.sqrt(0.01 / whole) * math.exp((20 * 0.05 * 0.04) ** 2 / (2 * 0.01 * whole))
    assert evidence(0.04, 20, 0.01, 0.05) == pytest.approx(expected)
    for pairs in (1, 7, 60):
        at = crossing(pairs, 0.01, 0.05, 0.0125)
        assert evidence(at, pairs, 0.01, 0.05) == pytest.approx(1 / 0.0125)
    assert evidence(0.0, 0, 0.01, 0.05) == 1.0
    assert math.isfinite(evidence(1e9, 10_000, 1e-9, 1.0))


def test_a_harmless_candidate_is_ended_by_chance_as_seldom_as_promised_however_often_one_looks() -> None:
    lots, ended, rounds = random.Random(5), 0, 400
    for _ in range(rounds):
        total = 0.0
        for number in range(1, 121):
            total += lots.gauss(0.0, 0.1)
            mean = total / number
            if mean > 0 and evidence(mean, number, 0.01, 0.05) >= 1 / ALPHA:
                ended += 1
                break
    assert ended / rounds <= ALPHA


def test_a_harm_as_large_as_is_tolerated_is_seen_within_the_pairs_that_were_told_as_often_as_promised() -> (
    None
):
    needed = pairs_needed(0.01, 0.05, ALPHA)
    assert needed is not None
    lots, seen, rounds = random.Random(6), 0, 400
    for _ in range(rounds):
        total = 0.0
        for number in range(1, needed + 1):
            total += lots.gauss(0.05, 0.1)
            if evidence(total / number, number, 0.01, 0.05) >= 1 / ALPHA:
                seen += 1
                break
    assert seen / rounds >= POWER
    assert pairs_needed(0.04, 0.05, ALPHA) > needed, "what varies more takes longer"  # type: ignore[operator]
    assert pairs_needed(10.0, 0.001, ALPHA) is None


def test_a_calm_past_is_taken_to_vary_a_little_all_the_same() -> None:
    assert variance_of([0.0] * 50, 0.04) == pytest.approx(0.0001)
    assert variance_of([], 0.04) == pytest.approx(0.0001)
    assert variance_of([0.1, -0.1], 0.04) == pytest.approx(0.01)


def days_of(first_ms: int, days: int, share: float = 0.2, *, seed: int = 1) -> Quarters:
    """Answers, forty in each block of four hours, of which about this share are declined."""
    lots, found = random.Random(seed), Quarters()
    for at_ms in range(first_ms, first_ms + days * DAY_MS, 4 * HOUR_MS):
        declined = sum(lots.random() < share for _ in range(40))
        found[Cell(at_ms, What.DECLINED)] = declined
        found[Cell(at_ms, What.ACCEPTED)] = 40 - declined
    return found


def test_a_plan_says_how_many_days_it_takes_as_the_past_varies() -> None:
    past = days_of(FIRST_MS - 29 * DAY_MS, 29)
    (plan,) = planned(LAYOUT, DECLINED, past_pairs(LAYOUT, FIRST, UTC), past)
    assert plan.past_pairs == 27 * 6
    assert plan.usually == pytest.approx(0.2, abs=0.02)
    assert plan.deviation == pytest.approx(math.sqrt(2 * 0.2 * 0.8 / 40), abs=0.02)
    assert plan.pairs == pairs_needed(plan.deviation**2, 0.05, ALPHA)
    assert plan.days == 2 * math.ceil(plan.pairs / 6)
    (half,) = planned(
        LAYOUT, (Guardrail(what=Guarded.DECLINED, worse_by=0.025),), past_pairs(LAYOUT, FIRST, UTC), past
    )
    assert half.days is not None
    assert half.days > 2 * plan.days, "half the harm takes more than twice as long"


def test_where_the_past_says_too_little_no_days_are_told() -> None:
    (plan,) = planned(LAYOUT, DECLINED, past_pairs(LAYOUT, FIRST, UTC), days_of(FIRST_MS - DAY_MS, 1))
    assert (plan.days, plan.pairs, plan.deviation, plan.past_pairs) == (None, None, None, 0)


@pytest.mark.parametrize("harm", [0.0, 0.15])
def test_a_harm_is_seen_and_none_is_not(harm: float) -> None:
    pairs = pairs_of(LAYOUT, FIRST, 14, UTC, 7)
    plan = planned(LAYOUT, DECLINED, past_pairs(LAYOUT, FIRST, UTC), days_of(FIRST_MS - 29 * DAY_MS, 29))
    quarters, worse = days_of(FIRST_MS, 14, seed=2), days_of(FIRST_MS, 14, 0.2 + harm, seed=3)
    for pair in pairs:
        for what in (What.DECLINED, What.ACCEPTED):
            cell = Cell(pair.candidate.start_ms, what)
            quarters[cell] = worse[cell]
    (found,) = judged(plan, pairs, quarters, 0, FIRST_MS + 15 * DAY_MS)
    assert found.pairs == len(pairs)
    assert found.crossed is bool(harm)
    (early,) = judged(plan, pairs, quarters, 0, FIRST_MS + DAY_MS)
    assert (early.pairs, early.crossed, early.candidate) == (0, False, None), (
        "no pair is over on the first day"
    )


def test_the_first_hours_of_a_block_do_not_count_if_they_are_to_wash_out() -> None:
    pairs = pairs_of(LAYOUT, FIRST, 2, UTC, 7)[:1]
    quarters = Quarters()
    for span in pairs[0]:
        quarters[Cell(span.start_ms, What.DECLINED)] = 100
        quarters[Cell(span.start_ms + 2 * HOUR_MS, What.ACCEPTED)] = 10
    plan = planned(LAYOUT, DECLINED, (), Quarters())
    now_ms = FIRST_MS + 3 * DAY_MS
    assert judged(plan, pairs, quarters, 0, now_ms)[0].candidate == pytest.approx(100 / 110)
    assert judged(plan, pairs, quarters, 1, now_ms)[0].candidate == 0.0


def test_every_guardrail_has_what_it_counts() -> None:
    assert RATIOS.keys() == set(Guarded)
