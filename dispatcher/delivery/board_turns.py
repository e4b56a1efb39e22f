"""When a board asks what happened, and when it tells: the more happens, the later.

What changes twice meanwhile is read and told once; a request that comes in a batch has its offer a moment
later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

EACH_S: Final = 0.002  #: so much later for each event there was …
LONGEST_S: Final = 1.0  #: … and no later than this: what is shown must not grow old


@dataclass
class Turns:
    """Of one board; moments are of one clock, in seconds."""

    _hear_at: float = 0.0
    _tell_at: float = 0.0

    def may_hear(self, now: float) -> bool:
        """Whether it is time to ask."""
        return now >= self._hear_at

    def heard(self, now: float, events: int, *, nothing_waits: bool) -> None:
        """So many events there were; where nothing waited to be told, they wait for what follows them."""
        self._hear_at = now + min(EACH_S * events, LONGEST_S)
        if nothing_waits:
            self._tell_at = self._hear_at

    def wait_s(self, now: float) -> float:
        """Until it may tell."""
        return max(0.0, self._tell_at - now)
