"""How far this machine's clock is from the store's: leases go by that one, offers and timers by ours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from contracts import streams
from dispatcher.runtime.clock import unix_s
from dispatcher.store.connection import Reader

MOST_S: Final = 10  #: machines whose clocks are set by the network differ by milliseconds


class Skew:
    """Of one process, market by market: each server of a cluster has a clock of its own."""

    def __init__(self, reader: Reader) -> None:
        self._reader, self._ahead_s = reader, dict[str, int]()

    def ahead_s(self, market: str) -> int:
        """Real seconds; below 0 it is behind; 0 as long as it is no more than MOST_S either way."""
        return self._ahead_s.get(market, 0)

    async def look(self, market: str) -> int:
        """Ask the market's server what time it is; a slow answer is no wrong clock. Raises Unavailable."""
        before_s = unix_s()
        told_s = int((await self._reader.ask_at(streams.events(market), "TIME"))[0])
        ahead_s = max(before_s - told_s, 0) or min(unix_s() - told_s, 0)
        self._ahead_s[market] = ahead_s if abs(ahead_s) > MOST_S else 0
        return self._ahead_s[market]


def all_ahead_s(clocks: Iterable[int]) -> int:
    """By how many seconds each of them is ahead of the store at the least (below 0: behind it); else 0.

    Where all are, it is the store's clock that is wrong, or every machine's.
    """
    told = list(clocks)
    return max(min(told, default=0), 0) or min(max(told, default=0), 0)
