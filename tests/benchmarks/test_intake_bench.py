"""The intake benchmark measures what it says, and loses nothing on the way."""

from __future__ import annotations

import json

import pytest

from dispatcher import cli


def test_a_short_run_gives_all_figures_and_every_202_is_stored(capfd: pytest.CaptureFixture[str]) -> None:
    words = ["bench", "intake", "--seconds", "0.3", "--connections", "8", "--warm-up", "50"]
    assert cli.main([*words, "--listeners", "20", "--json", "-"]) == 0
    figures = json.loads(capfd.readouterr().out)
    assert figures["answered_202"] > 0
    assert (figures["unexpected"], figures["lost"]) == (0, 0)
    assert figures["ratio"] == pytest.approx(figures["ours_per_s"] / figures["bare_per_s"], abs=0.01)
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]
    assert (figures["unheard"], figures["heard_twice"], figures["out_of_order"]) == (0, 0, 0)
    assert min(figures["web_cpu_us_per_202"], figures["listened_p50_ratio"]) > 0
    assert 0 < figures["web_process_idle_mb"] <= 120
    assert figures["redis_bytes_per_open_request"] > 0
