"""Imminent rides by the clock: what was not heard is lost; a turn is compared by rate and side."""

from __future__ import annotations

from benchmarks import imminent
from benchmarks.imminent_load import Told


def _told(waits_ms: list[float], *, sent: int) -> Told:
    told = Told(sent_s={f"now-{each}": float(each) for each in range(sent)}, late_ms=[0.0] * sent)
    told.waits_ms = {f"now-{each}": wait for each, wait in enumerate(waits_ms)}
    return told


def test_a_ride_without_a_match_is_lost_and_the_first_seconds_are_told_apart() -> None:
    found = imminent.figures_of(_told([90.0, 20.0, 5.0, 7.0], sent=5), 50, matcher_s=0.05, web_s=0.01)
    assert (found["rides"], found["lost"]) == (5, 1)
    assert (found["p50_ms"], found["p99_ms"], found["first_p99_ms"]) == (20.0, 90.0, 90.0)
    assert (found["matcher_cpu_ms_a_ride"], found["web_cpu_ms_a_ride"]) == (10.0, 2.0)
    assert imminent.figures_of(_told([5.0] * 100, sent=100), 50, 0, 0)["first_p99_ms"] == 5.0


def test_turns_are_compared_by_side_and_rate() -> None:
    turns = [{"of": of, "rate": rate, "lost": 0, "p50_ms": p50} for of, rate, p50 in (
        ("here", 50, 5.0), ("beside", 50, 9.0), ("here", 50, 7.0), ("here", 100, 8.0),
    )]  # fmt: skip
    found = imminent.compared(turns, [50, 100])
    assert found["here_50"] == {"lost": 0, "p50_ms": 6.0}
    assert found["beside_50"]["p50_ms"] == 9.0
    assert "beside_100" not in found
    assert "here_100" in imminent.told(found)
