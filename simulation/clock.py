"""The clock that a day is played by; `dispatcher.runtime.clock` has two that fit."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Clock time may run faster than real time."""

    def now_ms(self) -> int:
        """Clock time, ms since the epoch."""

    def real_s(self, clock_s: float) -> float:
        """How many real seconds so many clock seconds take."""

    async def sleep(self, clock_s: float) -> None:
        """Until so many clock seconds have passed."""
