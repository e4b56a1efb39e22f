"""The insertion benchmark measures ours and its peers on the same plan, and every answer is checked."""

from __future__ import annotations

import json

import pytest

from dispatcher import cli


def test_every_answer_of_ours_and_of_the_peers_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    options = [
        "--requests",
        "120",
        "--load",
        "overloaded",
        "--fresh",
        "12",
        "--cpsat",
        "4",
        "--batch-seconds",
        "1",
    ]
    assert cli.main(["bench", "insertion", *options, "--json", "-"]) == 0
    said = capsys.readouterr()
    figures = json.loads(said.out)
    few = figures["on_the_first"]
    rows = [figures["direct"], figures["polished"], figures["plain_python"]]
    assert all(
        row["checked"] and row["p50_ms"] <= row["p99_ms"] for row in [*rows, few["polished"], few["cpsat"]]
    )
    assert figures["polished"]["placed"] >= figures["direct"]["placed"], "moves only add places"
    assert "ours, polished" in said.err
