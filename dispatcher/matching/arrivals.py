"""Whether requests come in fast just now, or imminent ones are matched: what can wait gives way to them.

Of the markets that this process has: their matcher hears of each request that comes. For so long and no
longer: where it never calms down, what waits goes on beside it at its low priority.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

HOT = 20.0  # requests, counted over some WINDOW_S
WINDOW_S = 1.0
#: real seconds in which the next imminent request follows the last where they come in a stream
STREAM_S = 30.0
JUST_S = 0.25  # real seconds that the next imminent request is waited for
CALM_S = 0.25  # real seconds that a timer waits for them at the most
LONGEST_S = 60.0  # that one piece of work waits for it in all, real seconds
Wall = Callable[[], float]


@dataclass(eq=False)
class Recent:
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


@dataclass(eq=False)
class Arrivals(Recent):
    """What came lately, and whether imminent requests are among it."""

    _offered_at: float = -math.inf  # when an imminent request was, last
    _at_hand: int = 0  # markets whose imminent requests are being matched
    _calm: asyncio.Event = field(default_factory=asyncio.Event)

    @contextlib.contextmanager
    def at_hand(self) -> Iterator[None]:
        """While imminent requests are being matched."""
        self._at_hand += 1
        self._calm.clear()
        try:
            yield
        finally:
            self._at_hand -= 1
            if not self._at_hand:
                self._calm.set()

    async def calm(self) -> None:
        """Until none is being matched, in this process; after CALM_S at the latest."""
        if self._at_hand:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CALM_S):
                    await self._calm.wait()

    def offered(self, number: int) -> None:
        """So many imminent requests have a vendor now."""
        if number:
            self._offered_at = self.wall()

    def imminent(self) -> bool:
        """Whether imminent requests come in a stream: one is being matched, or had its offer of late.

        It is asked before a solve, which lasts for seconds: the next would come while it does.
        """
        return bool(self._at_hand) or self.wall() - self._offered_at < STREAM_S

    def hot(self) -> bool:
        """Whether that is many, or an imminent one had its offer just now: others come with it."""
        return self.lately() >= HOT or self.wall() - self._offered_at < JUST_S


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
