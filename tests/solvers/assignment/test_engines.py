"""OR-Tools loads beside the search: nobody waits for it beyond a limit, and a short solve does without."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.generator import generate
from solvers.assignment import engines
from solvers.assignment.deadline import Deadline
from solvers.assignment.solve import solve
from solvers.checker import check


def test_who_has_time_gets_it() -> None:
    assert engines.Engines().ready(Deadline(60.0))
    assert engines.loaded()


def test_who_is_told_to_stop_does_not_wait() -> None:
    assert not engines.Engines().ready(Deadline(60.0, stop=lambda: True))


def test_what_goes_wrong_in_loading_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_MODULE", "solvers.assignment.no_such_module")
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        engines.Engines().ready(Deadline(60.0))


def test_a_solve_without_or_tools_keeps_its_plan_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_MODULE", "solvers.assignment.no_such_module")
    problem = generate(30, "overloaded", 1)
    result = solve(problem, time_limit_s=1e9, workers=1, work_limit=200_000)
    assert check(problem, result.choice, claimed_cost=result.cost).ok
    assert result.lower_bound <= result.cost
    assert "no_such_module" in result.lacking[0]


SHORT = """
from benchmarks.generator import generate
from solvers.assignment.engines import loaded
from solvers.assignment.solve import solve
solve(generate(150, "overloaded", 1), time_limit_s=0.3)
raise SystemExit(loaded())
"""


def test_a_short_solve_does_without() -> None:
    assert subprocess.run([sys.executable, "-c", SHORT], check=False).returncode == 0
