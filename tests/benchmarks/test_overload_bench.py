"""The overload benchmark gives every figure, and loses nothing."""

from __future__ import annotations

import json

import pytest

from dispatcher import cli


def test_a_short_run_gives_all_figures_and_every_202_is_stored(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench", "overload", "--seconds", "0.2", "--only", "dishonest, 600", "--json", "-"]) == 0
    figures = json.loads(capfd.readouterr().out)
    assert figures["lost"] == 0
    (seen,) = figures["crowds"].values()
    assert seen["goodput_per_s"] > 0
    assert seen["goodput_ratio"] == pytest.approx(seen["goodput_per_s"] / seen["rated_per_s"], abs=0.02)
    for kind in ("platform", "vendor", "readyz", "new_connection"):
        assert figures["idle"][f"{kind}_p99_ms"] > 0
        assert seen[f"{kind}_p99_ms"] > 0
