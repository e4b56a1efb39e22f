"""Engines that ask a server, and waiting for them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from dispatcher.travel.breaker import Breaker
from dispatcher.travel.engine import Engine
from dispatcher.travel.url import TravelUrl


@asynccontextmanager
async def running(kind: str, port: int, **options: object) -> AsyncIterator[Engine]:
    """An engine that asks the server there; after a failure it pauses for next to no time."""
    url = TravelUrl.parse(f"{kind}+http://127.0.0.1:{port}")
    engine = Engine(url, **{"breaker": Breaker(0.01, 0.05), **options})  # type: ignore[arg-type]
    work = asyncio.create_task(engine.run())
    try:
        yield engine
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def until(true: Callable[[], bool]) -> None:
    """Wait for it; the time limit only stops a test that would never end."""
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.005)
