"""`bench night`: a day that can be served, what became of each request, and a whole small night."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from datetime import date
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from benchmarks import night
from benchmarks.night_day import NightDay
from benchmarks.night_load import Became
from contracts.codes import Priority
from contracts.instants import to_ms
from dispatcher import cli

TZ = ZoneInfo("America/New_York")
ON = date(2026, 11, 30)


def test_a_day_is_the_same_from_its_seed_and_every_vendor_posts_something() -> None:
    day, again = (NightDay.drawn(200, 30, on=ON, tz=TZ) for _ in range(2))
    vendors, requests = list(day.vendors()), list(day.requests())
    assert requests == list(again.requests())
    assert len(requests) == len({each.id for each in requests}) == 200
    assert 25 <= len(vendors) <= 35
    assert all(any(pool.units) for _, pools in vendors for pool in pools.pools)
    windows = [each.pickup_window if each.is_trip else each.window for each in requests]  # type: ignore[union-attr]
    assert all(each is not None and to_ms(each.earliest) >= day.midnight_ms for each in windows)


def _record(offers: int = 0, *, told: bool = False) -> Any:
    why = SimpleNamespace(competition=False, last_rule="capacity") if told else None
    return SimpleNamespace(live_offers=("",) * offers, unmatched=why, priority=Priority.ROUTINE)


def test_what_is_neither_offered_nor_explained_is_lost() -> None:
    became = Became()
    for record, cost in ((_record(1), 700), (_record(2), 300), (_record(told=True), None), (_record(), None)):
        became.count(record, cost)
    became.count(None, None)
    became.count(_record(1), None)  # its match was told nobody
    assert (became.offered, became.explained, became.lost, became.twice) == (2, 1, 3, 1)
    assert became.cost_cents == 1_000 + 50_000
    assert became.why == {"capacity": 1}


@pytest.mark.parametrize("wrong", [{"lost": 1}, {"twice": 1}, {"decided_s": None}])
def test_a_night_that_loses_doubles_or_does_not_end_fails(wrong: Mapping[str, Any]) -> None:
    sound = {"lost": 0, "twice": 0, "decided_s": 3.0}
    assert not night.failed(sound)
    assert night.failed(sound | wrong)


def test_sides_are_compared_by_their_medians() -> None:
    turns = [
        {"of": of, "decided_s": s, "lost": 0} for of, s in (("here", 3.0), ("beside", 9.0), ("here", 5.0))
    ]
    found = night.compared(turns)
    assert (found["here"], found["beside"]["decided_s"]) == ({"decided_s": 4.0, "lost": 0}, 9.0)


def test_a_process_that_has_ended_has_no_memory_to_tell_of() -> None:
    ended = subprocess.Popen(["true"])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # it is dead, and nobody has heard of it
    assert night._memory(ended.pid) == {"matcher_peak_mb": None, "solver_peak_mb": None}
    ended.wait()
    assert night._peak_mb(ended.pid) is None


def test_a_small_night_is_decided_and_nothing_is_lost(capfd: pytest.CaptureFixture[str]) -> None:
    words = ["--requests", "60", "--vendors", "12", "--seconds", "0.1", "--a-call", "20"]
    assert cli.main(["bench", "night", *words]) == 0
    (seen,) = json.loads(capfd.readouterr().out)["turns"]
    assert seen["offered"] + seen["explained"] == 60
    assert sum(each["offered"] for each in seen["batches"]) == seen["offered"] > 30
    assert seen["cost_cents"] > 0
    assert min(seen["matcher_peak_mb"], seen["solver_peak_mb"]) > 20
