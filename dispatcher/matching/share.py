"""How many markets one matcher holds, where several serve the same: its share, and the others get theirs.

Every matcher tells each of its markets that it lives, and so learns how many there are. It takes markets
up to its share and lets go of what it holds beyond. Losing a market loses no work: it
lies in the store, and the fence refuses what the former owner still sends.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from fractions import Fraction

import structlog

from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.store.matchers import MatchersPart

LIVES_MS = 6_000  # real time; announced three times as often
EVERY_S = LIVES_MS / 3000
LYING_S = 2 * LIVES_MS / 1000  # a market that nobody takes for so long is taken beyond the share
log = structlog.get_logger()


class Share:
    """The markets that one matcher holds, and how many it may. `markets`: all that it serves, by name."""

    def __init__(self, markets: Mapping[str, MatchersPart], owner: str) -> None:
        self.markets, self.owner = markets, owner
        self.held: set[str] = set()
        self._others: dict[str, frozenset[str]] = dict.fromkeys(markets, frozenset())
        self._kept: set[str] = set()  # taken beyond the share, since nobody else did
        self._lying_since_s: dict[str, float] = {}
        self._let_go: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._known = asyncio.Event()
        self._turn = asyncio.Lock()  # one at a time: or all would take the last place at once

    @property
    def limit(self) -> int:
        """The most that it takes: of each market an equal part with those who serve it too, rounded up."""
        return math.ceil(sum(Fraction(1, 1 + len(others)) for others in self._others.values()))

    async def run(self) -> None:
        """Say that we live and look who else does, until cancelled."""
        try:
            while not cancel_requested():
                await asyncio.gather(*map(self._look, self.markets))
                self._known.set()
                self._make_room()
                await asyncio.sleep(EVERY_S)
        finally:
            await asyncio.gather(
                *(each.leave(self.owner) for each in self.markets.values()), return_exceptions=True
            )

    async def take(
        self,
        name: str,
        acquire: Callable[[], Awaitable[str | None]],
        owned: Callable[[], Awaitable[str | None]],
    ) -> str | None:
        """The market's fence if it is ours now; None: another's, or better left to another."""
        await self._known.wait()
        async with self._turn:
            beyond = len(self.held) >= self.limit and bool(self._others[name])
            if beyond and not await self._is_lying(name, owned):
                return None
            fence = await acquire()
            if fence is not None:
                self.held.add(name)
                self._let_go[name].clear()
                self._kept |= {name} if beyond else set()
                self._lying_since_s.pop(name, None)
            return fence

    def drop(self, name: str) -> None:
        """The market is no longer ours."""
        self.held.discard(name)
        self._kept.discard(name)

    async def until_let_go(self, name: str) -> None:
        """Until another matcher should have the market."""
        await self._let_go[name].wait()
        log.info("market_let_go", market=name, held=len(self.held), limit=self.limit)

    async def _look(self, name: str) -> None:
        try:
            living = await self.markets[name].announce(self.owner, LIVES_MS)
        except Unavailable:
            return  # who was there a moment ago is taken to be there still
        except Exception as error:  # one market's trouble is its own
            log.warning("matchers_unknown", market=name, reason=type(error).__name__)
            living = frozenset()
        others = living - {self.owner}
        if others != self._others[name]:
            self._others[name] = others
            self._kept.clear()

    def _make_room(self) -> None:
        """Let go what is beyond the share, of what another could take; what nobody took is not counted."""
        held = self.held - self._kept
        surplus = len(held) - self.limit
        wanted = [name for name in sorted(held) if self._others[name]]
        for name in wanted[: max(0, surplus)]:
            self._let_go[name].set()

    async def _is_lying(self, name: str, owned: Callable[[], Awaitable[str | None]]) -> bool:
        """Whether nobody took the market for LYING_S: those who should may serve others, or hang."""
        if await owned() is not None:
            self._lying_since_s.pop(name, None)
            return False
        since_s = self._lying_since_s.setdefault(name, time.monotonic())
        return time.monotonic() - since_s >= LYING_S
