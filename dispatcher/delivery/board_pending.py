"""Requests that changed and whose rows are still to be read, in the order in which that was heard."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice


class Pending:
    """Of one board; moments are of one clock, in seconds."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._since)

    def add(self, ids: Iterable[str], now: float) -> None:
        """These changed; who waits already keeps its place."""
        for each in ids:
            self._since.setdefault(each, now)

    def take(self, most: int) -> list[str]:
        """The first of them, which wait no more."""
        ids = list(islice(self._since, most))
        for each in ids:
            del self._since[each]
        return ids

    def late_s(self, now: float) -> float:
        """For how long the first has waited; 0: nothing waits."""
        return round(now - next(iter(self._since.values()), now), 1)
