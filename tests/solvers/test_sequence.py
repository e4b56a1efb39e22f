"""Requests that follow others or are bundled, from screening to plan: instants keep it, not buckets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.assignment.plan import is_feasible
from solvers.assignment.solve import solve
from solvers.explain import Reason, explain
from solvers.explain.screened import question_of
from solvers.planning import BatchPlan, Solver, plan
from solvers.posing import pose
from solvers.room import make_room
from solvers.screening import START_TO_START, Follows, OpenRequest, Screening
from solvers.sequence import kept_whole
from tests.solvers import town
from tests.solvers.assignment.problems import random_problem

MINUTE = 60_000
HOUR = 60 * MINUTE
NOBODY = ("v0", "v1")


def exact(problem: Any) -> Any:
    return solve(problem, time_limit_s=2, seed=1, workers=1).choice


def ride(request_id: str, *, start_min: float = 60, width_min: float = 120, **more: Any) -> OpenRequest:
    ties = {name: more.pop(name) for name in ("follows", "bundle") if name in more}
    request = town.trip(request_id, start_min=start_min, width_min=width_min, **more)
    return replace(town.asked(request), **ties)


def day(*asked: OpenRequest, units: int = 1, values: dict[str, float] | None = None) -> Screening:
    vendors = [town.vendor("v0"), town.vendor("v1")]
    return town.screening(asked, vendors, town.supply(2, units=units), values)


def starts(found: BatchPlan) -> dict[int, tuple[int, int]]:
    """When the work of each row begins and ends, in minutes."""
    chosen = found.chosen
    ends = (chosen.start_ms + chosen.service_ms) // MINUTE
    return dict(
        zip(
            chosen.request.tolist(),
            zip((chosen.start_ms // MINUTE).tolist(), ends.tolist(), strict=True),
            strict=True,
        )
    )


@pytest.mark.parametrize("solver", [None, exact])
@pytest.mark.parametrize("coarse", [5, 30])
def test_a_ride_follows_its_oxygen_by_the_minute_however_coarse_the_buckets(
    solver: Solver | None, coarse: int
) -> None:
    oxygen = town.asked(town.order("oxygen"))
    after = Follows("oxygen", least_ms=7 * MINUTE, most_ms=20 * MINUTE)
    found = plan(day(ride("home", follows=(after,)), oxygen, values={"bucket_minutes": coarse}), solver)
    times = starts(found)
    assert 7 <= times[0][0] - times[1][1] <= 20


def test_start_to_start_lets_equipment_travel_along() -> None:
    along = Follows("ride", START_TO_START, 0, 10 * MINUTE)
    asked = [ride("ride"), ride("with it", follows=(along,))]
    times = starts(plan(day(*asked), exact))
    assert 0 <= times[1][0] - times[0][0] <= 10


@pytest.mark.parametrize("solver", [None, exact])
def test_who_follows_an_unmatched_request_waits_and_is_told_for_whom(solver: Solver | None) -> None:
    lost = ride("lost", excluded_vendors=NOBODY)
    found = plan(day(ride("home", follows=(Follows("lost"),)), lost, ride("other")), solver)
    assert found.chosen.request.tolist() == [2]
    assert found.held_back_by.tolist() == [1, -1, -1]
    vendor, start_ms, cents = found.forgone[0].tolist()
    assert vendor >= 0 and start_ms >= town.NOW_MS and cents > 0
    assert (found.forgone[1:] == -1).all()


@pytest.mark.parametrize("solver", [None, exact])
def test_a_bundle_is_matched_whole_or_not_at_all_and_says_which_of_it_fails(solver: Solver | None) -> None:
    bed, home = ride("bed", bundle="b"), ride("home", bundle="b")
    assert len(plan(day(bed, home), solver).chosen) == 2
    found = plan(day(bed, home, ride("lost", excluded_vendors=NOBODY, bundle="b"), ride("other")), solver)
    assert found.chosen.request.tolist() == [3]
    assert found.held_back_by.tolist() == [2, 2, -1, -1]


def test_a_bundle_for_whose_parts_there_is_one_place_in_all_waits_for_both() -> None:
    only_v0 = {"width_min": 0, "excluded_vendors": ("v1",)}
    found = plan(day(ride("a", bundle="b", **only_v0), ride("b", bundle="b", **only_v0)), exact)
    assert not len(found.chosen)
    assert found.held_back_by.tolist() == [1, 0]
    assert (found.forgone[:, 0] == 0).all()


def test_who_stands_in_a_sequence_stays_and_the_other_keeps_to_it() -> None:
    first_ms = town.NOW_MS + 75 * MINUTE
    asked = [ride("home", follows=(Follows("first", most_ms=40 * MINUTE),)), ride("first")]
    made = town.standing_at(day(*asked), {1: (0, first_ms)})
    posed = pose(made)
    assert posed.held.tolist() == [-1, -1] and not len(posed.problem.precedence)
    found = plan(made, exact)
    assert found.chosen.request.tolist() == [0]
    begins = starts(found)[0][0] * MINUTE
    place = pose(town.standing_at(day(*asked), {})).screened.candidates
    lasts = place.service_ms[(place.request == 1) & (place.start_ms == first_ms)][0]
    assert 0 <= begins - (first_ms + lasts) <= 40 * MINUTE
    turned = [ride("first", follows=()), ride("home", follows=(Follows("first"),))]
    before = plan(town.standing_at(day(*turned), {1: (0, town.NOW_MS + 150 * MINUTE)}), exact)
    assert starts(before)[0][1] * MINUTE <= town.NOW_MS + 150 * MINUTE


def test_the_rest_of_a_bundle_of_which_one_stands_is_matched() -> None:
    asked = [ride("a", bundle="b"), ride("b", bundle="b"), ride("c", bundle="b")]
    made = town.standing_at(day(*asked), {0: (0, town.NOW_MS + 75 * MINUTE)})
    assert sorted(plan(made, exact).chosen.request.tolist()) == [1, 2]


def test_nobody_steps_aside_for_one_of_a_bundle() -> None:
    stands = [ride("stands", width_min=0)]
    waits = [ride(f"w{n}", width_min=0, excluded_vendors=("v1",), bundle="b") for n in range(2)]
    made = town.standing_at(day(*waits, *stands), {2: (0, town.NOW_MS + HOUR)})
    assert list(make_room(made)) == []


def test_above_a_day_s_cap_a_bundle_goes_whole() -> None:
    supply = town.supply(2, units=3, pools=2)
    supply.daily_left[:] = 1
    asked = [ride(f"r{n}", bundle="b" if n < 3 else "", excluded_vendors=("v1",)) for n in range(4)]
    found = plan(town.screening(asked, [town.vendor("v0"), town.vendor("v1")], supply), exact)
    assert sorted(found.chosen.request.tolist()) in ([], [3])


@pytest.mark.parametrize("seed", range(40))
def test_what_is_kept_whole_is_feasible_whatever_was_taken_out(seed: int) -> None:
    problem, rng = random_problem(seed), np.random.default_rng(seed)
    choice = exact(problem)
    choice[rng.random(len(choice)) < 0.4] = -1
    assert is_feasible(problem, kept_whole(problem, choice))


@given(st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_real_instants_keep_what_the_plan_keeps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    asked = [
        ride(
            f"r{n}",
            start_min=60 + float(rng.integers(0, 60)),
            bundle=("", "x", "y")[int(rng.integers(3))],
            follows=_some(rng, n),
        )
        for n in range(6)
    ]
    made = day(*asked, values={"bucket_minutes": float(rng.choice([5, 15, 30]))})
    for solver in (None, exact):
        found = plan(made, solver)
        times = starts(found)
        for row, each in enumerate(asked):
            for one in each.follows if row in times else ():
                first = times[int(one.request_id[1:])]
                after = times[row][0] - first[0 if one.kind == START_TO_START else 1]
                assert after >= one.least_ms // MINUTE
                assert one.most_ms is None or after <= one.most_ms // MINUTE
        for name in ("x", "y"):
            rows = {row for row, each in enumerate(asked) if each.bundle == name}
            assert rows <= times.keys() or not rows & times.keys()


def _some(rng: np.random.Generator, row: int) -> tuple[Follows, ...]:
    """One of those before it, or none."""
    if row == 0 or rng.random() < 0.5:
        return ()
    least = int(rng.integers(-10, 20)) * MINUTE
    most = None if rng.random() < 0.5 else least + int(rng.integers(0, 40)) * MINUTE
    kind = START_TO_START if rng.random() < 0.3 else "finish_to_start"
    return (Follows(f"r{int(rng.integers(row))}", kind, least, most),)


def test_one_that_follows_what_is_unmatched_is_explained_by_that() -> None:
    made = day(ride("home", follows=(Follows("lost"),)), ride("lost", excluded_vendors=NOBODY))
    found = explain(question_of(made, 0).question)
    assert (found.reason, found.relaxations) == (Reason.PREDECESSOR, ())


def test_of_a_bundle_only_that_is_told_which_matches_all_of_it() -> None:
    lost = ride("lost", excluded_vendors=NOBODY, bundle="b")
    found = explain(question_of(day(ride("home", bundle="b"), lost), 0).question)
    assert (found.reason, found.relaxations) == (Reason.BUNDLE, ())
    fine = explain(question_of(day(ride("home", bundle="b"), ride("bed", bundle="b")), 0).question)
    assert fine.reason is Reason.FITS_NOW
    full = {"width_min": 0, "excluded_vendors": ("v1",), "bundle": "b"}
    short = explain(question_of(day(ride("a", **full), ride("b", **full)), 0).question)
    assert short.reason is Reason.BUNDLE and all(each.start > 0 for each in short.relaxations)
