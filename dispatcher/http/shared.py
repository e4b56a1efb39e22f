"""One answer for all who ask at once: it is made once, whoever asks first, and serves for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from dispatcher.runtime.cancellation import may_be_left

Result = TypeVar("Result")


class Shared(Generic[Result]):
    """What `make` gives; while it is being made, and for `keep_s` (real seconds) after, all get the same."""

    def __init__(self, make: Callable[[], Awaitable[Result]], keep_s: float = 0.0) -> None:
        self._make, self._keep_s = make, keep_s
        self._making: asyncio.Task[Result] | None = None
        self._until = 0.0

    async def get(self) -> Result:
        """The result, or what `make` raised. A caller that goes away takes it from nobody else."""
        now = asyncio.get_running_loop().time()
        if self._making is None or (self._making.done() and now >= self._until):
            self._making = asyncio.create_task(self._made())
            may_be_left(self._making)
        return await asyncio.shield(self._making)

    async def _made(self) -> Result:
        try:
            return await self._make()
        finally:
            self._until = asyncio.get_running_loop().time() + self._keep_s
