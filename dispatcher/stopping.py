"""Loops that end when they are told to, even where a library swallowed the telling."""

from __future__ import annotations

import asyncio


def told_to_stop() -> bool:
    """Whether this task was cancelled: the Redis client may swallow a cancellation while it connects."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
