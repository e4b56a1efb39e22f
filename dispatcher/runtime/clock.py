"""The only reader of the system clock: `now_ms` and `sleep`, in the time of the day that is played."""

from __future__ import annotations

import asyncio
import math
import time
from pathlib import Path
from typing import Protocol


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


class ScaledClock:
    """A day at any speed: it showed `start_ms` at Unix time `anchor_unix_s` and runs `speed` times as fast.

    Processes that are told the same three numbers show the same time. With `begins`, a file, the anchor is
    what stands in it (see `begin`): until it is there, the clock stands still.
    """

    def __init__(self, start_ms: int, anchor_unix_s: float, speed: float, begins: Path | None = None) -> None:
        if speed <= 0:
            raise ValueError(f"a clock's speed is above 0, not {speed}\nMaybe leave it out for real time.")
        self.start_ms = start_ms
        self.anchor_unix_s: float | None = anchor_unix_s if begins is None else None
        self.begins = begins
        self.speed = speed

    def now_ms(self) -> int:
        """Clock time, ms since the epoch."""
        if self.anchor_unix_s is None:
            self.anchor_unix_s = _read(self.begins)
        passed_s = 0.0 if self.anchor_unix_s is None else time.time() - self.anchor_unix_s
        if self.begins is not None:
            passed_s = max(0.0, passed_s)  # it stood still until now: it must not step back
        return self.start_ms + int(passed_s * 1000 * self.speed)

    def real_s(self, clock_s: float) -> float:
        """Clock seconds as real seconds."""
        return clock_s / self.speed

    async def sleep(self, clock_s: float) -> None:
        """Until so many clock seconds have passed."""
        await asyncio.sleep(max(0.0, self.real_s(clock_s)))


def begin(begins: Path, in_s: float = 0.0) -> None:
    """Let the clocks that wait for this file run, `in_s` real seconds from now. Once begun, that stays."""
    draft = begins.with_suffix(".new")
    draft.write_text(repr(time.time() + in_s), encoding="ascii")
    draft.replace(begins)


def _read(begins: Path | None) -> float | None:
    """Raises ValueError, and OSError for a file that is there and cannot be read."""
    try:
        at_s = float(begins.read_text(encoding="ascii")) if begins else None
    except FileNotFoundError:
        return None
    if at_s is not None and not math.isfinite(at_s):
        raise ValueError("it is no time")
    return at_s


def make_clock(
    start_ms: int, anchor_unix_s: float, speed: float, begins: Path | None = None
) -> SystemClock | ScaledClock:
    """The clock of the settings CLOCK_…: start, anchor, speed (0: real time), file."""
    return ScaledClock(start_ms, anchor_unix_s, speed, begins) if speed else SystemClock()
