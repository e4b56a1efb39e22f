"""Parts of a plan that are settled, as they come from a solver process while it solves the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Final

from dispatcher.matching.solvers import Settled

LOOK_S: Final = 0.1


@asynccontextmanager
async def heard(settled: Settled) -> AsyncIterator[Connection]:
    """Where a solver sends its parts; each is given to `settled`, one after the other, until this ends.

    What is being done with a part is done to its end. Raises what that raises.
    """
    reader, writer = Pipe(duplex=False)
    over = asyncio.Event()
    hearing = asyncio.create_task(_hear(reader, settled, over))
    try:
        yield writer
    finally:
        over.set()
        writer.close()
        try:
            await hearing
        finally:
            reader.close()


async def _hear(reader: Connection, settled: Settled, over: asyncio.Event) -> None:
    """A part that comes when all is over is left: the plan has it, too."""
    while not over.is_set():
        if not await asyncio.to_thread(reader.poll, LOOK_S):
            continue
        try:
            part = await asyncio.to_thread(reader.recv)
        except EOFError:  # the solver has sent all, or died
            return
        await settled(part)
