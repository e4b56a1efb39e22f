"""What can wait gives way to what is asked, and makes haste when nothing is."""

from __future__ import annotations

import pytest

from dispatcher.runtime.pace import LEAST, LONGEST_S, MOST, Pace, Rate


class Clocks:
    """Of the wall, and of what the thread used."""

    def __init__(self) -> None:
        self.wall = self.used = 0.0

    def pass_by(self, seconds: float, busy: float) -> None:
        self.wall += seconds
        self.used += seconds * busy


def _rest_s(busy: float, took_s: float = 0.01) -> float:
    """After so much work, on a thread that was busy for so much of the second before."""
    clocks = Clocks()
    pace = Pace(lambda: clocks.wall, lambda: clocks.used)
    clocks.pass_by(0.99, busy)
    pace.begin()
    clocks.pass_by(took_s, 1.0)
    return pace.rest_s()


def test_a_thread_with_nothing_to_do_spends_half_of_its_time() -> None:
    assert _rest_s(0.0) == pytest.approx(0.01 * (1 / MOST - 1), rel=0.1)


def test_a_busy_thread_spends_little_of_it() -> None:
    assert _rest_s(1.0) == pytest.approx(0.01 * (1 / LEAST - 1))
    assert _rest_s(0.0) < _rest_s(0.5) < _rest_s(0.7) < _rest_s(1.0)


def test_nothing_waits_for_long() -> None:
    assert _rest_s(1.0, took_s=1.0) == LONGEST_S


def test_a_burst_goes_at_once_and_what_goes_on_keeps_to_the_rate() -> None:
    clocks = Clocks()
    rate = Rate(100, 5, lambda: clocks.wall)
    assert [rate.wait_s() for _ in range(5)] == [0.0] * 5
    for _ in range(20):
        wait_s = rate.wait_s()
        assert wait_s == pytest.approx(0.01)
        clocks.pass_by(wait_s, 0.0)
    clocks.pass_by(10.0, 0.0)
    assert [rate.wait_s() > 0 for _ in range(6)] == [False] * 5 + [True]
