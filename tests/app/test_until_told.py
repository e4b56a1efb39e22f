"""A process ends when it is told to, or when what it cannot do without fails; and ends all that it does."""

import asyncio
import os
import signal

import pytest

from dispatcher.app.until_told import until_told


async def test_it_ends_what_runs_when_it_is_told_to() -> None:
    ended = []

    async def works() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def tells() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await works()

    await until_told(works(), tells())
    assert ended == [True, True]


async def test_what_fails_is_raised_once_the_others_have_ended() -> None:
    async def fails() -> None:
        raise ValueError("it cannot go on")

    async def loses_the_first_cancellation() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.Event().wait()

    with pytest.raises(ValueError, match="it cannot go on"):
        await until_told(loses_the_first_cancellation(), fails())
