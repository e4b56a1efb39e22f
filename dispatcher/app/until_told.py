"""A process works until it is told to end, and ends all that it does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from dispatcher.runtime.signals import on_ending

INSIST_S = 0.2


async def until_told(*works: Coroutine[None, None, None]) -> None:
    """Work until SIGTERM or SIGINT. A market's loops look after themselves; beside them, what fails ends the
    process, and the supervisor starts it anew.
    """
    ending = asyncio.Event()
    on_ending(ending.set)
    tasks = [asyncio.ensure_future(work) for work in (*works, ending.wait())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await _end(tasks)


async def _end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel until they end: redis-py loses a cancellation that comes while it connects."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=INSIST_S)
