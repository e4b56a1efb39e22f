"""A scorecard as it enters matching: damped, forgetful, bounded, and not to be improved by declining."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.domain.damping import CREDITS, DayWork, damped, days_that_count, penalties
from solvers.screening import ALL_OTHERS

TODAY = date(2026, 3, 2)
OTHERS = DayWork(well=900, badly=100)
Days = dict[date, DayWork]


def days(*works: DayWork, ago: int = 0) -> Days:
    """These, one a day, the last `ago` days ago."""
    return {TODAY - timedelta(days=ago + nth): each for nth, each in enumerate(reversed(works))}


def beside(own: Days, others: DayWork = OTHERS) -> dict[date, dict[str, DayWork]]:
    """By day and vendor."""
    found = {day: {"v1": work} for day, work in own.items()}
    found.setdefault(TODAY, {})["others"] = others
    return found


def share(own: Days, others: DayWork = OTHERS, **values: float) -> float:
    """Of a vendor beside a market in which nine of ten go well; its own bound lifted."""
    found = damped(beside(own, others), TODAY, {"scorecard_most_cents": 100_000, **values})
    return found.get("v1", found[ALL_OTHERS])


def test_who_is_not_known_is_taken_for_the_markets_mean() -> None:
    found = damped(beside({}), TODAY, {})
    assert found[ALL_OTHERS] == pytest.approx(0.9, abs=0.01)
    assert share({}) == pytest.approx(found[ALL_OTHERS])
    assert damped({}, TODAY, {}) == {} == damped({TODAY: {"v1": DayWork()}}, TODAY, {})


def test_few_bad_works_say_little_and_many_say_much() -> None:
    few, some, many = (share(days(DayWork(badly=count))) for count in (1, 20, 400))
    assert few > 0.83
    assert 0.4 < some < 0.5
    assert many < 0.06


def test_what_is_long_past_counts_half_as_much_each_five_days() -> None:
    bad, good = DayWork(badly=100), DayWork(well=10)
    fresh = share(days(bad))
    later = [share(days(bad, ago=5 * nth) | days(good)) for nth in range(1, 7)]
    assert [fresh, *later] == sorted([fresh, *later])
    assert share(days(bad, ago=5)) == pytest.approx(share(days(DayWork(badly=50))), abs=0.01)
    assert share(days(bad, ago=days_that_count({}))) > 0.83
    assert share(days(bad, ago=7), scorecard_half_life_days=1) > share(days(bad, ago=7))


def test_a_day_that_lies_ahead_counts_as_today() -> None:
    assert share(days(DayWork(badly=50), ago=-1)) == share(days(DayWork(badly=50)))


@pytest.mark.parametrize("kind", CREDITS)
def test_hard_work_that_was_done_is_a_credit_even_when_it_was_late(kind: str) -> None:
    late, late_and_hard = DayWork(badly=20), DayWork(badly=20, hard={kind: 20})
    assert share(days(late)) < share(days(late_and_hard)) < 0.9
    assert share(days(late_and_hard), **{f"scorecard_{kind}_credit": 0.0}) == share(days(late))


@given(hard=st.integers(1, 60), on_time=st.floats(0, 1), easy=st.integers(0, 200))
def test_to_decline_hard_work_is_never_better_for_the_score_than_to_do_it(
    hard: int, on_time: float, easy: int
) -> None:
    kept = easy * 0.95
    well = kept + hard * on_time
    done = DayWork(well=well, badly=easy + hard - well, hard={"stretcher": hard})
    declined = DayWork(well=kept, badly=easy - kept + hard)
    assert share(days(done)) >= share(days(declined))


def test_an_excuse_counts_for_nobody_and_one_that_others_do_not_need_does() -> None:
    clean = share(days(DayWork(well=40)))
    assert share(days(DayWork(well=40, excused=1))) == clean
    assert share(days(DayWork(well=40, excused=30))) < clean - 0.1
    storm = DayWork(well=900, badly=100, excused=400)
    assert share(days(DayWork(well=40, excused=30)), storm) == pytest.approx(clean, abs=0.01)


def test_a_score_makes_nobody_dearer_than_the_mean_by_more_than_tuning_allows() -> None:
    worst = days(DayWork(badly=300))
    for most in (0, 150, 500):
        shares = damped(beside(worst), TODAY, {"scorecard_most_cents": most})
        cents = penalties(shares, {})
        assert cents["v1"] - cents[ALL_OTHERS] == pytest.approx(most, abs=1)


@given(st.lists(st.tuples(*[st.integers(0, 500)] * 3, st.integers(-2, 90)), max_size=4))
def test_it_is_a_share_whatever_happened(works: list[tuple[int, int, int, int]]) -> None:
    found = damped({TODAY - timedelta(days=each[3]): {"v1": DayWork(*each[:3])} for each in works}, TODAY, {})
    assert all(0.0 <= each <= 1.0 for each in found.values())
    assert set(found) in (set(), {ALL_OTHERS, "v1"})
