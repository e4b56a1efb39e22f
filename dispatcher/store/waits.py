"""Who waits for the store in each market: a store that is away is one trouble, however many loops meet it.

It is told once a minute and market, whoever waits there, and once when nobody does any more.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from dispatcher.domain.refusals import Refusal

TELL_EVERY_S: Final = 60.0
log = structlog.get_logger()


@dataclass
class _Market:
    loops: set[str] = field(default_factory=set)  #: that wait
    since_s: float = 0.0
    told_s: float = float("-inf")


class Waits:
    """Of one process."""

    def __init__(self, wall: Callable[[], float] = time.monotonic) -> None:
        """`wall`: real seconds."""
        self._wall = wall
        self._markets = defaultdict[str, _Market](_Market)

    def begin(self, market: str, loop: str, refusal: Refusal) -> None:
        """This loop could not go on, and tries again."""
        found, now_s = self._markets[market], self._wall()
        if not found.loops:
            found.since_s = now_s
        found.loops.add(loop)
        if now_s - found.told_s >= TELL_EVERY_S:
            found.told_s = now_s
            log.warning("waits_for_store", market=market, loop=loop, reason=refusal.reason)

    def end(self, market: str, loop: str) -> None:
        """This loop goes on. Who waited and was not told of is over without a word, too."""
        found = self._markets[market]
        if loop not in found.loops:
            return
        found.loops.remove(loop)
        if not found.loops and found.told_s >= found.since_s:
            log.info("store_answers", market=market, waited_s=round(self._wall() - found.since_s, 1))
