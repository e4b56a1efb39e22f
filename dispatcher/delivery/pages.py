"""Pages of streams for listeners who come late: read once for all who are as late, and one after another.

Hundreds who fell behind together would else each read the same from the store, all at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from dispatcher.store.events import Entry
from dispatcher.store.streams import Streams

SIZE: Final = 256  #: entries
KEPT: Final = 16  #: pages; some megabytes


class Pages:
    """Of the streams of one market."""

    def __init__(self, streams: Streams) -> None:
        self._streams, self._turn, self.size = streams, asyncio.Lock(), SIZE
        self._kept: dict[tuple[str, str], Sequence[Entry]] = {}  # full ones: nothing comes between any more

    async def after(self, stream: str, entry_id: str) -> Sequence[Entry]:
        """The entries after this one, `size` at most; fewer: there are no more. Raises Unavailable."""
        place = stream, entry_id
        async with self._turn:
            if (found := self._kept.pop(place, None)) is None:
                found = await self._streams.read(stream, entry_id, self.size)
            if len(found) == self.size:
                self._kept[place] = found
                if len(self._kept) > KEPT:
                    del self._kept[next(iter(self._kept))]
        return found

    def forget(self, stream: str) -> None:
        """Nobody follows it any more."""
        self._kept = {place: page for place, page in self._kept.items() if place[0] != stream}
