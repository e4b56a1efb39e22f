"""Whether requests come in fast just now: what can wait gives way to them, as it does to every solve.

Of the markets that this process has: their matcher hears of each request that comes. For so long and no
longer: where it never calms down, what waits goes on beside it at its low priority.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

HOT = 20.0  # requests, counted over some WINDOW_S
WINDOW_S = 1.0
LONGEST_S = 60.0  # that one piece of work waits for it in all, real seconds
Wall = Callable[[], float]


@dataclass(eq=False)
class Arrivals:
    """How many came lately; each counts less the longer ago it is."""

    wall: Wall = time.monotonic
    _lately: float = 0.0
    _at: float = 0.0

    def note(self, number: int) -> None:
        """So many came now."""
        self._lately, self._at = self.lately() + number, self.wall()

    def lately(self) -> float:
        """About how many came in the last WINDOW_S."""
        return self._lately * math.exp((self._at - self.wall()) / WINDOW_S)

    def hot(self) -> bool:
        """Whether that is many."""
        return self.lately() >= HOT


@dataclass(eq=False)
class GivesWay:
    """Whether one piece of work waits now: always while `solving`; while it is `hot`, `most_s` in all."""

    solving: Callable[[], bool]
    hot: Callable[[], bool] = lambda: False
    most_s: float = LONGEST_S
    wall: Wall = time.monotonic
    waited_s: float = 0.0
    _since: float | None = field(default=None)

    def __call__(self) -> bool:
        """Asked again and again while the work lasts: what it waited is counted from call to call."""
        now = self.wall()
        self.waited_s += 0.0 if self._since is None else now - self._since
        self._since = None
        if self.solving():
            return True
        if self.waited_s < self.most_s and self.hot():
            self._since = now
            return True
        return False
