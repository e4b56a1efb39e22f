"""What is due next in a market: one look for all kinds of record, for whom the loops of each kind wait.

Each kind fires by itself, so that a list that cannot be read holds up no other kind. A look of its own for
each would ask the store a dozen times for what one question answers, and wake a dozen loops for nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from dispatcher.domain.kinds import Kind, kinds
from dispatcher.store.connection import StoreError
from dispatcher.store.due_times import DueTime, DueTimes

Waiting = Mapping[Kind[Any], asyncio.Future[None]]


class Agenda:
    """`now_ms`: the time of the market; `pause_s`: for how many real seconds nobody looks, if this is next.

    `answered`: is told each kind that goes on waiting, for the store has answered that none of it is due.

    While a kind waits there is a task that looks; who begins to wait has done something since: it looks anew.
    """

    def __init__(
        self,
        due_times: DueTimes,
        now_ms: Callable[[], int],
        pause_s: Callable[[int | None], float],
        answered: Callable[[Kind[Any]], None],
    ) -> None:
        self._due_times, self._now_ms, self._pause_s, self._answered = due_times, now_ms, pause_s, answered
        self._waiting: dict[Kind[Any], asyncio.Future[None]] = {}
        self._changed = asyncio.Event()  # who waits
        self._looking: asyncio.Task[None] | None = None

    async def until_due(self, kind: Kind[Any]) -> None:
        """Until a timer of this kind is due. Raises Unavailable, StoreError where its list is damaged."""
        due = self._waiting[kind] = asyncio.get_running_loop().create_future()
        self._changed.set()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            await due
        finally:
            if self._waiting.get(kind) is due:  # it was cancelled
                del self._waiting[kind]
                self._changed.set()

    async def _look(self) -> None:
        while self._waiting:
            self._changed.clear()
            asked = dict(self._waiting)
            try:
                found = await self._due_times.first_of(tuple(kinds()))
            except Exception as error:  # it is theirs who wait
                self._tell(asked, dict.fromkeys(asked, error))
                continue
            self._tell(asked, self._news(asked, found))
            for kind in self._waiting:
                self._answered(kind)
            if self._waiting:
                await self._rest(found)

    def _news(self, asked: Waiting, found: Mapping[str, DueTime]) -> dict[Kind[Any], Exception | None]:
        """Of those that need not wait any longer: None where a timer is due, the error of a damaged list."""
        now_ms, news = self._now_ms(), dict[Kind[Any], Exception | None]()
        for kind in asked:
            first = found[kind.name]
            if isinstance(first, StoreError):
                news[kind] = first
            elif first is not None and first <= now_ms:
                news[kind] = None
        return news

    def _tell(self, asked: Waiting, news: Mapping[Kind[Any], Exception | None]) -> None:
        for kind, error in news.items():
            due = asked[kind]
            if self._waiting.get(kind) is due:
                del self._waiting[kind]
            if due.done():  # it was cancelled meanwhile
                continue
            if error is None:
                due.set_result(None)
            else:
                due.set_exception(error)

    async def _rest(self, found: Mapping[str, DueTime]) -> None:
        """Until the first timer of those that wait is due; who begins to wait, or leaves, ends it."""
        firsts = [found[kind.name] for kind in self._waiting]
        next_ms = min((each for each in firsts if isinstance(each, int)), default=None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pause_s(next_ms)):
                await self._changed.wait()
