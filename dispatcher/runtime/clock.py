"""The only reader of the system clock: `now_ms` and `sleep`, in the time of the day that is played."""

from __future__ import annotations

import asyncio
import math
import time
from pathlib import Path
from typing import Protocol

LOOK_EVERY_S = 2.0  # real seconds; at a file that may say that the clock goes slow


class Clock(Protocol):
    """Clock time may run faster than real time; compute budgets and time-outs stay real seconds."""

    def now_ms(self) -> int:
        """Clock time, ms since the epoch."""

    def real_s(self, clock_s: float) -> float:
        """How many real seconds so many clock seconds take."""

    async def sleep(self, clock_s: float) -> None:
        """Until so many clock seconds have passed."""


class SystemClock:
    """Real time."""

    def now_ms(self) -> int:
        """Ms since the epoch."""
        return time.time_ns() // 1_000_000

    def real_s(self, clock_s: float) -> float:
        """The same."""
        return clock_s

    async def sleep(self, clock_s: float) -> None:
        """Until so many seconds have passed."""
        await asyncio.sleep(max(0.0, clock_s))


def unix_s() -> int:
    """Real time, whatever is played here: for what others hold against their own clocks."""
    return int(time.time())


class ScaledClock:
    """A day at any speed: it showed `start_ms` at Unix time `anchor_unix_s` and runs `speed` times as fast.

    Processes that are told the same three numbers show the same time. With `begins`, a file, the anchor is
    what stands in it (see `begin`): until it is there, the clock stands still. It may say as well from when
    on the clock goes as real time does (see `slow_down`).
    """

    def __init__(self, start_ms: int, anchor_unix_s: float, speed: float, begins: Path | None = None) -> None:
        if speed <= 0:
            raise ValueError(f"a clock's speed is above 0, not {speed}\nMaybe leave it out for real time.")
        self.start_ms, self.begins, self.speed = start_ms, begins, speed
        self.anchor_unix_s: float | None = anchor_unix_s if begins is None else None
        self._slow_s, self._look_s = math.inf, math.inf  # Unix time: slow from then on; when to look again

    def now_ms(self) -> int:
        """Clock time, ms since the epoch."""
        now_s = time.time()
        if self.anchor_unix_s is None or now_s > self._look_s:
            self._look(now_s)
        if self.anchor_unix_s is None:
            return self.start_ms
        fast_s = min(now_s, self._slow_s) - self.anchor_unix_s
        if self.begins is not None:
            fast_s = max(0.0, fast_s)  # it stood still until now: it must not step back
        return self.start_ms + int(1000 * (fast_s * self.speed + max(0.0, now_s - self._slow_s)))

    def real_s(self, clock_s: float) -> float:
        """Clock seconds as real seconds."""
        return clock_s / (self.speed if time.time() < self._slow_s else 1.0)

    async def sleep(self, clock_s: float) -> None:
        """Until so many clock seconds have passed."""
        await asyncio.sleep(max(0.0, self.real_s(clock_s)))

    def _look(self, now_s: float) -> None:
        anchor_s, slow_s = _read(self.begins)
        if self.anchor_unix_s is None:
            self.anchor_unix_s, self._slow_s = anchor_s, slow_s
        else:
            self._slow_s = max(slow_s, now_s)  # who looks too late must not step back
        known = self.anchor_unix_s is None or slow_s < math.inf
        self._look_s = math.inf if known else now_s + LOOK_EVERY_S


def begin(begins: Path, in_s: float = 0.0) -> None:
    """Let the clocks that wait for this file run, `in_s` real seconds from now. Once begun, that stays."""
    _write(begins, repr(time.time() + in_s))


def slow_down(begins: Path) -> float:
    """Let the clocks that run by this file go as real time does, once all saw it; real seconds until then."""
    anchor_s, _ = _read(begins)
    in_s = 2 * LOOK_EVERY_S
    _write(begins, f"{anchor_s!r} {time.time() + in_s!r}")
    return in_s


def _write(begins: Path, text: str) -> None:
    draft = begins.with_suffix(".new")
    draft.write_text(text, encoding="ascii")
    draft.replace(begins)


def _read(begins: Path | None) -> tuple[float | None, float]:
    """The anchor, and from when on it is slow: inf for never.

    Raises ValueError, and OSError for a file that is there and cannot be read.
    """
    try:
        words = begins.read_text(encoding="ascii").split() if begins else []
    except FileNotFoundError:
        return None, math.inf
    times = [float(each) for each in words]
    if begins and not (1 <= len(times) <= 2 and all(map(math.isfinite, times))):
        raise ValueError("it is no time")
    return (times[0] if times else None), (times[1] if len(times) == 2 else math.inf)


def make_clock(
    start_ms: int, anchor_unix_s: float, speed: float, begins: Path | None = None
) -> SystemClock | ScaledClock:
    """The clock of the settings CLOCK_…: start, anchor, speed (0: real time), file."""
    return ScaledClock(start_ms, anchor_unix_s, speed, begins) if speed else SystemClock()
