"""`bench scale`: the line through what was measured, and the night worked out of it, by hand and by code."""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

import pytest

from benchmarks import scale
from benchmarks.scale_model import ASSUMED, fitted, night
from benchmarks.scale_page import MEASURED, filled, full, measured, scaling, worked_out
from benchmarks.scale_seen import PARTS, cpu_s, machine_cpu_s, spent, tree_cpu_s
from dispatcher.runtime.own_packages import HOME


def row(markets: int, cpu_s: float, **more: float) -> dict[str, Any]:
    of_each = {f"{part}_cpu_ms": 1.0 for part in PARTS} | {
        "store_bytes_a_request": 2_000,
        "stream_bytes_a_request": 500,
        "in_bytes_a_request": 3_000,
        "out_bytes_a_request": 1_000,
        "saved_bytes_a_request": 400,
        "idle_bytes_a_market_s": 10_000,
        "idle_cpu_share_a_market": 0.01,
        "idle_store_cpu_share_a_market": 0.002,
    }
    return {"markets": markets, "requests": 100 * markets, "net_cpu_s": cpu_s} | of_each | more


def test_a_line_is_fitted_and_figures_are_weighed_by_their_requests() -> None:
    found = fitted([row(1, 3.0, web_cpu_ms=4.0), row(2, 5.0), row(4, 9.0)])
    assert (found["fixed_cpu_s"], found["cpu_s_a_market"], found["explained"]) == (1.0, 2.0, 1.0)
    assert found["weak_scaling"] == round(3.0 / (9.0 / 4), 3)
    assert found["web_cpu_ms"] == round((4.0 + 2 + 4) / 7, 4)


def test_of_one_row_its_cost_is_that_of_a_market() -> None:
    found = fitted([row(2, 5.0)])
    assert (found["fixed_cpu_s"], found["cpu_s_a_market"], found["weak_scaling"]) == (0.0, 2.5, 1.0)


def test_a_night_is_what_its_assumptions_make_of_it() -> None:
    found = night(fitted([row(1, 1.0)]), 48, 900_000, 2)
    peak = 900_000 / 7_200 * ASSUMED["peak_over_mean"]
    assert found["peak_per_s"] == peak == 375.0
    assert found["web_cores"] == round(peak * 0.001 / ASSUMED["use"], 1)
    assert found["matcher_cores"] == round(peak * 0.001 / ASSUMED["use"] + 48 * 0.01, 1)
    assert found["solver_cores"] == round(48 * 60 * 2 / 900 / 0.6, 1)
    assert found["store_data_gb"] == 1.8
    assert found["store_memory_gb"] == round(1.8 * 1.6 * 2, 2)
    assert found["broker_mb_a_market"] == round(18_750 * 400 / 1e6, 2)
    assert found["assumed"] == ASSUMED


def test_what_was_not_matched_is_lost_and_costs_are_told_by_the_request() -> None:
    times = {"requests": 50, "refused": 0, "began": 10.0, "taken": 11.0, "cpu_s": 0.25}
    told = [times | {"matched": 50, "ended": 12.0}, times | {"matched": 49, "ended": 13.0}]
    used = {f"{part}_cpu_s": 0.5 for part in PARTS} | {"commands": 1_000, "in_bytes": 200_000, "out_bytes": 0}
    used |= {"machine_cpu_s": 6.0}
    found = spent(
        told, dict.fromkeys(used, 0.1) | {"seconds": 1.0}, used | {"seconds": 3.0},
        empty={"memory": 1_000}, after={"memory": 201_000}, streams=10_000, saved=5_000,
    )  # fmt: skip
    assert (found["markets"], found["requests"], found["lost"]) == (2, 100, 1)
    assert (found["taken_per_s"], found["matched_per_s"], found["matched_per_core_s"]) == (100.0, 33.3, 100.0)
    assert (found["web_cpu_ms"], found["store_bytes_a_request"], found["commands_a_request"]) == (
        2.0,
        2_000,
        10.0,
    )
    assert found["idle_cpu_share_a_market"] == 0.25, "of five parts"
    assert (found["generator_cpu_ms"], found["cores_used"], found["cores_of_others"]) == (5.0, 1.0, 1.0)


def test_processor_time_is_told_of_a_process_and_of_all_below_it() -> None:
    own, below = tree_cpu_s(os.getpid())
    assert own > 0
    assert below >= 0


def test_processor_time_is_told_finer_than_the_ticks_of_a_clock() -> None:
    before_s = cpu_s(os.getpid())
    sum(range(10_000))
    assert before_s < cpu_s(os.getpid()) <= time.process_time()
    assert machine_cpu_s() > 0


def test_the_page_gets_its_tables_from_the_figures() -> None:
    rows = [row(1, 1.0) | dict.fromkeys(MEASURED, 7.0), row(2, 2.1) | dict.fromkeys(MEASURED, 6.3)]
    fit = fitted(rows)
    told = worked_out(night(fit, 48, 900_000, 2))
    parts = {"measured": measured(rows), "line": scaling(rows, fit), "full": full(rows), "night": told}
    page = (HOME / "docs" / "scale.md").read_text(encoding="utf-8")
    new = filled(page, parts)
    assert filled(new, parts) == new
    assert "| markets | 1 | 2 |\n|---|---|---|\n| requests | 7.0 | 6.3 |" in new
    assert "a core-second: 2: 90%." in new
    assert "| 2 | 90% | 90% |" in new
    assert "| intake at its peak | 375 a second |" in new
    assert new.count("<!-- end -->") == page.count("<!-- end -->") == len(parts)


@pytest.mark.parametrize("text", ["0", "1,1", "", "65", "x"])
def test_markets_that_cannot_be_played_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        scale.counts_of(text)
