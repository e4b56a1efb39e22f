"""How many markets one matcher holds, where several serve the same: its share, and the others get theirs.

Every matcher tells each of its markets that it lives, and so learns how many there are. It takes markets
up to its share and lets go of what it holds beyond. Losing a market loses no work: it
lies in the store, and the fence refuses what the former owner still sends.
"""

from __future__ import annotations

import asyncio
import contextlib
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
LATE_S = 1.0  # a server that does not answer is waited for no longer: the other markets are served
LYING_S = 2 * LIVES_MS / 1000  # a market that nobody takes for so long is taken beyond the share
log = structlog.get_logger()


class Share:
    """The markets that one matcher holds, and how many it may. `markets`: all that it serves, by name."""

    def __init__(
        self,
        markets: Mapping[str, MatchersPart],
        owner: str,
        unfit: Callable[[str], bool] = lambda market: False,
    ) -> None:
        """`unfit`: whether others should have a market; what none of them takes is taken still."""
        self.markets, self.owner, self.unfit = markets, owner, unfit
        self.held: set[str] = set()
        self._others: dict[str, frozenset[str]] = {}  # of each market that could be asked
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._taking = set[str]()
        self._taken = asyncio.Event()  # somebody was told whether the market is ours
        self._kept: set[str] = set()  # taken beyond the share, since nobody else did
        self._lying_since_s: dict[str, float] = {}
        self._let_go: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._known = asyncio.Event()

    @property
    def limit(self) -> int:
        """The most that it takes: of each market an equal part with those who serve it too, rounded up.

        A market whose server is away is nobody's, and no reason to take more of the others; nor is one that
        it is unfit for.
        """
        shared = (len(others) for name, others in self._others.items() if not self.unfit(name))
        return math.ceil(sum(Fraction(1, 1 + others) for others in shared))

    async def run(self) -> None:
        """Say that we live and look who else does, until cancelled."""
        try:
            while not cancel_requested():
                await self._look_at_all()
                self._known.set()
                self._make_room()
                await asyncio.sleep(EVERY_S)
        finally:
            for each in self._looking.values():
                each.cancel()
            await asyncio.gather(*self._looking.values(), return_exceptions=True)
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
        await self._place()
        full = self.unfit(name) or len(self.held) + len(self._taking) >= self.limit
        beyond = full and bool(self._others.get(name))
        if beyond and not await self._is_lying(name, owned):
            return None
        self._taking |= {name} if name in self._others else set()  # or all would take the last place at once
        try:
            fence = await acquire()
            if fence is not None:
                self.held.add(name)
                self._let_go[name].clear()
                self._kept |= {name} if beyond else set()
                self._lying_since_s.pop(name, None)
            return fence
        finally:
            self._taking.discard(name)
            self._taken.set()

    async def _place(self) -> None:
        """While others are about to take the last places: until it is known whether they did, or too late."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LATE_S):
                while len(self.held) < self.limit <= len(self.held) + len(self._taking):
                    self._taken.clear()
                    await self._taken.wait()

    def drop(self, name: str) -> None:
        """The market is no longer ours."""
        self.held.discard(name)
        self._kept.discard(name)

    async def until_let_go(self, name: str) -> None:
        """Until another matcher should have the market."""
        await self._let_go[name].wait()
        log.info("market_let_go", market=name, held=len(self.held), limit=self.limit)

    async def _look_at_all(self) -> None:
        """Who lives, by market. What is late is waited for no longer than LATE_S: its server may be away."""
        for name in self.markets:
            if name not in self._looking:
                self._looking[name] = asyncio.create_task(self._look(name))
        await asyncio.wait(self._looking.values(), timeout=LATE_S)
        self._looking = {name: each for name, each in self._looking.items() if not each.done()}

    async def _look(self, name: str) -> None:
        try:
            living = await self.markets[name].announce(self.owner, LIVES_MS)
        except Unavailable:
            return  # who was there a moment ago is taken to be there still
        except Exception as error:  # one market's trouble is its own
            log.warning("matchers_unknown", market=name, reason=type(error).__name__)
            living = frozenset()
        others = living - {self.owner}
        if others != self._others.get(name):
            self._others[name] = others
            self._kept.clear()

    def _make_room(self) -> None:
        """Let go what it is unfit for, or is beyond the share, of what another could take; what nobody took
        is not counted.
        """
        held = self.held - self._kept
        wanted = [name for name in sorted(held) if self._others.get(name)]
        unfit = [name for name in wanted if self.unfit(name)]
        fit = [name for name in wanted if name not in unfit]
        surplus = len(held) - len(unfit) - self.limit
        for name in (*unfit, *fit[: max(0, surplus)]):
            self._let_go[name].set()

    async def _is_lying(self, name: str, owned: Callable[[], Awaitable[str | None]]) -> bool:
        """Whether nobody took the market for LYING_S: those who should may serve others, or hang."""
        if await owned() is not None:
            self._lying_since_s.pop(name, None)
            return False
        since_s = self._lying_since_s.setdefault(name, time.monotonic())
        return time.monotonic() - since_s >= LYING_S
