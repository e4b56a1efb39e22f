"""One who looks at a board: what it was told and has not taken yet."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

QUEUE = 64  # changes that a listener may be behind; then it begins again


class Listener:
    """One who looks; what it has not taken yet, in order."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE)
        self.lost = False

    def end(self) -> None:
        """Nothing more comes: whoever waits is woken."""
        self.lost = True
        with contextlib.suppress(asyncio.QueueFull):
            self.queue.put_nowait(b"")

    def tell(self, change: bytes) -> None:
        """Put it behind the others; one who is too slow has lost its place."""
        try:
            self.queue.put_nowait(change)
        except asyncio.QueueFull:
            self.lost = True


async def changes(listener: Listener, keep_alive_s: float) -> AsyncIterator[bytes]:
    """What a listener is told, all that waits at a time; b"" when nothing was for so long; until it lost."""
    while not listener.lost:
        try:
            first = await asyncio.wait_for(listener.queue.get(), keep_alive_s)
        except TimeoutError:
            yield b""
            continue
        more = [listener.queue.get_nowait() for _ in range(listener.queue.qsize())]
        yield b"".join([first, *more])
