"""What the problem type accepts, refuses and sets aside."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solvers.assignment.problem import OPTIONAL, AssignmentProblem
from solvers.assignment.solve import solve
from solvers.assignment.validation import MalformedProblem
from tests.solvers.assignment.problems import each_seed, random_problem


def _problem(**changes: Any) -> AssignmentProblem:
    arrays: dict[str, Any] = {
        "request_penalty": [100, 100], "column_request": [0, 0, 1], "column_vendor": [0, 1, 0],
        "column_resource": [0, 0, 0], "column_start": [0, 1, 2], "column_duration": [1, 2, 1],
        "column_units": [1, 1, 1], "column_cost": [5, 6, 7], "capacity": np.ones((2, 1, 4), np.int64),
    }  # fmt: skip
    return AssignmentProblem(**(arrays | changes))


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("column_request", [0, 1, 0], r"column_request\[2\] is 0, after 1; it must be sorted"),
        ("column_request", [0, 0, 2], r"column_request\[2\] is 2; it must lie in \[0, 1\]"),
        ("column_vendor", [0, 7, 0], r"column_vendor\[1\] is 7"),
        ("column_resource", [0, 0, -1], r"column_resource\[2\] is -1"),
        ("column_start", [0, -3, 0], r"column_start\[1\] is -3"),
        ("column_duration", [1, 0, 1], r"column_duration\[1\] is 0"),
        ("column_units", [1, 1, -2], r"column_units\[2\] is -2"),
        ("column_cost", [1, 2**50, 3], r"column_cost\[1\] is 1125899906842624"),
        ("column_cost", [1.5, 2.0, 3.0], r"column_cost\[0\] is .*1\.5.*integers"),
        ("column_cost", [1.0, 2.0, float("nan")], r"column_cost\[2\] is nan .*integers"),
        ("column_cost", ["1", "2", "3"], r"column_cost\[0\] is '1' .*integers"),
        ("column_cost", [1, 2], r"column_cost has shape \(2,\)"),
        ("request_penalty", [[1, 2]], r"request_penalty has shape \(1, 2\)"),
        ("capacity", -np.ones((2, 1, 4), np.int64), r"capacity\[0, 0, 0\] is -1"),
        ("vendor_cap", [1, -1], r"vendor_cap\[1\] is -1"),
        ("vendor_target", [1], r"vendor_target has shape \(1,\)"),
        ("precedence", [[0, 5]], r"precedence\[0, 1\] is 5"),
        ("precedence", [[1, 1]], r"precedence\[0\] is \[1, 1\]"),
        ("pinned", [0, 1], r"pinned\[1\] is 1, a second column of request 0"),
        ("pinned", [1, 1], r"pinned\[1\] is 1, which pinned lists before"),
        ("shortfall_cost", [1, 2], r"shortfall_cost has shape \(2,\)"),
        ("precedence", [[0, 1], [1]], r"precedence is no array"),
        ("column_cost", [[1], [2, 3], 4], r"column_cost is no array"),
        ("pinned", [9], r"pinned\[0\] is 9"),
    ],
)
def test_malformed_arrays_are_refused_with_the_index_and_the_value(name: str, value: Any, says: str) -> None:
    with pytest.raises(MalformedProblem, match=says):
        _problem(**{name: value})


def test_pins_that_cannot_stand_together_are_refused() -> None:
    with pytest.raises(MalformedProblem, match="over-books vendor 0"):
        _problem(column_start=[0, 1, 0], pinned=[0, 2])
    with pytest.raises(MalformedProblem, match="above its vendor_cap 1"):
        _problem(vendor_cap=[1, 1], pinned=[0, 2])
    with pytest.raises(MalformedProblem, match="Maybe pin both"):
        _problem(precedence=[[0, 1]], pinned=[2])


def test_a_column_that_does_not_fit_alone_is_set_aside_and_the_others_keep_their_index() -> None:
    problem = _problem(column_start=[3, 3, 2], column_duration=[2, 1, 1], column_units=[1, 1, 5])
    assert problem.fits_alone.tolist() == [False, True, False]
    assert solve(problem, time_limit_s=1, seed=1, workers=1).choice.tolist() == [1, -1]


@each_seed(30)
def test_a_column_fits_alone_when_every_bucket_has_room(seed: int) -> None:
    problem = random_problem(seed)
    for column, fits in enumerate(problem.fits_alone):
        start = problem.column_start[column]
        end = start + problem.column_duration[column]
        place = problem.column_vendor[column], problem.column_resource[column]
        room = problem.capacity[(*place, slice(start, end))]
        whole = end <= problem.capacity.shape[2] and problem.vendor_cap[place[0]] > 0
        assert fits == (whole and bool((room >= problem.column_units[column]).all()))


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    problem = random_problem(4)
    problem.save(tmp_path / "problem.npz")
    again = AssignmentProblem.load(tmp_path / "problem.npz")
    for each in fields(problem):
        assert np.array_equal(getattr(problem, each.name), getattr(again, each.name)), each.name


def test_optional_arrays_may_be_absent_in_a_file(tmp_path: Path) -> None:
    problem = replace(random_problem(4), precedence=np.zeros((0, 2), np.int64), precedence_lag=None)  # type: ignore[arg-type]
    given = {f.name: getattr(problem, f.name) for f in fields(problem) if f.name not in OPTIONAL}
    np.savez(tmp_path / "problem.npz", **given)
    again = AssignmentProblem.load(tmp_path / "problem.npz")
    assert again.vendor_cap.tolist() == [problem.requests] * len(problem.vendor_cap)
    assert (again.vendor_target == 0).all()
    np.savez(tmp_path / "problem.npz", column_cost=[1])
    with pytest.raises(KeyError, match="request_penalty"):
        AssignmentProblem.load(tmp_path / "problem.npz")


@pytest.mark.parametrize(
    "changes",
    [
        {"request_penalty": [], "column_request": np.zeros(0, np.int64)},
        {"column_request": np.zeros(0, np.int64)},
    ],
)
def test_nothing_to_do_is_done(changes: dict[str, Any]) -> None:
    parts = ("vendor", "resource", "start", "duration", "units", "cost")
    empty: dict[str, Any] = {f"column_{part}": np.zeros(0, np.int64) for part in parts}
    problem = _problem(**(empty | changes))
    result = solve(problem, time_limit_s=1, seed=1, workers=2)
    assert result.cost == problem.request_penalty.sum() == result.lower_bound


def test_huge_numbers_do_not_overflow() -> None:
    big = 2**40
    problem = _problem(
        request_penalty=[big, big], column_cost=[big - 3, -big, big - 1], column_units=[big, big, big],
        capacity=np.full((2, 1, 4), 2**62), vendor_cap=[2**62, 2**62],
    )  # fmt: skip
    result = solve(problem, time_limit_s=1, seed=1, workers=1)
    assert (result.choice.tolist(), result.cost, result.lower_bound) == ([1, 2], -1, -1)
