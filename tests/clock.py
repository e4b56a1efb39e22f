"""The clock of the tests that move time by hand."""

from __future__ import annotations

import asyncio


class ManualClock:
    """Shows what a test sets. Who sleeps moves it on by so long, and takes no real time."""

    def __init__(self, now_ms: int) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        """Clock time, ms since the epoch."""
        return self.ms

    def real_s(self, clock_s: float) -> float:
        """The same: it runs no faster than real time, for it does not run."""
        return clock_s

    async def sleep(self, clock_s: float) -> None:
        """Until so many clock seconds have passed; others get their turn."""
        self.ms += int(max(0.0, clock_s) * 1000)
        await asyncio.sleep(0)
