"""The contest is fair, its plans are checked: every contender on one small day, each in its own process."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from benchmarks import assignment, gap
from benchmarks.peers import cpsat, greedy
from benchmarks.peers.contest import peers_of
from dispatcher.runtime.errors import UsageError, UserError
from solvers.assignment.problem import AssignmentProblem
from solvers.checker import check
from tests.solvers.assignment.problems import optimum, random_problem


def _run(module: object, *words: str) -> int:
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)  # type: ignore[attr-defined]
    return int(module.run(parser.parse_args(list(words))))  # type: ignore[attr-defined]


def test_a_bench_prints_every_contender_s_checked_figures(tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    words = [
        "--requests",
        "25",
        "--seconds",
        "2",
        "--bound-seconds",
        "1",
        "--seeds",
        "1",
        "--peers",
        "greedy,cpsat",
        "--json",
        str(out),
    ]
    assert _run(assignment, *words) == 0
    figures = json.loads(out.read_text())
    assert list(figures["median"]) == ["ours", "greedy", "cpsat"]
    ours, _, cpsat_row = figures["runs"]
    assert ours["checked"]
    assert ours["cost"] <= cpsat_row["cost"]
    assert 0 <= ours["gap"] < 0.01
    assert all(row["best_bound"] <= ours["cost"] for row in figures["runs"])
    assert all(row["peak_mb"] > 0 and row["seconds"] >= 0 for row in figures["runs"])


def test_gap_is_measured_against_the_best_known(tmp_path: Path) -> None:
    (tmp_path / "tiny").write_text("2 3\n1 9 4\n8 2 4\n5 5 5\n5 5 5\n10 5\n")
    (tmp_path / "best_known.csv").write_text("Path,Best known solution value\nx/tiny,7\n")
    out = tmp_path / "figures.json"
    assert _run(gap, str(tmp_path), "--seconds", "1", "--peers", "", "--json", str(out)) == 0
    assert json.loads(out.read_text())["runs"][0]["over_best_known"] == 0


def test_a_day_is_saved_for_the_solver_be_it_generated_or_real(tmp_path: Path) -> None:
    out = tmp_path / "day.npz"
    assert _run(assignment, "--requests", "25", "--load", "dense", "--save", str(out)) == 0
    assert AssignmentProblem.load(out).requests == 25
    trips = "ID,ride_time,ride_lat,ride_lon,alight_lat,alight_lon,type\n"
    (tmp_path / "trips.csv").write_text(trips + "0,600,37.50,127.0,37.52,127.0,1\n")
    (tmp_path / "vehicles.csv").write_text("cartype,work_start,work_end,lat,lon\n1,7,16,37.5,127.0\n")
    assert _run(assignment, "--day", str(tmp_path), "--save", str(out)) == 0
    problem = AssignmentProblem.load(out)
    assert problem.requests == 1
    assert problem.columns > 0


def test_what_is_no_problem_or_no_day_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(UserError, match=r"text\.npz is not an assignment problem"):
        _run(assignment, "--npz", str(tmp_path / "text.npz"))
    with pytest.raises(UserError, match=r"holds no trips\.csv"):
        _run(assignment, "--day", str(tmp_path))
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UserError, match="holds no generalized assignment problem"):
            _run(gap, str(folder))


def test_an_unknown_peer_is_named() -> None:
    with pytest.raises(UsageError, match="no peer is called 'gurobi'"):
        peers_of("greedy,gurobi")


@pytest.mark.parametrize("seed", range(25))
def test_the_peers_model_the_same_problem(seed: int) -> None:
    problem = random_problem(seed)
    best = optimum(problem)
    found = cpsat.solve(problem, 5.0, 1, 1)
    assert found.choice is not None
    assert check(problem, found.choice).require().cost == best
    assert found.bound is not None
    assert found.bound <= best
    simple = greedy.solve(problem, 5.0, 1, 1).choice
    assert check(problem, simple).require().cost >= best
