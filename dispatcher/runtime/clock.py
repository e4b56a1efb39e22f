"""The only reader of the system clock: `now_ms` and `sleep`, in the time of the day that is played."""

from __future__ import annotations

import asyncio
import time
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

    Processes that are told the same three numbers show the same time.
    """

    def __init__(self, start_ms: int, anchor_unix_s: float, speed: float) -> None:
        if speed <= 0:
            raise ValueError(f"a clock's speed is above 0, not {speed}\nMaybe leave it out for real time.")
        self.start_ms = start_ms
        self.anchor_unix_s = anchor_unix_s
        self.speed = speed

    def now_ms(self) -> int:
        """Clock time, ms since the epoch."""
        return self.start_ms + int((time.time() - self.anchor_unix_s) * 1000 * self.speed)

    def real_s(self, clock_s: float) -> float:
        """Clock seconds as real seconds."""
        return clock_s / self.speed

    async def sleep(self, clock_s: float) -> None:
        """Until so many clock seconds have passed."""
        await asyncio.sleep(max(0.0, self.real_s(clock_s)))


def make_clock(start_ms: int, anchor_unix_s: float, speed: float) -> Clock:
    """The clock of the settings CLOCK_START_MS, CLOCK_ANCHOR_S and CLOCK_SPEED; speed 0: real time."""
    return ScaledClock(start_ms, anchor_unix_s, speed) if speed else SystemClock()
