"""Single values that many ask for at once: whoever asks in one turn of the event loop shares one answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

Fetch = Callable[[Sequence[str]], Awaitable[list[bytes | None]]]
Waiting = dict[str, "asyncio.Future[bytes | None]"]


class BatchedReads:
    """`get` for one key over `fetch` for many of one market; a round trip costs more than a value."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._waiting: dict[str, Waiting] = {}  # by market: a cluster answers for one slot at a time
        self._batches: set[asyncio.Task[None]] = set()

    async def get(self, key: str) -> bytes | None:
        """The value as it is after this call began; None if there is none. Raises what `fetch` raises."""
        return await asyncio.shield(self._asked(key))  # who leaves must not take the others' answer along

    async def get_each(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of several keys of one market, in the order asked for: they come together."""
        asked = [self._asked(key) for key in keys]
        return [await asyncio.shield(each) for each in asked]

    def _asked(self, key: str) -> asyncio.Future[bytes | None]:
        loop = asyncio.get_running_loop()
        market = key.partition("}")[0]
        waiting = self._waiting.get(market)
        if waiting is None:
            waiting = self._waiting[market] = {}
            loop.call_soon(self._send_batch, market)
        future = waiting.get(key)
        if future is None:
            future = waiting[key] = loop.create_future()
        return future

    def _send_batch(self, market: str) -> None:
        batch = asyncio.create_task(self._fetch_batch(self._waiting.pop(market)))
        self._batches.add(batch)
        batch.add_done_callback(self._batches.discard)

    async def _fetch_batch(self, waiting: Waiting) -> None:
        try:
            values = await self._fetch(list(waiting))
        except BaseException as error:
            for future in waiting.values():
                future.set_exception(error)
                future.exception()  # all who asked may have left
            if not isinstance(error, Exception):
                raise
        else:
            for future, value in zip(waiting.values(), values, strict=True):
                future.set_result(value)
