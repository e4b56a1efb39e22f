"""What is to happen when, by the clock of the day: one heap, one loop, a limited number of calls at once."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from itertools import count

from simulation.clock import Clock

Action = Callable[[], Awaitable[None]]
LONGEST_NAP_S = 0.25  # real seconds; a newcomer may be due earlier than what we sleep for
AT_ONCE = 64


class Agenda:
    """Actions by due time. An action that fails ends the demo: nothing is swallowed."""

    def __init__(self, clock: Clock, *, at_once: int = AT_ONCE) -> None:
        self.clock = clock
        self._heap: list[tuple[int, int, Action]] = []
        self._number = count()
        self._free = asyncio.Semaphore(at_once)
        self._changed = asyncio.Event()

    def at(self, due_ms: int, action: Action) -> None:
        """Do `action` once the clock shows `due_ms`; at once if it is past."""
        heapq.heappush(self._heap, (due_ms, next(self._number), action))
        self._changed.set()

    async def run(self) -> None:
        """Work through the agenda until cancelled; raises what an action raised."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                while self._heap and self._heap[0][0] <= self.clock.now_ms():
                    _, _, action = heapq.heappop(self._heap)
                    await self._free.acquire()
                    group.create_task(self._do(action))
                await self._nap()

    async def _do(self, action: Action) -> None:
        try:
            await action()
        finally:
            self._free.release()

    async def _nap(self) -> None:
        """Until the next action is due, or the agenda changes."""
        waiting = asyncio.ensure_future(self._changed.wait())
        due_s = (self._heap[0][0] - self.clock.now_ms()) / 1000 if self._heap else 3600.0
        sleeping = asyncio.ensure_future(self.clock.sleep(max(due_s, 0.0)))
        try:
            await asyncio.wait(
                {waiting, sleeping}, timeout=LONGEST_NAP_S, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            waiting.cancel()
            sleeping.cancel()
