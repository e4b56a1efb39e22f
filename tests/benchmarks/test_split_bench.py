"""`bench split`: a row for each number of parts, compared with the unsplit plan of the same day."""

from __future__ import annotations

import json

import pytest

from benchmarks.split import against_unsplit
from dispatcher import cli


def test_rows_are_compared_with_the_unsplit_one() -> None:
    rows = [{"parts": 1, "cost": 2_000}, {"parts": 4, "cost": 2_003}]
    assert [each["seam_percent"] for each in against_unsplit(rows)] == [0.0, 0.15]
    assert against_unsplit(rows[1:]) == rows[1:]


def test_a_small_day_is_solved_in_each_number_of_parts(capfd: pytest.CaptureFixture[str]) -> None:
    words = ["--requests", "300", "--vendors", "30", "--parts", "1,2", "--seconds", "0.2", "--workers", "1"]
    assert cli.main(["bench", "split", *words]) == 0
    rows = json.loads(capfd.readouterr().out)["rows"]
    assert [each["parts"] for each in rows] == [1, 2]
    assert all(each["cost"] > 0 and 25 <= each["vendors"] <= 35 for each in rows)
