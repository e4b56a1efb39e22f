"""When the first timer of each kind of record is due, asked of all kinds at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatcher.domain.kinds import Kind
from dispatcher.store.connection import StoreError
from dispatcher.store.keys import Keys
from dispatcher.store.listing import Place
from dispatcher.store.node import Node

DueTime = int | None | StoreError


class DueTimes:
    """The lists of timers of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.keys = node.reader, keys

    async def first_of(self, kinds: Sequence[Kind[Any]]) -> dict[str, DueTime]:
        """By kind when its next timer is due, ms; None if none is, the error if its list cannot be read.

        Raises Unavailable.
        """
        lists = [self.keys.list(kind.timers) for kind in kinds]
        answers = await self.reader.ask_each([("ZRANGE", each, 0, 0, "WITHSCORES") for each in lists])
        return {kind.name: _first(answer) for kind, answer in zip(kinds, answers, strict=True)}


def _first(answer: Any) -> DueTime:
    if isinstance(answer, StoreError):
        return answer
    return next((place.score for place in Place.read(answer)), None)
