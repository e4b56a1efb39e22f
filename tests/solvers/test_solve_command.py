"""`dispatcher solve`: a file in, a checked answer out; a bad file is a clear error and exit code 2."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.generator import generate
from dispatcher import cli
from solvers.assignment.problem import AssignmentProblem
from solvers.checker import check


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "problem.npz"
    generate(40, "overloaded", 3).save(path)
    return path


def test_it_prints_a_checked_plan_with_its_bound_and_writes_the_choice(
    saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "choice.npz"
    arguments = ["solve", str(saved), "--seconds", "2", "--seed", "1", "--json", "-", "--out", str(out)]
    assert cli.main(arguments) == 0
    answer = json.loads(capsys.readouterr().out)
    problem = AssignmentProblem.load(saved)
    report = check(problem, np.load(out)["choice"], claimed_cost=answer["cost"]).require()
    assert answer["checked"] is True
    assert answer["matched"] == report.matched > 0
    assert answer["lower_bound"] <= answer["cost"] == answer["trace"][-1][1]
    assert answer["gap"] >= 0
    assert answer["choice"] == np.load(out)["choice"].tolist()


def test_without_json_it_speaks_to_a_reader(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["solve", str(saved), "--seconds", "1"]) == 0
    assert "of 40 requests matched" in capsys.readouterr().out


def test_a_json_file_is_written_where_it_is_asked_for(saved: Path, tmp_path: Path) -> None:
    target = tmp_path / "answer.json"
    assert cli.main(["solve", str(saved), "--seconds", "1", "--json", str(target)]) == 0
    assert json.loads(target.read_text())["requests"] == 40


def broken(tmp_path: Path, **changes: object) -> Path:
    path = tmp_path / "broken.npz"
    generate(5, "normal", 1).save(path)
    arrays = dict(np.load(path)) | changes
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"column_cost": None}, "column_cost"),
        ({"column_vendor": np.array([0, 1])}, "column_vendor has shape"),
        ({"request_penalty": np.array([1, 2, 3, 4, -(2**60)])}, "request_penalty[4]"),
        ({"column_start": np.array([{}], dtype=object)}, "not an assignment problem"),
    ],
)
def test_malformed_arrays_are_named_with_exit_code_2(
    changes: dict[str, object], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["solve", str(broken(tmp_path, **changes))]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"not a zip at all", b"PK\x03\x04 truncated"])
def test_a_file_that_is_no_npz_is_a_clear_error(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "problem.npz"
    path.write_bytes(content)
    assert cli.main(["solve", str(path)]) == 2
    assert "is not an assignment problem" in capsys.readouterr().err


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_is_refused_or_still_a_sound_problem(seed: int, saved: Path, tmp_path: Path) -> None:
    rng, damaged = np.random.default_rng(seed), bytearray(saved.read_bytes())
    for _ in range(int(rng.integers(1, 4))):
        damaged[int(rng.integers(len(damaged)))] = int(rng.integers(256))
    path = tmp_path / "damaged.npz"
    path.write_bytes(damaged[: int(rng.integers(len(damaged) // 2, len(damaged) + 1))])
    assert cli.main(["solve", str(path), "--seconds", "0.01", "--workers", "1"]) in (0, 2)


def test_a_missing_file_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["solve", str(tmp_path / "nowhere.npz")]) == 2
    assert "there is no file" in capsys.readouterr().err


@pytest.mark.parametrize("limit", [["--seconds", "0"], ["--seconds", "nan"], ["--workers", "0"]])
def test_limits_without_sense_are_refused(
    limit: list[str], saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["solve", str(saved), *limit]) == 2
    assert limit[0] in capsys.readouterr().err
