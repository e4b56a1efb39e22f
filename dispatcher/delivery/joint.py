"""One listener on several streams of a market: each in its order, and one position over all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from contracts.events import GapReason
from dispatcher.delivery import position
from dispatcher.delivery.feed import Feed, next_of
from dispatcher.runtime.lately import Lately
from dispatcher.store.events import Entry, place


class Heard(NamedTuple):
    """An entry, and the position behind it."""

    position: str
    entry: Entry


class JointFeed:
    """Feeds that share `news`. Between two streams entries come by their ids, as near as these tell time."""

    def __init__(self, feeds: Sequence[Feed], news: asyncio.Event) -> None:
        self._feeds, self._news = feeds, news

    @property
    def position(self) -> str:
        """Behind all that was heard."""
        return position.told(self.places)

    @property
    def places(self) -> dict[str, str]:
        """The same, by stream."""
        return {each.stream: each.last_id for each in self._feeds}

    @property
    def horizon(self) -> str | None:
        """Up to which id every stream was heard, while some hold more; None: all there is was heard."""
        behind = [each.last_id for each in self._feeds if each.is_behind]
        return min(behind, key=place, default=None)

    def nudge(self) -> None:
        """Whoever waits in `next` goes on, with nothing if there is nothing."""
        self._news.set()

    @property
    def gap(self) -> GapReason | None:
        """Why something may be missing before what it begins with."""
        return next((each.gap for each in self._feeds if each.gap is not None), None)

    @property
    def closed(self) -> bool:
        """Whether nothing more will be heard."""
        return any(each.closed for each in self._feeds)

    async def next(self, timeout_s: float) -> tuple[Heard, ...]:
        """As `Feed.next`, over all of them."""
        before = tuple(self.places.items())
        found = await next_of(self._feeds, self._news, timeout_s)
        return merged(before, *found)


def _merge(before: tuple[tuple[str, str], ...], *found: Sequence[Entry]) -> tuple[Heard, ...]:
    """What streams said, each entry with the position behind it; `before`: the place in each of them."""
    had, told = dict(before), list[Heard]()
    for entry in sorted((each for some in found for each in some), key=lambda each: place(each.id)):
        had[entry.stream] = entry.id
        told.append(Heard(position.told(had), entry))
    return tuple(told)


merged = Lately(_merge)
