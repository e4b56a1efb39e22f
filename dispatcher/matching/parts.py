"""Parts of a plan, as a solver tells of them while it solves: settled ones, and those others may solve."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, Final

import structlog

from dispatcher.matching.elsewhere import Answered, Asked
from dispatcher.matching.solvers import Settled
from dispatcher.runtime.cancellation import may_be_left

_LAST: Final = None
log = structlog.get_logger()
Ask = Callable[[Asked], Awaitable[bytes | None]]  #: a part's plan by others, packed; None: nobody made one


async def nobody(asked: Asked) -> bytes | None:
    """No other solves parts."""
    return None


@asynccontextmanager
async def heard(settled: Settled, ask: Ask = nobody) -> AsyncIterator[Connection]:
    """Where a solver sends its parts; each is given to `settled`, one after the other, until this ends.

    They are read as they come: the solver waits for nobody. What is being done with a part is done to its
    end, unless this is cancelled. Raises what that raises. A part that it asks for is asked for at once; what
    comes back is sent to it.
    """
    ours, its = Pipe(duplex=True)
    line = _Line(ours, its, ask)
    giving = asyncio.create_task(_give(line, settled))
    reading = asyncio.create_task(line.read())
    try:
        yield its
    except asyncio.CancelledError:
        giving.cancel()
        raise
    finally:
        line.end()
        its.close()
        line.parts.put_nowait(_LAST)
        try:
            await reading
            await giving
        finally:
            await line.aclose(reading, giving)


@dataclass(eq=False)
class _Line:
    ours: Connection
    its: Connection  #: is closed here once the solver has it: then its end is noticed
    ask: Ask
    over: bool = False
    stir: asyncio.Event = field(default_factory=asyncio.Event)  #: something has come, or it is over
    parts: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    asking: set[asyncio.Task[None]] = field(default_factory=set)
    saying: asyncio.Lock = field(default_factory=asyncio.Lock)
    at_work: set[asyncio.Task[Any]] = field(default_factory=set)  #: threads that read or write here

    async def read(self) -> None:
        """Until it is over, or the solver has ended. Whatever else ends it, the solver hears of it."""
        try:
            await self._read()
        finally:
            if not self.over:
                self._hang_up()

    def _hang_up(self) -> None:
        """The solver would wait for ever for somebody to read. Not closed: an answer may be on its way."""
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self.ours.fileno())) as end:
            end.shutdown(socket.SHUT_RDWR)  # it may be gone already

    async def _read(self) -> None:
        while await self._has_come():
            try:
                said = await self._in_thread(self.ours.recv)
            except (EOFError, OSError):  # it has died, maybe amid a part
                return
            if isinstance(said, Asked):
                self.its.close()
                self.asking.add(asyncio.create_task(self._answer(said)))
            else:
                self.parts.put_nowait(said)

    def end(self) -> None:
        """What comes from now on is not read."""
        self.over = True
        self.stir.set()

    async def _has_come(self) -> bool:
        """Wait for something to read, in no thread: many markets may wait so. False: it is over."""
        loop = asyncio.get_running_loop()
        self.stir.clear()
        if self.over:
            return False
        async with self.saying:
            loop.add_reader(self.ours.fileno(), self.stir.set)
            os.set_blocking(self.ours.fileno(), True)  # uvloop's poll made it none; a part comes in pieces
        try:
            await self.stir.wait()
        finally:
            loop.remove_reader(self.ours.fileno())
        return not self.over

    async def _answer(self, asked: Asked) -> None:
        packed = None
        try:
            packed = await self.ask(asked)
        except Exception:  # whatever it is: the solver waits for an answer, and solves it itself
            log.exception("part_not_asked", part=asked.number)
        async with self.saying:
            with contextlib.suppress(OSError):  # it has died
                await self._in_thread(self.ours.send, Answered(asked.number, packed))

    async def _in_thread(self, work: Callable[..., Any], *words: object) -> Any:
        """Whoever is cancelled meanwhile leaves the thread at work."""
        working = asyncio.create_task(asyncio.to_thread(work, *words))
        self.at_work.add(working)
        working.add_done_callback(self.at_work.discard)
        may_be_left(working)
        return await asyncio.shield(working)

    async def aclose(self, *tasks: asyncio.Task[None]) -> None:
        """What is still asked for is wanted by nobody; nor do these go on.

        However often who waits for it is cancelled, it is closed only once no thread reads or writes here:
        the next that is opened would have its number, and what is sent there would be read by us.
        """
        self._hang_up()
        for each in (*tasks, *self.asking):
            each.cancel()
        await asyncio.shield(asyncio.ensure_future(self._close(tasks)))

    async def _close(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        await asyncio.gather(*tasks, *self.asking, return_exceptions=True)
        while self.at_work:
            await asyncio.wait(self.at_work)
        self.ours.close()


async def _give(line: _Line, settled: Settled) -> None:
    """A part that waits when all is over is left: the plan has it, too."""
    while (part := await line.parts.get()) is not _LAST:
        if line.over:
            return
        await settled(part)
