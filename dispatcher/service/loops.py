"""The loops of a market, each on its own: one that fails is told of and begun anew, and disturbs no other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine

import structlog

from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.runtime.errors import kind_of_failure
from dispatcher.store.connection import server_words
from dispatcher.store.reply_streams import TROUBLE as REPLY_STREAMS
from dispatcher.store.store import Store
from dispatcher.store.troubles import TroublePart

REPLIES, TIMERS, MATCHING = "replies", "timers", "matching"
HOUSEKEEPING, UNREADABLE, PATIENT_KEYS = "housekeeping", "unreadable", "patient_keys"
READ_AGAIN = "read_again"  # tasks about what can be read again
NOTIFICATIONS, MEASURES = "notifications", "measures"
ROUTING = "routing"  # the matcher's routing server
TUNING, QUARTERS = "tuning", "quarters"  # what changes it by itself, and what that goes by
PROOFS = "proofs"  # those whose time is over
EFFECTS = "effects"  # of each parameter
WEBHOOKS = "webhooks"
CREDENTIALS = "credentials"  # those that run out
WHAT_IFS = "what_ifs"
JOBS = "jobs"  # the lease of those that run apart
CLOCK = "clock"  # whether it is the store's
LOOPS = (
    REPLIES, TIMERS, MATCHING, HOUSEKEEPING, UNREADABLE, PATIENT_KEYS, ROUTING, NOTIFICATIONS, MEASURES,
    WHAT_IFS, TUNING, QUARTERS, EFFECTS, PROOFS, WEBHOOKS, CREDENTIALS, JOBS, CLOCK, READ_AGAIN,
)  # fmt: skip
# No loops: what one found has a name of its own, or "the loop works" would end it.
SET_ASIDE = "set_aside"  # what could not be read of late, by kind
DECISIONS = "decisions"  # a plan could not be saved
SEALS = "seals"  # what nobody may change is not sealed
LACKING = "lacking_keys"  # patient keys that a process cannot read
MEMORY = "memory"  # batches take fewer requests than they may: more did not fit
CANARY = "canary"  # one was rolled back, and nobody has put it away
TROUBLES = (*LOOPS, REPLY_STREAMS, SET_ASIDE, LACKING, DECISIONS, SEALS, MEMORY, CANARY)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 30.0  # real seconds
AWAY_PAUSE_S = 0.5  # real: for a store that is away, which is no failure of a loop
SETTLED_S = 5.0  # a loop that has run for so long works again
log = structlog.get_logger()
Work = Callable[[], Coroutine[None, None, None]]


class Ended(Exception):
    """A loop that should not end has."""


async def keep_running(store: Store, market: str, loop: str, work: Work) -> None:
    """Run it until cancelled; after a failure again, after a pause that grows until it works."""
    troubles, pause_s = Troubles(store, market, loop), FIRST_PAUSE_S
    while not cancel_requested():
        running = asyncio.ensure_future(work())
        try:
            pause_s = await _watched(running, troubles, pause_s)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


async def _watched(running: asyncio.Future[None], troubles: Troubles, pause_s: float) -> float:
    """Until it fails, or the store is away; how long to pause then."""
    done, _ = await asyncio.wait({running}, timeout=SETTLED_S)
    if not done:
        pause_s = FIRST_PAUSE_S
        await troubles.end()
        await asyncio.wait({running})
    # who is cancelled from within has ended, too
    error = (None if running.cancelled() else running.exception()) or Ended("it came to its end")
    if isinstance(error, Unavailable):
        troubles.wait(error)
        return AWAY_PAUSE_S
    await troubles.tell(error, pause_s)
    return pause_s


class Troubles:
    """Tells of the failures of one loop of one market: in the log, as a count, and as what is wrong now."""

    def __init__(self, store: Store, market: str, loop: str) -> None:
        self.market, self.loop = market, loop
        self._waits, self._is_waiting = store.waits, False
        self._stored: TroublePart = store.market(market).troubles
        self._told = True  # what a process before us told is over once we work

    async def tell(self, error: BaseException, pause_s: float) -> None:
        """It failed, and is begun anew after `pause_s`."""
        log.error("loop_failed", market=self.market, loop=self.loop, again_in_s=pause_s, exc_info=error)
        self._told = True
        await self._try(self._stored.count(f"failed:{self.loop}"))
        await self._try(self._stored.tell(self.loop, _outlined(error)))

    def wait(self, refusal: Unavailable) -> None:
        """It is begun anew until the store is back."""
        self._is_waiting = True
        self._waits.begin(self.market, self.loop, refusal)

    async def end(self) -> None:
        """It works."""
        if self._is_waiting:
            self._is_waiting = False
            self._waits.end(self.market, self.loop)
        if self._told:
            self._told = False
            await self._try(self._stored.over(self.loop))

    async def _try(self, telling: Awaitable[None]) -> None:
        """A store that is away has troubles of its own; it must not become ours."""
        try:
            await telling
        except Exception as error:
            log.warning("trouble_not_told", market=self.market, loop=self.loop, error=type(error).__name__)


def _outlined(error: BaseException) -> str:
    """What kind of failure; of the server's words the first, which is its code."""
    code = server_words(error).partition(" ")[0]
    kind = kind_of_failure(error)
    return f"{kind} {code}" if code.isupper() and code.isalpha() else kind
