"""Loops that end when they are told to, even where a library swallowed the telling."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

INSIST_S: Final = 0.2


def cancel_requested() -> bool:
    """Whether this task was cancelled, even if nothing was raised.

    `asyncio.wait_for`, which the Redis client reads with, swallows a cancellation that comes together with
    the answer (Python 3.11, bpo-37658): two out of three that met a read on its way, when it was measured.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def may_be_left(shared: asyncio.Task[Any]) -> None:
    """Of a task that many wait for: where all have left, nobody hears why it failed, and nobody has to.

    asyncio would log that as a defect.
    """
    shared.add_done_callback(_heard)


def _heard(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()


async def end_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel until they end: redis-py loses a cancellation that comes while it connects."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=INSIST_S)
