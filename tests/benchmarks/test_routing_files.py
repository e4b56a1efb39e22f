"""Public routing instances: read however they were saved, refused by name where they are none."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.routes import instances
from benchmarks.routing_files import best_known, read_instance
from dispatcher.cli.bench import run
from dispatcher.runtime.errors import UserError
from solvers.routing.solve import solve

LI_LIM = """2 10 1
0 0 0 0 0 100 0 0 0
1 3 4 5 0 50 1 0 2
2 6 8 -5 0.5 60.5 1 1 0
3 -3.25 0 0 0 50 1 0 4
4 -6 0 0 0 60 1 3 0
"""
CORDEAU = """1 2 480 3 30
0 0 0 0 0 0 480
1 3 4 3 1 0 1440
2 -3 0 3 1 0 1440
3 6 8 3 -1 100 115
4 -6 0 3 -1 0 1440
"""
SPELLINGS = {
    "as it is": lambda text: text,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "a mark at its beginning": lambda text: "\ufeff" + text,
    "tabs, blanks and blank lines": lambda text: "\n" + text.replace(" ", "\t ").replace("\n", " \n\n"),
    "no last line end": lambda text: text.rstrip("\n"),
    "another order": lambda text: "\n".join([text.splitlines()[0], *reversed(text.splitlines()[1:])]),
}


def _saved(folder: Path, text: str, name: str = "one.txt") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("text", [LI_LIM, CORDEAU], ids=["Li and Lim", "Cordeau"])
def test_the_same_instance_however_it_was_saved(tmp_path: Path, text: str, spelling: str) -> None:
    problem = read_instance(_saved(tmp_path, SPELLINGS[spelling](text))).problem
    assert problem.travel[1, 2] == (5.0 if text == LI_LIM else np.hypot(6, 4))
    assert dict(zip(problem.pickup.tolist(), problem.delivery.tolist(), strict=True)) == (
        {1: 2, 3: 4} if text == LI_LIM else {1: 3, 2: 4}
    )
    assert (problem.few_vehicles, problem.ride_limit) == ((True, np.inf) if text == LI_LIM else (False, 30))


def test_the_depot_may_stand_at_the_end_once_more_and_nodes_may_be_counted(tmp_path: Path) -> None:
    more = CORDEAU.replace("1 2 480", "1 4 480") + "5 0 0 0 0 0 470\n"
    assert read_instance(_saved(tmp_path, more)).problem.latest.tolist() == [470, 1440, 1440, 115, 1440]


def test_json_tells_when_requests_become_known(tmp_path: Path) -> None:
    end = {"x_coord": 3, "y_coord": 4}
    request = {
        "id": 1, "pickup_location": end, "delivery_location": {"x_coord": 6, "y_coord": 8},
        "load": 1, "arrival_time": 7,
        **{f"{which}_{what}": value for which in ("pickup", "delivery")
           for what, value in (("lower_tw", 0), ("upper_tw", 90), ("service_time", 2))},
    }  # fmt: skip
    info = {
        "problem": "ddarp", "number_of_vehicles": 1, "vehicle_capacity": 2, "max_ride_time": 30,
        "max_route_time": 480, "planing_horizon": 1440, "depot_location": {"x_coord": 0, "y_coord": 0},
    }  # fmt: skip
    found = read_instance(_saved(tmp_path, json.dumps({"static_info": info, "requests": [request]})))
    assert (found.arrival is not None) and found.arrival.tolist() == [7]
    assert found.problem.load.tolist() == [0, 1, -1]
    del info["vehicle_capacity"]
    with pytest.raises(UserError, match="lacks 'vehicle_capacity'"):
        read_instance(_saved(tmp_path, json.dumps({"static_info": info, "requests": [request]})))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is empty"),
        ("hello\n", "line 1 holds 'hello'"),
        ("1 2 3 4\n", "its first line has 4 numbers"),
        (LI_LIM.replace("3 4 5 0", "3 4 5"), "node 1 has 8 numbers, not 9"),
        (LI_LIM.replace("\n4 ", "\n3 "), "node 3 is there twice"),
        (LI_LIM.replace("\n4 ", "\n7 "), "node 4 is missing"),
        (LI_LIM.replace("1 1 0\n", "1 3 0\n"), "do not name each other"),
        (LI_LIM.replace(" 2\n", " 99\n"), "do not name each other"),
        (LI_LIM.replace("2 10 1", "0 10 1"), "vehicles: there are 0"),
        (LI_LIM.replace("3 4 5", "3 4 5.5"), "a load is 5.5"),
        (LI_LIM.replace("3 4 5", "3 4 inf"), "line 3 holds a number without end"),
        (CORDEAU.replace("1 2 480", "1 9 480"), "tells of 9 requests, and 2 follow"),
        (CORDEAU.replace("4 -6 0 3 -1 0 1440\n", ""), "an odd number of stops"),
        ("{", "is no routing problem"),
        ("[]", "line 1 holds"),
        ('{"requests": []}', "lacks 'static_info'"),
        ('{"static_info": [], "requests": 3}', "is no routing problem"),
    ],
)
def test_what_is_none_is_refused_and_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UserError, match=told) as refused:
        read_instance(_saved(tmp_path, text))
    assert "one.txt" in str(refused.value)


def test_a_folder_is_run_and_set_beside_what_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _saved(tmp_path, LI_LIM, "li.txt"), _saved(tmp_path, CORDEAU, "cordeau.txt")
    _saved(tmp_path, json.dumps({"li": {"vehicles": 1, "distance": 30.848857801796104}}), "best_known.json")
    _saved(tmp_path, "30.848857801796104\nroutes\n", "cordeau.res")
    assert [path.name for path in instances([tmp_path])] == ["cordeau.txt", "li.txt"]
    known = best_known(tmp_path / "cordeau.txt")
    assert known is not None
    assert known.travel == 30.848857801796104
    words = argparse.Namespace(
        benchmark="routes", options=[str(tmp_path), *["--seconds", ".1", "--workers", "1", "--peer"]]
    )
    assert run(words) == 0
    rows = json.loads(capsys.readouterr().out)["runs"]
    assert [(row["contender"], row["vehicles"], row["travel"]) for row in rows] == [
        ("ours", 1, 30.85), ("ortools", 1, 30.85), ("ours", 1, 30.85), ("ortools", 1, 30.85),
    ]  # fmt: skip
    assert [row["over_best_known"] for row in rows] == pytest.approx([0.0] * 4)


def test_a_published_instance_is_planned_as_well_as_it_is_known(shared_data: Path) -> None:
    for name in ("darp/pr01.txt", "pdptw/lc101.txt"):
        path = shared_data / name
        known, instance = best_known(path), read_instance(path)
        found = solve(instance.problem, time_limit_s=1e9, seed=1, rounds=4_000)
        assert known is not None
        assert found.left_out == 0
        assert found.travel == pytest.approx(known.travel, rel=0.02)
        assert known.vehicles is None or found.vehicles == known.vehicles
