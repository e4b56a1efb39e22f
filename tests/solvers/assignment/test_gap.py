"""Public generalized assignment instances, and the reader that turns them into problems."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.gap import best_known, instances, read
from dispatcher.runtime.errors import UserError
from solvers.assignment.beam import Beam, is_one_a_row
from solvers.assignment.deadline import Deadline
from solvers.assignment.dual import Prices
from solvers.assignment.instance import instance_of
from solvers.assignment.knapsack import Knapsacks, is_knapsacks
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.solve import solve
from solvers.checker import check
from tests.solvers.assignment.problems import each_seed, optimum

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "gap"

TWO_BY_THREE = "2 3\n1 9 4\n8 2 4\n5 5 5\n5 5 5\n10 5\n"


def test_agents_become_vendors_and_items_requests(tmp_path: Path) -> None:
    (tmp_path / "tiny").write_text(TWO_BY_THREE)
    (tmp_path / "notes.txt").write_text("2 3 is not enough")
    assert [path.name for path in instances(tmp_path)] == ["tiny"]
    problem = read(tmp_path / "tiny")["tiny"]
    assert problem.capacity.ravel().tolist() == [10, 5]
    result = solve(problem, time_limit_s=2, seed=1, workers=1)
    assert result.cost == 1 + 2 + 4
    assert result.choice.tolist() == [0, 3, 4]
    assert best_known(tmp_path) == {}


def test_an_instance_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("hello")
    with pytest.raises(UserError, match="no generalized assignment problem"):
        read(tmp_path / "notes")


def test_several_in_one_file_are_each_read_and_a_count_is_no_size(tmp_path: Path) -> None:
    """OR-Library's own files begin with how many they hold: `1` was taken for one agent."""
    (tmp_path / "gapc").write_text(f"2\r\n{TWO_BY_THREE}{TWO_BY_THREE.replace('9', '3')}")
    (tmp_path / "one").write_text(f"\ufeff1\n{TWO_BY_THREE.rstrip()}")
    (tmp_path / "more").write_text(f"{TWO_BY_THREE} 7")
    assert [path.name for path in instances(tmp_path)] == ["gapc", "one"]
    assert {name: each.column_cost.max() for name, each in read(tmp_path / "gapc").items()} == {
        "gapc-1": 9, "gapc-2": 8,
    }  # fmt: skip
    assert read(tmp_path / "one")["one"].requests == 3


@pytest.mark.parametrize(
    "text",
    [
        TWO_BY_THREE.replace("9", "9" * 18),
        TWO_BY_THREE.replace("9", "9" * 30),
        TWO_BY_THREE.replace("5 5 5", "-5 5 5"),
    ],
)
def test_numbers_that_no_problem_can_have_are_refused_by_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd").write_text(text)
    with pytest.raises(UserError, match="odd is no generalized assignment problem: "):
        read(tmp_path / "odd")


@pytest.mark.parametrize("name", ["c05100", "d05100", "e05100"])
def test_a_public_instance_is_planned_close_to_its_optimum(name: str) -> None:
    if not (DATA / name).exists():
        pytest.skip(f"{DATA} is not there")
    problem, best = read(DATA / name)[name], best_known(DATA)[name]
    result = solve(problem, time_limit_s=1.5, seed=1, workers=2)
    assert check(problem, result.choice, claimed_cost=result.cost).ok
    assert (result.choice >= 0).all()
    assert result.lower_bound <= best <= result.cost
    assert result.cost <= best * 1.02


def _gap(agents: int, items: int, seed: int, *, tightness: float = 0.8) -> AssignmentProblem:
    """Cost and use opposed, as in type d."""
    rng = np.random.default_rng(seed)
    use = rng.integers(1, 101, (items, agents))
    cost = 111 - use + rng.integers(-10, 11, use.shape)
    zero = np.zeros(use.size, np.int64)
    return AssignmentProblem(
        request_penalty=np.full(items, 2_000),
        column_request=np.repeat(np.arange(items), agents),
        column_vendor=np.tile(np.arange(agents), items),
        column_resource=zero,
        column_start=zero,
        column_duration=zero + 1,
        column_units=use.reshape(-1),
        column_cost=cost.reshape(-1),
        capacity=(tightness * use.sum(0) / agents).astype(np.int64).reshape(agents, 1, 1),
    )


@each_seed(100)
def test_values_of_requests_never_prove_more_than_the_optimum(seed: int) -> None:
    problem = _gap(2 + seed % 3, 5 + seed % 2, seed, tightness=0.5 + 0.1 * (seed % 6))
    prices = Prices(instance_of(problem))
    prices.climb(Deadline(10.0), rounds=60, share=1.0)
    knapsacks, best = Knapsacks(prices), optimum(problem)
    assert knapsacks.prove() <= best
    knapsacks.climb(Deadline(10.0), steps=100, share=1.0)
    assert prices.prove() - 1 <= knapsacks.prove() <= best
    rng = np.random.default_rng(seed)
    for spread in (0.1, 30, 3_000):
        knapsacks.best[:] += rng.normal(0, spread, problem.requests)
        assert knapsacks.prove() <= best


def test_twenty_agents_are_planned_within_half_a_percent_of_the_bound() -> None:
    problem = _gap(20, 200, 7)
    result = solve(problem, time_limit_s=1e9, seed=1, workers=1, work_limit=2_000_000)
    assert check(problem, result.choice, claimed_cost=result.cost).ok
    assert (result.choice >= 0).all()
    assert result.gap < 0.005


def test_where_a_vendor_takes_few_requests_rows_are_enumerated_instead() -> None:
    problem = _gap(6, 80, 3)
    capped = replace(problem, vendor_cap=np.full(6, 15))
    assert is_knapsacks(instance_of(problem))
    assert not is_knapsacks(instance_of(capped))
    one, two = (solve(capped, time_limit_s=1e9, seed=4, workers=1, work_limit=400_000) for _ in range(2))
    assert one.choice.tobytes() == two.choice.tobytes()
    assert check(capped, one.choice, claimed_cost=one.cost).ok


def test_branch_and_bound_gives_the_same_bytes_for_the_same_work(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    numbers = [6, 80, *rng.integers(10, 100, 480), *rng.integers(5, 25, 480), *[170] * 6]
    (tmp_path / "gap").write_text(" ".join(map(str, numbers)))
    problem = read(tmp_path / "gap")["gap"]
    one, two = (solve(problem, time_limit_s=1e9, seed=4, workers=1, work_limit=400_000) for _ in range(2))
    assert one.choice.tobytes() == two.choice.tobytes()
    assert check(problem, one.choice, claimed_cost=one.cost).ok


@each_seed(20)
def test_a_beam_that_drops_nothing_finds_the_optimum(seed: int) -> None:
    problem = _gap(2 + seed % 2, 5, seed, tightness=0.6 + 0.1 * (seed % 4))  # at most 4^5 plans, fewer apart
    prices = Prices(instance_of(problem))
    prices.climb(Deadline(10.0), rounds=60, share=1.0)
    found, work = Beam(Knapsacks(prices), seed).plan(problem.worst_total + 1, disturbed=seed % 2 > 0)
    assert found is not None
    assert work > 0
    choice = instance_of(problem).to_given(found)
    assert check(problem, choice, claimed_cost=optimum(problem)).ok


def test_a_beam_meets_nothing_below_the_optimum() -> None:
    problem = _gap(3, 5, seed=1)
    beam = Beam(Knapsacks(Prices(instance_of(problem))), seed=1)
    assert beam.plan(optimum(problem), disturbed=False)[0] is None


def test_two_columns_of_a_request_in_one_row_are_no_work_for_a_beam() -> None:
    problem = _gap(6, 80, seed=3)
    assert is_one_a_row(instance_of(problem))
    twice = replace(problem, column_vendor=np.maximum(problem.column_vendor, 1))
    assert not is_one_a_row(instance_of(twice))
    found = solve(twice, time_limit_s=1e9, seed=1, workers=1, work_limit=200_000)
    assert check(twice, found.choice, claimed_cost=found.cost).ok
