"""A day at any speed: one clock for all processes, and sleep in its time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dispatcher.runtime.clock import ScaledClock, SystemClock, begin, make_clock, slow_down


def test_processes_that_are_told_the_same_show_the_same_time_and_it_runs_at_its_speed() -> None:
    anchor = time.time() - 10
    here, there = (make_clock(1_000_000, anchor, 720.0) for _ in range(2))
    first, second = here.now_ms(), there.now_ms()
    assert first >= 1_000_000 + 10_000 * 720
    assert second >= first
    assert here.real_s(720) == 1.0


async def test_sleep_takes_as_long_as_the_clock_says_it_takes() -> None:
    clock = ScaledClock(0, time.time(), 3_600.0)
    before = clock.now_ms()
    await clock.sleep(60)
    assert clock.now_ms() - before >= 59_000
    await clock.sleep(-1)


async def test_without_a_speed_it_is_the_systems_clock() -> None:
    clock = make_clock(0, 0.0, 0.0)
    assert isinstance(clock, SystemClock)
    assert abs(clock.now_ms() - time.time() * 1000) < 60_000
    assert clock.real_s(5) == 5
    await clock.sleep(0)


def test_a_clock_that_stands_still_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        ScaledClock(0, 0.0, -1.0)


def test_a_clock_that_waits_for_its_file_stands_still_until_it_begins_and_never_steps_back(
    tmp_path: Path,
) -> None:
    begins = tmp_path / "clock"
    here, there = (make_clock(1_000, 0.0, 3_600.0, begins) for _ in range(2))
    assert here.now_ms() == there.now_ms() == 1_000
    begin(begins, in_s=3_600.0)
    assert here.now_ms() == 1_000
    begin(begins, in_s=-10.0)  # it has begun for `here`; `there` had not looked yet
    assert here.now_ms() == 1_000
    assert there.now_ms() >= 1_000 + 10_000 * 3_600


def test_a_day_that_was_played_goes_on_in_real_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 1_000.0
    monkeypatch.setattr("dispatcher.runtime.clock.time.time", lambda: now_s)
    begins = tmp_path / "clock"
    begin(begins)
    here, there = (make_clock(0, 0.0, 3_600.0, begins) for _ in range(2))
    now_s += 1.0
    assert here.now_ms() == 3_600_000
    assert here.real_s(3_600.0) == 1.0
    in_s = slow_down(begins)
    now_s += in_s - 1.0
    late = here.now_ms()  # it has looked
    now_s += 11.0
    fast_ms = int((1.0 + in_s) * 3_600_000)
    assert late < here.now_ms() == there.now_ms() == fast_ms + 10_000
    assert here.real_s(3_600.0) == 3_600.0


def test_a_clock_that_looks_too_late_whether_it_is_to_go_slow_does_not_step_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 1_000.0
    monkeypatch.setattr("dispatcher.runtime.clock.time.time", lambda: now_s)
    begins = tmp_path / "clock"
    begin(begins)
    clock = make_clock(0, 0.0, 3_600.0, begins)
    assert clock.now_ms() == 0
    in_s = slow_down(begins)
    now_s += in_s + 10.0
    looked_ms = clock.now_ms()
    assert looked_ms == int((in_s + 10.0) * 3_600_000)
    now_s += 1.0
    assert clock.now_ms() == looked_ms + 1_000
