"""What the matcher is at, told to the jobs in a process beside it: what can wait gives way there as well."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Final

from dispatcher.matching.arrivals import Wall
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.serve.notice import Notice

TELL_S: Final = 0.05  # as often as work that can wait asks
AGAIN_S: Final = 0.3  # as often at the least, though nothing is new
FRESH_S: Final = 1.0  # real seconds; a matcher that has ended is at nothing


class Pressing:
    """On a notice that both processes inherited; without one nobody tells, and nothing is pressing."""

    def __init__(self, descriptor: int | None, wall: Wall = time.monotonic) -> None:
        """`wall`: a clock that both share, as processes of one machine do."""
        self._notice = None if descriptor is None else Notice(descriptor)
        self._wall = wall
        self._last = "", -math.inf

    def tell(self, *, solving: bool, hot: bool) -> None:
        """That a batch is solved; that requests come in fast. What was just told is not told again."""
        words, now_s = f"{'solving ' * solving}{'hot' * hot}", self._wall()
        said, at_s = self._last
        if self._notice is not None and (words != said or now_s - at_s >= AGAIN_S):
            self._notice.write(f"{now_s:.3f} {words}")
            self._last = words, now_s

    def solving(self) -> bool:
        """Whether a batch is solved, or waits for it."""
        return "solving" in self._told()

    def hot(self) -> bool:
        """Whether requests come in fast."""
        return "hot" in self._told()

    def _told(self) -> list[str]:
        """What is true now; nothing if that was told too long ago."""
        at, *words = (self._notice.read() if self._notice is not None else "").split() or ["-inf"]
        return words if self._wall() - float(at) < FRESH_S else []

    async def keep_telling(self, solving: Callable[[], bool], hot: Callable[[], bool]) -> None:
        """Until cancelled; where nobody listens, nothing."""
        while self._notice is not None and not cancel_requested():
            self.tell(solving=solving(), hot=hot())
            await asyncio.sleep(TELL_S)
        await asyncio.Event().wait()
