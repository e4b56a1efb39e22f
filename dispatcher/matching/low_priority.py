"""A process that comes after all others, and is stopped while anything that counts is solved."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from dispatcher.runtime.cancellation import may_be_left
from dispatcher.runtime.parent_death import end_with_starter
from dispatcher.runtime.priority import come_last
from dispatcher.runtime.unforeseen import ended_with, told_of

POLL_S, MOST_S = 0.05, 900.0  # real seconds; stopped and all, for so long it may take


def give_way() -> None:
    """In the process: Ctrl-C is for who started it, with whom it ends; all others come first."""
    end_with_starter()  # stopped meanwhile, it would not notice that nobody listens
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    come_last()


Work = Callable[[Connection, Any], None]  #: in the process: it answers on the line
Worker = Callable[..., Awaitable[Any]]  #: as `worked`


def _nobody(share: float) -> None:
    """Nobody hears how far it is."""


async def worked(
    work: Work,
    job: object,
    busy: Callable[[], bool],
    most_s: float = MOST_S,
    *,
    told: Callable[[float], None] = _nobody,
) -> Any:
    """What `work` says on its line, or a text: what went wrong. `busy`: whether it has to wait.

    `told` hears how far it is, of work that says so: a share on its line is not its answer.
    """
    try:
        async with started(work, job) as (process, line):
            return await _answer(process, line, busy, most_s, told)
    except OSError as error:  # no memory, no process left: it may be otherwise in a moment
        return told_of(error)


async def _answer(
    process: BaseProcess,
    line: Connection,
    busy: Callable[[], bool],
    most_s: float,
    told: Callable[[float], None],
) -> Any:
    """As `worked`."""
    stopped, until_s = False, time.monotonic() + most_s
    try:
        while True:
            if line.poll():  # at once
                said, stopped = await whole(line, process), False
                if not isinstance(said, float):
                    return said
                told(said)
                continue
            if time.monotonic() >= until_s:
                return "late"
            stopped = stopped_or_not(process, busy(), stopped)
            await asyncio.sleep(POLL_S)
    except (EOFError, OSError):
        process.join(1.0)  # its line is closed a moment before it has ended
        return ended_with(process.exitcode)


@contextlib.asynccontextmanager
async def started(work: Callable[..., None], *given: object) -> AsyncIterator[tuple[BaseProcess, Connection]]:
    """A process that does `work(line, *given)`, and our end of that line; ended at the end, stopped or not.

    Also if whoever waits is cancelled while it starts: nobody else would stop and end it. Raises OSError.
    """
    context, over = multiprocessing.get_context("forkserver"), threading.Event()
    line, other = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(other, *given), daemon=True)

    def start() -> None:
        process.start()
        other.close()
        if over.is_set():
            process.kill()

    try:
        await asyncio.to_thread(start)
        yield process, line
    finally:
        over.set()
        if process.pid is not None:
            process.kill()
            await asyncio.shield(asyncio.to_thread(process.join))
        line.close()


async def whole(line: Connection, process: BaseProcess) -> Any:
    """What begins to come off the line, to its end. Raises EOFError, OSError.

    Not in the loop, which would stand still as long. The process goes on meanwhile: stopped amid what it says
    it would never end it, and who waits for that lets nobody go on.
    """
    stopped_or_not(process, wanted=False, stopped=True)
    reading = asyncio.create_task(asyncio.to_thread(line.recv))
    may_be_left(reading)
    try:
        return await asyncio.shield(reading)
    except asyncio.CancelledError:  # the line is not closed while a thread reads there: see matching/parts.py
        process.kill()
        await asyncio.wait([reading])
        raise


def stopped_or_not(process: BaseProcess, wanted: bool, stopped: bool) -> bool:
    """Stop it while that is wanted, then let it go on; whether it is stopped now."""
    if wanted != stopped and process.pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGSTOP if wanted else signal.SIGCONT)
    return wanted
