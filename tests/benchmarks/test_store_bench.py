"""The store's benchmark goes the service's way: each step of a request, and what it costs to keep."""

from __future__ import annotations

import json

import pytest

from dispatcher import cli

OPEN_STATES = ["received", "offered", "accepted"]


def test_a_short_run_gives_throughput_delays_and_bytes(capfd: pytest.CaptureFixture[str]) -> None:
    words = [
        "bench",
        "store",
        "--requests",
        "60",
        "--concurrency",
        "8",
        "--open",
        "40",
        "--json",
        "-",
        "--replicas",
        "1",
    ]
    assert cli.main(words) == 0
    figures = json.loads(capfd.readouterr().out)
    assert figures["commits_per_s"] > 0
    assert figures["offer_commits_per_s"] > 0
    for name in ("replicated", "waited"):
        assert figures[name]["commits_per_s"] > 0
        assert figures[name]["of_alone"] > 0
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]
    assert 0 < figures["offer_p50_ms"] <= figures["offer_p99_ms"]
    by_state = figures["bytes_per_open_request"]
    assert list(by_state) == OPEN_STATES
    for bytes_each in by_state.values():
        assert bytes_each["just_written"] >= bytes_each["record"] + bytes_each["request_and_patient"] > 0
        assert min(bytes_each["idempotency"], bytes_each["timer_and_index"], bytes_each["events"]) > 0


def test_what_is_read_and_acknowledged_costs_nothing_an_hour_later(
    capfd: pytest.CaptureFixture[str],
) -> None:
    words = ["bench", "store", "--requests", "1", "--concurrency", "1", "--open", "40", "--json", "-"]
    assert cli.main(words) == 0
    offered = json.loads(capfd.readouterr().out)["bytes_per_open_request"]["offered"]
    assert offered["ledger"] > 0, "an offer takes capacity"
    assert offered["an_hour_later"] < offered["just_written"]
