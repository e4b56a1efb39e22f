"""The turn of a call that is being handled: waited for, given up early, or lent to others meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp.web_request import BaseRequest

from dispatcher.http.door import Turn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Told = Callable[[Exception | None], None]


async def entered(turn: Turn, wait_s: float) -> None:
    """Once its turn has come. Raises TooMany, Overloaded; ConnectionError when its caller hangs up."""
    await _wait(turn, turn.enter, wait_s)


@asynccontextmanager
async def lent(request: BaseRequest, wait_s: float) -> AsyncIterator[None]:
    """Others may work meanwhile. Raises Overloaded, ConnectionError, as `entered`."""
    turn: Turn | None = getattr(request.protocol, "turn", None)
    if turn is None:
        yield
        return
    turn.step_aside()
    yield
    await _wait(turn, turn.come_back, wait_s)


def over(request: BaseRequest) -> None:
    """The call does no more work: it is answered, or it follows events from here on."""
    turn: Turn | None = getattr(request.protocol, "turn", None)
    if turn is not None:
        turn.leave()


async def _wait(turn: Turn, begin: Callable[[], bool], wait_s: float) -> None:
    future = asyncio.get_running_loop().create_future()

    def told(error: Exception | None) -> None:
        if not future.done():
            future.set_exception(error) if error else future.set_result(None)

    turn.told = told
    if begin():
        return
    try:
        async with asyncio.timeout(wait_s):
            await future
    except TimeoutError:
        turn.leave()
        raise turn.lane.overloaded() from None
    except BaseException:
        turn.leave()
        raise
