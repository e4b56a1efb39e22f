"""A small day is played step by step, ends, and is judged by the audit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dispatcher import cli

TRIPS = "ID,ride_time,ride_lat,ride_lon,alight_lat,alight_lon,dispatch_time,type\n"
VEHICLES = "cartype,work_start,work_end,lat,lon\n"


@pytest.mark.parametrize("limit", [0, 3])
def test_a_small_day_ends_with_every_request_matched_or_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], limit: int
) -> None:
    rides = [f"{n},{600 + 5 * n},37.56,126.97,37.57,126.99,0,{n % 2}\n" for n in range(6)]
    (tmp_path / "trips.csv").write_text(TRIPS + "".join(rides))
    (tmp_path / "vehicles.csv").write_text(VEHICLES + "1,7,22,37.56,126.97\n0,7,22,37.57,126.98\n")
    options = ["--day", str(tmp_path), "--step", "30", "--slower", "2", "--tune", f"move_limit={limit}"]
    assert cli.main(["bench", "moves", *options, "--json", "-"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["requests"] == figures["matched"] + figures["unmatched"] == 6
    assert figures["findings"] == []
