"""Places that were found elsewhere become the very plan that they were taken from, or none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solvers.found import Found, planned_again, planned_beside
from solvers.optimiser import optimised
from solvers.planning import Limits, plan
from solvers.saved import pack_plan
from solvers.screening import Screening
from tests.solvers import town

LIMITS = Limits(time_limit_s=5.0, work_limit=1000)
HALF_AN_HOUR_MS = 1_800_000


def day(requests: int = 8, vendors: int = 2) -> Screening:
    asked = [town.asked(town.trip(f"r{n}", width_min=0, start_min=60 + 5 * (n % 3))) for n in range(requests)]
    return town.screening(asked, [town.vendor(f"v{n}") for n in range(vendors)])


def busy_day() -> Screening:
    """Two stand with the first vendor, of whose two units nothing is left."""
    start_ms = town.NOW_MS + 2 * HALF_AN_HOUR_MS
    made = day(vendors=3)
    taken = made.supply.less(
        np.zeros(2, np.int64), np.zeros(2, np.int64), made.horizon.day_of(np.full(2, start_ms)),
        np.full(2, made.horizon.first_bucket(start_ms)), np.full(2, made.horizon.first_bucket(start_ms) + 6),
    )  # fmt: skip
    return town.standing_at(replace(made, supply=taken), {0: (0, start_ms), 3: (0, start_ms)})


@pytest.mark.parametrize("made", [day(), busy_day()], ids=["nobody stands", "two stand"])
def test_the_whole_plan_is_made_again_from_its_places(made: Screening) -> None:
    first = optimised(made, LIMITS)
    again = planned_again(made, Found.of(first), LIMITS)
    assert pack_plan(again) == pack_plan(first)
    assert again.limits == LIMITS
    assert again.lost is not None
    assert first.lost is not None
    assert (again.lost == first.lost).all()


def test_after_the_optimiser_broke_what_it_had_told_is_in_the_plan_and_the_greedy_plans_the_others() -> None:
    first = optimised(day(), LIMITS)
    last = np.array([len(first.chosen) - 1])
    kept = first.chosen.only(last)
    kept = replace(kept, vendor=1 - kept.vendor)
    told = replace(first, chosen=kept, cents=first.cents[last], next_best=first.next_best[last])
    made = planned_beside(day(), [told], LIMITS)
    places = {at.request: (at.vendor, at.start_ms) for at in map(made.chosen.at, range(len(made.chosen)))}
    assert places[kept.at(0).request] == (kept.at(0).vendor, kept.at(0).start_ms)
    assert len(places) == len(first.chosen)
    assert (made.digest, made.solver, made.limits) == (
        first.digest, "optimiser", replace(LIMITS, work_limit=None),
    )  # fmt: skip
    assert pack_plan(planned_beside(day(), [], LIMITS)) == pack_plan(plan(day()))


def test_what_the_finder_says_of_its_bound_is_never_above_the_cost() -> None:
    found = replace(Found.of(plan(day())), bound=10**12)
    again = planned_again(day(), found)
    assert again.bound == again.cost


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (lambda one: replace(one, vendor=one.vendor * 0), "breaks"),
        (lambda one: replace(one, start_ms=one.start_ms + 60_000_000), "where none of its candidates is"),
        (lambda one: replace(one, request=one.request + 99), "not among the 8"),
        (lambda one: replace(one, request=one.request * 0), "one twice"),
        (lambda one: replace(one, request=one.request[:1]), "four rows of whole numbers"),
        (lambda one: replace(one, vendor=one.vendor * 1.0), "four rows of whole numbers"),
        (lambda one: replace(one, solver="an oracle"), "known: optimiser, greedy"),
    ],
)
def test_places_that_are_none_or_break_a_rule_make_no_plan(of, words: str) -> None:  # type: ignore[no-untyped-def]
    found = Found.of(plan(day(vendors=4)))
    with pytest.raises(ValueError, match=words):
        planned_again(day(vendors=4), of(found))
