"""Parts of a plan that are settled, as they come from a solver process while it solves the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, Final

from dispatcher.matching.solvers import Settled

LOOK_S: Final = 0.1
_LAST: Final = None


@asynccontextmanager
async def heard(settled: Settled) -> AsyncIterator[Connection]:
    """Where a solver sends its parts; each is given to `settled`, one after the other, until this ends.

    They are read as they come: the solver waits for nobody. What is being done with a part is done to its
    end, unless this is cancelled. Raises what that raises.
    """
    reader, writer = Pipe(duplex=False)
    over, parts = asyncio.Event(), asyncio.Queue[Any]()
    reading = asyncio.create_task(_read(reader, parts, over))
    giving = asyncio.create_task(_give(parts, settled, over))
    try:
        yield writer
    except asyncio.CancelledError:
        giving.cancel()
        raise
    finally:
        over.set()
        writer.close()
        parts.put_nowait(_LAST)
        try:
            await reading
            await giving
        finally:
            reader.close()


async def _read(reader: Connection, parts: asyncio.Queue[Any], over: asyncio.Event) -> None:
    while not over.is_set():
        if not await asyncio.to_thread(reader.poll, LOOK_S):
            continue
        try:
            parts.put_nowait(await asyncio.to_thread(reader.recv))
        except (EOFError, OSError):  # it has died, maybe amid a part
            return


async def _give(parts: asyncio.Queue[Any], settled: Settled, over: asyncio.Event) -> None:
    """A part that waits when all is over is left: the plan has it, too."""
    while (part := await parts.get()) is not _LAST:
        if over.is_set():
            return
        await settled(part)
