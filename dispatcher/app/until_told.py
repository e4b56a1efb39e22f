"""A process works until it is told to end, and ends all that it does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from dispatcher.runtime.cancellation import end_all
from dispatcher.runtime.signals import on_ending


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
        await end_all(tasks)
