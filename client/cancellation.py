"""Tasks that end when they are told to, even where a library swallowed the telling."""

from __future__ import annotations

import asyncio


def refuse_cancelled() -> None:
    """Raises CancelledError where this task was cancelled and nothing was raised.

    `asyncio.wait_for`, which the Redis client reads with, swallows a cancellation that comes together with
    the answer (Python 3.11, bpo-37658). Whoever waits for such a task would wait for ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling() > 0:
        raise asyncio.CancelledError
