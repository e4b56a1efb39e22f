"""A loop ends when it is told to, even where a library swallowed the telling."""

from __future__ import annotations

import asyncio
import contextlib

from dispatcher.runtime.cancellation import cancel_requested


async def test_a_cancellation_that_was_swallowed_still_ends_the_loop() -> None:
    rounds = 0

    async def loop() -> None:
        nonlocal rounds
        while not cancel_requested():
            rounds += 1
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)

    running = asyncio.create_task(loop())
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait_for(running, 20)
    assert rounds == 1
    assert not cancel_requested()
