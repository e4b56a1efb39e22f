"""Which workers there are, as this process last heard; who cares is told when that changes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeVar

import structlog

from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.store.pulse import Workers
from dispatcher.workers.broker import Broker, BrokerDown

LOOK_S: Final = 1.0
LOAD_S: Final = 5.0  #: what they have to do is told no more often: it changes with every solve
TOGETHER: Final = 8  #: calls of the broker and of the object store at once
log = structlog.get_logger()
Result = TypeVar("Result")


class Threads:
    """Those that wait for the broker: what else runs in threads is not held up by one that hangs."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(TOGETHER, thread_name_prefix="broker")
        self._beside = ThreadPoolExecutor(TOGETHER, thread_name_prefix="broker-beside")

    async def call(self, ask: Callable[..., Result], *words: object) -> Result:
        """What it gives or raises."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, ask, *words)

    def beside(self, ask: Callable[[], None]) -> None:
        """Done once, whatever ends meanwhile; nobody waits for it, and what is called waits not behind it."""
        self._beside.submit(ask)

    def close(self) -> None:
        """Wait for nobody."""
        self._pool.shutdown(wait=False, cancel_futures=True)  # the other is still told what was cancelled


@dataclass(eq=False)
class Living:
    """The workers of one kind."""

    broker: Broker
    threads: Threads
    tell: Callable[[Workers], Awaitable[None]] | None = None
    workers: frozenset[str] = field(default_factory=frozenset)
    free: int = 0  #: processes of theirs that had nothing to do
    _promised: int = 0
    _told: Workers | None = None
    _told_at_s: float = 0.0

    async def run(self) -> None:
        """Look until cancelled. Nobody is found where the broker does not answer."""
        while not cancel_requested():
            await self.look()
            await asyncio.sleep(LOOK_S)

    @contextlib.contextmanager
    def promised(self) -> Iterator[int]:
        """So many processes are for whoever asks, until that is over: nobody here is told of them twice."""
        mine = max(0, self.free - self._promised)
        self._promised += mine
        try:
            yield mine
        finally:
            self._promised -= mine

    async def look(self) -> None:
        """Look once."""
        try:
            self.workers, found, self.free = await self.threads.call(self.broker.workers)
        except BrokerDown:
            self.workers, found, self.free = frozenset(), Workers(0), 0
        if not self._is_news(found):
            return
        if self._told is None or found.living != self._told.living:
            log.info("workers", kind=self.broker.kind.name, number=found.living)
        try:
            if self.tell is not None:
                await self.tell(found)
            self._told, self._told_at_s = found, time.monotonic()
        except Exception as error:  # who is told is away: the next look tells
            log.warning("workers_not_told", reason=type(error).__name__)

    def _is_news(self, found: Workers) -> bool:
        """Their number is told at once."""
        if self._told is None or found.living != self._told.living:
            return True
        return found != self._told and time.monotonic() - self._told_at_s >= LOAD_S
