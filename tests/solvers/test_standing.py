"""Requests that stand already in a plan: they move at a price, stay where they must, are never left out."""

from dataclasses import replace

import numpy as np
import pytest

from contracts.vendors import RateCard
from solvers.arrays import Ints
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.solve import solve
from solvers.planning import BatchPlan, digest, plan
from solvers.posing import pose
from solvers.screening import Screening
from tests.solvers.town import asked, ms, screening, standing_at, supply, trip, vendor

DEARER = RateCard(included_miles=0)


def optimised(problem: AssignmentProblem) -> Ints:
    return solve(problem, time_limit_s=5, seed=1, workers=1).choice


def one_place_each(values: dict[str, float] | None = None, **changes: object) -> Screening:
    """`stands` holds the one unit of v1, which alone may serve `waits`; v2 would take it for more."""
    stands = trip("stands", start_min=180, width_min=0)
    waits = trip("waits", start_min=180, width_min=0, excluded_vendors=("v2",))
    vendors = [vendor("v1", **changes), vendor("v2", rate_card=DEARER)]
    day = screening([asked(stands), asked(waits)], vendors, supply(2, units=1), values)
    window = stands.wished_window
    assert window is not None
    return standing_at(day, {0: (0, ms(window.earliest))})


def places(made: BatchPlan) -> dict[int, int]:
    """Vendor by request, of those that are matched or moved."""
    return dict(zip(made.chosen.request.tolist(), made.chosen.vendor.tolist(), strict=True))


def test_it_moves_when_that_places_another_request() -> None:
    assert places(plan(one_place_each(), optimised)) == {0: 1, 1: 0}


def test_it_stays_when_the_gain_is_less_than_the_price_and_is_then_not_named() -> None:
    values = {"move_offer_cents": 60_000}
    assert places(plan(one_place_each(values), optimised)) == {}


def test_the_greedy_moves_nobody() -> None:
    assert places(plan(one_place_each())) == {}


def test_a_place_that_is_no_candidate_any_more_stays_taken() -> None:
    posed = pose(one_place_each(paused=True))
    assert posed.held.tolist() == [-1, -1]
    left = posed.screening.supply.arrays()["left"]
    assert (left[0].min(), left[1].min()) == (0, 1)
    assert len(posed.screened.candidates) == 0, "nor is it planned anew"


def test_where_it_stands_is_a_candidate_however_dear() -> None:
    day = one_place_each({"most_candidates": 1})
    window = trip(start_min=180).wished_window
    assert window is not None
    at_the_dearer = standing_at(day, {0: (1, ms(window.earliest))})
    assert (pose(at_the_dearer).held >= 0).tolist() == [True, False]


def test_where_the_counts_do_not_add_up_nobody_moves() -> None:
    day = one_place_each()
    assert day.standing is not None
    both = replace(
        day.standing, **{name: np.repeat(each[:1], 2) for name, each in vars(day.standing).items()}
    )
    posed = pose(replace(day, standing=both))
    assert posed.held.tolist() == [-1, -1]
    assert places(plan(replace(day, standing=both), optimised)) == {}


def test_a_solver_that_leaves_it_out_is_not_followed() -> None:
    def careless(problem: AssignmentProblem) -> Ints:
        return np.array([-1, np.flatnonzero(problem.column_request == 1)[0]])

    made = plan(one_place_each(), careless)
    assert (places(made), made.solver) == ({}, "greedy")


@pytest.mark.parametrize("daily", [1, 2])
def test_above_a_days_cap_who_stands_comes_first(daily: int) -> None:
    requests = [asked(trip(f"r{n}", start_min=180 + 60 * n, width_min=0)) for n in range(2)]
    day = screening(requests, [vendor("v1")], supply(1, units=1, pools=2, daily=daily))
    stood = standing_at(day, {1: (0, int(day.facts.earliest_ms[1]))})
    made = plan(stood, lambda problem: np.array([0, np.flatnonzero(problem.column_request == 1)[0]]))
    assert places(made) == ({0: 0} if daily == 2 else {})


def test_who_stands_where_is_part_of_the_digest() -> None:
    day = one_place_each()
    assert digest(day) != digest(replace(day, standing=None))
