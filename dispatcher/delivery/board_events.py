"""What happened in a market since its board last asked: which requests changed, and what told of it.

A board tells at its own pace, so it asks at its own pace: to hear each event as it comes would cost a web
process that takes in 2,000 requests a second a twentieth of its time, for what is told a few times a second.
"""

from __future__ import annotations

import asyncio

import msgspec

from dispatcher.delivery.gaps import beginning
from dispatcher.store.keys import Keys
from dispatcher.store.streams import Streams

PAGE = 500  # entries of a stream read at a time: between two pages others have their turn
MOST = 10_000  # entries read before something is told


class _Data(msgspec.Struct, frozen=True):
    """Of an event's data, what it is about."""

    request_id: str = ""


class Told(msgspec.Struct, frozen=True):
    """Of an event, what a board needs to know: the rest is not looked at."""

    type: str
    subject: str = ""
    data: _Data | None = None

    @property
    def request_id(self) -> str:
        """The request that it is about; "" if it is about none."""
        if self.data is not None and self.data.request_id:
            return self.data.request_id
        return self.subject if self.type.startswith("dispatch.request.") else ""


_TOLD = msgspec.msgpack.Decoder(Told)


class BoardEvents:
    """The events and matches of one market, each told once. `begin` first."""

    def __init__(self, streams: Streams, keys: Keys) -> None:
        self._streams = streams
        self._after = dict.fromkeys((keys.events, keys.matches), "")
        self.is_behind = False  #: there is more than was read

    async def begin(self) -> None:
        """From now on. Raises Unavailable."""
        for stream in self._after:
            self._after[stream] = (await beginning(self._streams, stream, None)).after

    async def has_missed(self) -> bool:
        """Whether some of what is to be read next may be gone. Raises Unavailable."""
        starts = [await beginning(self._streams, stream, after) for stream, after in self._after.items()]
        return any(each.gap is not None for each in starts)

    async def read(self) -> list[Told]:
        """What happened since; MOST at most, about. Raises Unavailable."""
        told, self.is_behind = list[Told](), True
        while self.is_behind and len(told) < MOST:
            told += await self._page()
            await asyncio.sleep(0)
        return told

    async def _page(self) -> list[Told]:
        found = await self._streams.read_all(self._after, PAGE)
        self.is_behind = len(found) >= PAGE
        for each in found:
            self._after[each.stream] = each.id
        return [told for each in found if (told := _told(each.event)) is not None]


def _told(event: bytes) -> Told | None:
    """None for one that cannot be read: what it told of is found when its row is read again."""
    try:
        return _TOLD.decode(event)
    except msgspec.MsgspecError:
        return None
