"""What is due: the requests that hints name, at once, and now and then all that no hint named."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from dispatcher.matching.progress import Progress
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.runtime.rounds import in_parts, together
from dispatcher.store.changes import NAMED

AHEAD = 2  # looks at what was hinted: one is planned while the store writes what the other takes
LOOK_S = 1.0  # a hint may be lost: look for new work at least this often, real time


@dataclass(eq=False)
class Looking:
    """Looks at what comes, in `progress`."""

    progress: Progress
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AHEAD))

    async def watch(self) -> None:
        """On a hint, the requests that it names."""
        progress, market = self.progress, self.progress.market
        async with market.stored.wake() as wake, together() as group:
            progress.more.set()
            while not cancel_requested():
                hint = await wake.wait(LOOK_S)
                progress.arrivals.note(len(hint.ids) + (NAMED if hint.look else 0))
                progress.came_s = asyncio.get_running_loop().time() if hint else progress.came_s
                progress.seen -= set(hint.ids)
                market.requests.are_new(hint.ids, hint.come)
                if hint.vendors:
                    progress.changed |= set(hint.vendors)
                    progress.some_changed.set()
                if hint.ids:
                    await self.begin(group, hint.ids)
                if hint.look:
                    progress.more.set()
                if hint.look or (hint and (progress.unmatched or progress.left)):
                    progress.work.set()

    async def begin(self, group: asyncio.TaskGroup, due: Sequence[str]) -> None:
        """Match them; back as soon as others may be planned: while the store writes what these take.

        No more than `AHEAD` at once: where the store is slow, those that come meanwhile share one plan.
        """
        progress, under_way = self.progress, asyncio.Event()

        def over(_: asyncio.Task[None] | None = None) -> None:
            self.turns.release()
            progress.begun.difference_update(due)
            under_way.set()

        progress.begun |= set(due)
        # at hand from now on, not from its first step on
        with progress.market.at_hand(), contextlib.ExitStack() as turn:
            await self.turns.acquire()
            turn.callback(over)  # should it not begin: the group ends, or memory is full
            group.create_task(progress.match(due, under_way.set)).add_done_callback(over)
            turn.pop_all()
            await under_way.wait()

    async def look_around(self) -> None:
        """All that was not looked at yet, beside what hints name: where it is told, and now and then."""
        more = self.progress.more
        await more.wait()
        looked_s = -LOOK_S
        while not cancel_requested():
            more.clear()
            again = time.monotonic() - looked_s >= LOOK_S
            looked_s = time.monotonic() if again else looked_s
            await self.look(afresh=again)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(more.wait(), LOOK_S)

    async def look(self, *, afresh: bool) -> None:
        """Look at all that is open; `afresh`: also whether the tuning is another.

        Imminent requests are not to wait for a batch to see it, nor a canary's hours to begin.
        """
        progress, market = self.progress, self.progress.market
        if afresh and (reading := market.reading) is not None:
            tuning = await progress.own.executor.markets.tuning(market.name)
            if tuning.version != reading.tuning.version:
                await market.refresh()
        ids = await market.requests.open_ids()
        progress.seen &= set(ids)
        progress.unmatched &= progress.seen
        async for some in in_parts(self._new(ids), market.let_pass):
            await progress.match(self._new(some))

    def _new(self, ids: Sequence[str]) -> list[str]:
        """Without those that were looked at, or are: who is being offered is open until that is written."""
        seen, begun = self.progress.seen, self.progress.begun
        return [each for each in ids if each not in seen and each not in begun]
