"""A process that comes after all others, and is stopped while anything that counts is solved."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from dispatcher.runtime.parent_death import end_with_starter
from dispatcher.runtime.priority import come_last
from dispatcher.runtime.unforeseen import ended_with

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
    context = multiprocessing.get_context("forkserver")
    line, other = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(other, job), daemon=True)
    try:
        await asyncio.to_thread(process.start)
        other.close()
        stopped, until_s = False, time.monotonic() + most_s
        while True:
            if line.poll():  # at once
                said = await asyncio.to_thread(line.recv)
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
    finally:
        if process.pid is not None:
            process.kill()
            await asyncio.shield(asyncio.to_thread(process.join))
        line.close()


def stopped_or_not(process: BaseProcess, wanted: bool, stopped: bool) -> bool:
    """Stop it while that is wanted, then let it go on; whether it is stopped now."""
    if wanted != stopped and process.pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGSTOP if wanted else signal.SIGCONT)
    return wanted
