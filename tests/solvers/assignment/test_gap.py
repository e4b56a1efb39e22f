"""Public generalized assignment instances, and the reader that turns them into problems."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.gap import best_known, instances, read
from solvers.assignment.solve import solve
from solvers.checker import check

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "gap"

TWO_BY_THREE = "2 3\n1 9 4\n8 2 4\n5 5 5\n5 5 5\n10 5\n"


def test_agents_become_vendors_and_items_requests(tmp_path: Path) -> None:
    (tmp_path / "tiny").write_text(TWO_BY_THREE)
    (tmp_path / "notes.txt").write_text("2 3 is not enough")
    assert [path.name for path in instances(tmp_path)] == ["tiny"]
    problem = read(tmp_path / "tiny")
    assert problem.capacity.ravel().tolist() == [10, 5]
    result = solve(problem, time_limit_s=2, seed=1, workers=1)
    assert result.cost == 1 + 2 + 4
    assert result.choice.tolist() == [0, 3, 4]
    assert best_known(tmp_path) == {}


def test_an_instance_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("hello")
    with pytest.raises(ValueError, match="no generalized assignment problem"):
        read(tmp_path / "notes")


@pytest.mark.parametrize("name", ["c05100", "d05100", "e05100"])
def test_a_public_instance_is_planned_close_to_its_optimum(name: str) -> None:
    if not (DATA / name).exists():
        pytest.skip(f"{DATA} is not there")
    problem, best = read(DATA / name), best_known(DATA)[name]
    result = solve(problem, time_limit_s=1.5, seed=1, workers=2)
    assert check(problem, result.choice, claimed_cost=result.cost).ok
    assert (result.choice >= 0).all()
    assert result.lower_bound <= best <= result.cost
    assert result.cost <= best * 1.02


def test_enumeration_gives_the_same_bytes_for_the_same_work(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    numbers = [6, 80, *rng.integers(10, 100, 480), *rng.integers(5, 25, 480), *[170] * 6]
    (tmp_path / "gap").write_text(" ".join(map(str, numbers)))
    problem = read(tmp_path / "gap")
    one, two = (solve(problem, time_limit_s=1e9, seed=4, workers=1, work_limit=400_000) for _ in range(2))
    assert one.choice.tobytes() == two.choice.tobytes()
    assert check(problem, one.choice, claimed_cost=one.cost).ok
