"""What is due next in a market: one look for all kinds of record, shared by the loops that wait for them.

Each kind fires by itself, so that a list that cannot be read holds up no other kind; a look of its own for
each would ask the store a dozen times for what one question answers.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from dispatcher.domain.kinds import Kind, kinds
from dispatcher.store.connection import StoreError
from dispatcher.store.due_times import DueTime, DueTimes

LATEST_S = 0.05  # real seconds: a look that is older is made anew


class Agenda:
    """The latest look. Each kind is told of a look once: who asks again has done something since."""

    def __init__(self, due_times: DueTimes) -> None:
        self._due_times = due_times
        self._look: asyncio.Task[dict[str, DueTime]] | None = None
        self._began_s = 0.0
        self._told: set[str] = set()

    async def next_ms(self, kind: Kind[Any]) -> int | None:
        """When the next timer of a kind is due. Raises Unavailable, StoreError where its list is damaged."""
        if self._look is None or kind.name in self._told or time.monotonic() - self._began_s > LATEST_S:
            self._look = asyncio.create_task(self._due_times.first_of(tuple(kinds())))
            self._began_s, self._told = time.monotonic(), set()
        self._told.add(kind.name)
        found = (await asyncio.shield(self._look))[kind.name]  # who leaves must not take the others' answer
        if isinstance(found, StoreError):
            raise found
        return found
