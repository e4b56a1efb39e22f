"""The bench of expected acceptance: what it says is nearer to what came than a constant is."""

from __future__ import annotations

from benchmarks.acceptance import brier, in_mode, played, sampled, told
from tests.what_if.days import day, ride, vendor


def test_what_is_expected_of_simulated_vendors_lies_between_a_constant_and_the_truth() -> None:
    found = brier(1, {}, vendors=12, days=42)
    assert found["truth"] < found["expected"] < found["by_vendor"] < found["constant"]
    assert abs(found["expected_mean"] - found["accepted_mean"]) < 0.03, "and is neither hopeful nor gloomy"


def test_a_day_is_told_by_offers_and_by_the_time_to_the_one_that_was_accepted() -> None:
    small = day([vendor(f"v{n}", 3_000 + n) for n in range(4)], [ride(n, 600 + 10 * n) for n in range(8)])
    figures = told(played(in_mode(small, "broadcast"), 1, {}))
    assert (figures["requests"], figures["accepted"] + figures["unmatched"]) == (8, 8)
    assert figures["offers_per_request"] >= 2
    assert 0 < figures["accepted_p50_s"] <= figures["accepted_p90_s"]


def test_a_share_of_a_day_has_that_share_of_its_requests() -> None:
    whole = day([vendor("v", 3_000)], [ride(n, 600) for n in range(9)])
    assert len(sampled(whole, 1 / 3).requests) == 3
    assert sampled(whole, 1.0) is whole
