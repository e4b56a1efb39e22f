"""What could not be done is tried again, after a pause that grows each time; what never failed goes first."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 60.0  # real seconds


class PutOff:
    """By id: until when, and the pause after the next failure."""

    def __init__(self) -> None:
        self._until: dict[str, tuple[float, float]] = {}

    def __len__(self) -> int:
        return len(self._until)

    def ripe(self, ids: Sequence[str]) -> list[str]:
        """Those of `ids` that may be tried now, in their order; what is not among them is forgotten."""
        self._until = {each: self._until[each] for each in ids if each in self._until}
        now_s = time.monotonic()
        return [each for each in ids if each not in self._until or self._until[each][0] <= now_s]

    def ended(self, done: Iterable[str], failed: Iterable[str]) -> None:
        """How it went with them."""
        for each in done:
            self._until.pop(each, None)
        now_s = time.monotonic()
        for each in failed:
            _, pause_s = self._until.get(each, (0.0, FIRST_PAUSE_S))
            self._until[each] = now_s + pause_s, min(2 * pause_s, LONGEST_PAUSE_S)
