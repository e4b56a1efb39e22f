"""A scorecard's figures: shares and how sure they are, quantiles, quarters of the market."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.scorecards import ScoreGroup
from dispatcher.domain.score_figures import (
    COMPARED,
    COMPARED_LATE,
    FIGURES,
    LEAST_VENDORS,
    group,
    groups,
    is_figure,
    is_of,
    quartiles,
    wilson,
)
from dispatcher.domain.scorecards import Entry, Outcome, WorkOutcome
from tests.examples import examples

K = Outcome


def one(outcome: Outcome, number: int = 0, **facts: Any) -> WorkOutcome:
    entry = Entry(**{"at_ms": number, "start_ms": 0, "level": "stretcher"} | facts)
    return WorkOutcome("v1", f"r{number}.1", outcome, entry)


def count(of: ScoreGroup, figure: str) -> tuple[int, int]:
    return next((each.count, each.of) for each in of.figures if each.figure == figure)


@pytest.mark.parametrize(
    ("counted", "of", "low", "high"),  # from the literature: Newcombe 1998, table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_share_lies_where_wilson_says(counted: int, of: int, low: float, high: float) -> None:
    assert wilson(counted, of) == pytest.approx((low, high), abs=1e-4)


@settings(max_examples=examples(50), deadline=None)
@given(st.integers(1, 10_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_a_share_lies_within_its_interval_and_that_between_0_and_1(pair: tuple[int, int]) -> None:
    low, high = wilson(*pair)
    assert 0 <= low <= pair[0] / pair[1] <= high <= 1


def test_what_was_upheld_counts_for_no_figure_but_its_own() -> None:
    outcomes = [
        one(K.LATE, minutes=30),
        one(K.LATE, 1, minutes=90, upheld=True),
        one(K.ON_TIME, 2, minutes=-5),
    ]
    found = group(outcomes, least=3)
    assert (count(found, "late"), count(found, "works")) == ((1, 2), (2, 0))
    assert (found.arrivals, found.late_p50_minutes, found.late_p90_minutes) == (2, 0, 30)
    assert [is_of(each, "upheld") for each in outcomes] == [False, True, False]
    assert [is_of(each, "late") for each in outcomes] == [True, False, False]


def test_every_figure_has_as_many_behind_it_as_it_says() -> None:
    outcomes = [one(each, number, code="OTHER") for number, each in enumerate((*K, *K, K.DECLINED))]
    found = group(outcomes, least=1)
    for each in found.figures:
        assert is_figure(each.figure)
        assert sum(is_of(behind, each.figure) for behind in outcomes) == each.count, each.figure
    assert {each.figure for each in found.figures} == {*FIGURES, "declined.OTHER"}
    assert count(found, "declined") == (3, 7)
    assert not any(map(is_figure, ("speed", "late.OTHER", "", "declined_")))


def test_what_is_a_share_of_nothing_says_nothing() -> None:
    figures = {each.figure: each for each in group([], least=1).figures}
    assert figures["on_time"].share is None
    assert figures["on_time"].few
    assert not figures["offers"].few


def test_parts_come_by_name_or_the_largest_first() -> None:
    outcomes = [
        one(K.LATE, 1, area="1.0,2.0"),
        one(K.LATE, 2, area="3.0,4.0"),
        one(K.LATE, 3, area="3.0,4.0"),
    ]
    by_area = groups(outcomes, lambda each: each.entry.area, 1, 1, zones=True)
    assert [(each.name, each.zone) for each in by_area] == [("3.0,4.0", (3.0, 4.0))]
    by_level = groups(outcomes, lambda each: each.entry.level, 1)
    assert [each.name for each in by_level] == ["stretcher"]


def market(vendors: int) -> dict[str, Counter[str]]:
    """v0 accepts nothing of twenty, the next one more, and so on."""
    return {f"v{n}": Counter(accepted=n, declined=20 - n) for n in range(vendors)}


def test_a_vendor_stands_in_a_quarter_of_its_market() -> None:
    found = {name: quartiles(market(8), name, 20)[0].quartile for name in market(8)}
    assert found == {"v7": 1, "v6": 1, "v5": 2, "v4": 2, "v3": 3, "v2": 3, "v1": 4, "v0": 4}
    alike = {name: Counter(accepted=15, declined=5) for name in market(8)}
    assert {quartiles(alike, name, 20)[0].quartile for name in alike} == {1}


def test_no_quarter_is_told_where_it_would_name_somebody() -> None:
    few = market(LEAST_VENDORS - 1)
    assert quartiles(few, "v1", 20)[0].quartile is None
    some_new = market(LEAST_VENDORS) | {"v0": Counter(accepted=3)}
    assert quartiles(some_new, "v1", 20)[0].quartile is None, "who is new is none to compare with"
    assert quartiles(market(9) | {"v0": Counter(accepted=3)}, "v0", 20)[0].quartile is None
    assert [each.figure for each in quartiles({}, "v0", 20)] == [*COMPARED, *COMPARED_LATE]


def test_of_what_is_bad_less_is_the_better_quarter_and_of_lateness_too() -> None:
    cards = {f"v{n}": Counter(on_time=20 - n, late=0, turned_back=n, no_show=n) for n in range(8)}
    late = {f"v{n}": [0] * (20 - n) + [10 * n] * n for n in range(8)} | {"new": [0]}
    for name, quarter in (("v0", 1), ("v7", 4)):
        found = {each.figure: each.quartile for each in quartiles(cards, name, 20, late)}
        assert (found["turned_back"], found["no_show"], found["late_p90_minutes"]) == (quarter,) * 3
        assert found["late_p50_minutes"] == 1, "half of everybody's came in time"
        assert found["declined"] is None, "nobody was offered anything"
    assert quartiles(cards, "new", 20, late)[-1].quartile is None
    assert quartiles(cards, "v0", 20, {"v0": [0] * 20})[-1].quartile is None
