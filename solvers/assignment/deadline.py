"""When to stop: where the optimiser reads a clock, and only to measure how much of its limit is gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

WORK_PER_SECOND: Final = 3_000_000  #: steps of work that stand for a second of a thread
Stop = Callable[[], bool] | threading.Event | None


class Stopped(Exception):
    """The caller asked to stop, amid something that is of no use half done: no error, but the way out."""


@dataclass
class Deadline:
    """A time limit in seconds from now, a caller's wish to stop and, for repeatable runs, a limit on work.

    Work is counted in the stages' own steps (one annealing move, one priced column ...), never in seconds.
    """

    time_limit_s: float
    stop: Stop = None
    work_limit: int | None = None
    work: int = 0
    started: float = field(default_factory=time.monotonic)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    @property
    def budget_s(self) -> float:
        """The limit in seconds, or the work limit in what stands for them."""
        return self.time_limit_s if self.work_limit is None else self.work_limit / WORK_PER_SECOND

    @property
    def left_s(self) -> float:
        """Seconds left; infinite when only work counts, 0 when stopped or out of work."""
        if self.stopped or (self.work_limit is not None and self.work >= self.work_limit):
            return 0.0
        return float("inf") if self.work_limit is not None else max(0.0, self.time_limit_s - self.elapsed_s)

    @property
    def fraction(self) -> float:
        """How much of the time, or of the work where that is what counts, is gone; 1 when stopped."""
        if self.stopped:
            return 1.0
        if self.work_limit is not None:
            return self.work / max(1, self.work_limit)
        return self.elapsed_s / max(1e-9, self.time_limit_s)

    @property
    def stopped(self) -> bool:
        """Whether the caller asked to stop: an event that is set, or a function that says so."""
        if self.stop is None:
            return False
        return self.stop.is_set() if isinstance(self.stop, threading.Event) else bool(self.stop())

    def look(self) -> None:
        """Raise `Stopped` if the caller asked to stop: between parts of what no time limit cuts short."""
        if self.stopped:
            raise Stopped

    @property
    def over(self) -> bool:
        """Whether nothing is left."""
        return self.left_s <= 0

    def part(self, limit_s: float, stop: Callable[[], bool] = lambda: False) -> Deadline:
        """At most so many seconds of what is left, or the work that stands for them; ends with it, too.

        Its work is not yet counted as the whole's.
        """

        def ended() -> bool:
            return self.stopped or stop()

        if self.work_limit is None:
            return Deadline(min(limit_s, self.left_s), ended)
        return Deadline(limit_s, ended, min(int(limit_s * WORK_PER_SECOND), self.work_limit - self.work))
