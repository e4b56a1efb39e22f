"""The loop of a process that serves is asked for its time in small pieces: by tasks, and by other threads."""

from __future__ import annotations

import asyncio
import sys
from typing import Final

SWITCH_S: Final = 0.000_5


class Rounds:
    """Of many tasks that may go on, one does in each round of the event loop: who comes meanwhile is heard.

    A dozen that a commit wakes together would else all have their turn before the next message is read.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def next(self, calm: asyncio.Event | None = None) -> None:
        """Until it is this one's round, and `calm` is set."""
        async with self._turn:
            await asyncio.sleep(0)
            if calm is not None:
                await calm.wait()


def share_threads() -> None:
    """Threads hand over soon: with Python's 5 ms the loop waits so long for one that screens or packs, each
    time that it comes back from its sockets.
    """
    sys.setswitchinterval(SWITCH_S)
