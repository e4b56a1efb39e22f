"""A circuit breaker: a server that fails is left alone, for longer each time it fails again."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0  # real seconds


@dataclass
class Breaker:
    """Whether the server answers, as it was last. Time is an argument."""

    first_pause_s: float = FIRST_PAUSE_S
    longest_pause_s: float = LONGEST_PAUSE_S
    answers: bool | None = None  #: None: it was not asked yet
    trouble: str = ""
    _pause_s: float = 0.0
    _until_s: float = 0.0

    def worked(self) -> bool:
        """It answered; whether that is news."""
        news = self.answers is not True
        self.answers, self.trouble, self._pause_s, self._until_s = True, "", 0.0, 0.0
        return news

    def failed(self, trouble: str, now_s: float) -> bool:
        """It did not, and why; whether that is news. What fails while it is left alone makes it no longer."""
        news = self.answers is not False
        if now_s >= self._until_s:
            self._pause_s = min(max(2 * self._pause_s, self.first_pause_s), self.longest_pause_s)
            self._until_s = now_s + self._pause_s
        self.answers, self.trouble = False, trouble
        return news

    def wait_s(self, now_s: float) -> float:
        """For how long it is still left alone."""
        return max(0.0, self._until_s - now_s)
