"""Generated days are reproducible, realistic and of the load they are named after."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.day import LEVELS, LOADS
from benchmarks.generator import generate
from benchmarks.sequences import without
from benchmarks.sequences_bench import compared, counted, shares
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.solve import solve


def peak_use(problem: AssignmentProblem) -> float:
    """Use over capacity in the tightest bucket, all levels, if everyone got the cheapest candidate."""
    order = np.lexsort((problem.column_cost, problem.column_request))
    _, first = np.unique(problem.column_request[order], return_index=True)
    change = np.zeros(problem.capacity.shape[2] + 1)
    best = order[first]
    np.add.at(change, problem.column_start[best], problem.column_units[best])
    np.subtract.at(
        change, problem.column_start[best] + problem.column_duration[best], problem.column_units[best]
    )
    return float((change.cumsum()[:-1] / np.maximum(1, problem.capacity.sum(axis=(0, 1)))).max())


@pytest.mark.parametrize("load", LOADS)
def test_the_same_seed_gives_the_same_day_and_another_seed_another(load: str) -> None:
    one, same, other = generate(200, load, 7), generate(200, load, 7), generate(200, load, 8)
    for name in ("request_penalty", "column_cost", "column_start", "capacity", "precedence"):
        assert np.array_equal(getattr(one, name), getattr(same, name))
    assert not np.array_equal(one.column_cost, other.column_cost)


@pytest.mark.parametrize("load", LOADS)
def test_nearly_every_request_has_candidates_and_all_of_them_fit_alone(load: str) -> None:
    problem = generate(2000, load, 3)
    columns = np.bincount(problem.column_request, minlength=2000)
    assert (columns == 0).mean() < 0.02
    assert 10 <= np.median(columns) <= 120
    assert columns.max() <= 2 * 120
    assert problem.fits_alone.all()


def test_overloaded_asks_for_a_third_more_than_normal_and_dense_offers_more_choice() -> None:
    normal, overloaded, dense = (generate(3000, load, 5) for load in LOADS)
    assert peak_use(normal) < 1.0 < peak_use(overloaded)
    assert overloaded.capacity.sum() < 0.8 * normal.capacity.sum()
    assert dense.columns > 2 * normal.columns


def test_durations_units_and_costs_differ_by_vendor() -> None:
    problem = generate(1000, "normal", 1)
    for name in ("column_duration", "column_units", "column_cost"):
        array = getattr(problem, name)
        spread = [
            np.ptp(part)
            for part in np.split(array, np.unique(problem.column_request, return_index=True)[1])[1:]
        ]
        assert max(spread) > 0, name
    assert len(np.unique(problem.column_resource)) == LEVELS
    assert len(problem.precedence) > 0
    assert problem.vendor_target.sum() > 0


def test_every_parameter_of_the_day_can_be_overridden_by_name() -> None:
    assert generate(300, "normal", 1, bucket_min=30).capacity.shape[2] == 48
    assert len(generate(300, "normal", 1, pair_share=0.0).precedence) == 0
    with pytest.raises(TypeError, match="colour"):
        generate(300, "normal", 1, colour="red")
    with pytest.raises(ValueError, match="load is 'quiet'"):
        generate(300, "quiet", 1)


@pytest.mark.parametrize("requests", [1, 2, 17])
def test_tiny_days_are_days_too(requests: int) -> None:
    assert generate(requests, "normal", 1).requests == requests


def test_a_day_in_sequence_has_pairs_and_bundles_that_can_be_kept_and_none_without_them() -> None:
    tied = generate(1_000, "normal", 1, **shares())
    bundled, pairs = np.flatnonzero(tied.bundle >= 0), tied.precedence
    assert 30 < len(np.unique(pairs)) <= 50
    assert 10 < len(bundled) <= 25
    assert np.isin(pairs, bundled).any() and tied.precedence_from_start.any()
    assert (tied.precedence_most < 2**62).any() and (tied.precedence_most >= tied.precedence_lag).all()
    found = solve(tied, time_limit_s=60, seed=1, workers=1, work_limit=300_000)
    free = without(tied)
    assert not len(free.precedence) and (free.bundle < 0).all()
    for each in (pairs[:, 1], bundled):
        assert (found.choice[each] >= 0).mean() > 0.8
    assert counted(tied)["in_bundles"] == len(bundled)


def test_what_sequences_force_is_told_from_what_the_optimiser_loses_by_them() -> None:
    def row(contender: str, cost: int, bound: int | None, best: int) -> dict[str, Any]:
        figures = {"contender": contender, "cost": cost, "bound": bound, "best_bound": best}
        return figures | {"unmatched": 1}

    free = [row("ours", 1010, 1000, 1000), row("greedy", 1100, None, 1000)]
    tied = [row("ours", 1212, 1200, 1200), row("ours", 1236, 1200, 1200), row("greedy", 1500, None, 1200)]
    found = compared(free, [tied[0], tied[0], *tied])
    ours, greedy = found["ours"], found["greedy"]
    assert (ours["forced"], ours["cost_ratio"]) == (0.2, 0.2)  # a fifth more, and none of it is lost
    assert (ours["gap_without"], ours["gap_with"], ours["gap_difference"]) == (0.01, 0.01, 0.0)
    assert (greedy["gap_without"], greedy["gap_with"], greedy["gap_difference"]) == (0.1, 0.25, 0.15)


def test_a_day_without_requests_is_refused() -> None:
    with pytest.raises(ValueError, match="requests is 0"):
        generate(0)
