"""One matcher a market: the lease for efficiency, the fence for safety."""

from __future__ import annotations

import secrets
from typing import Any

from dispatcher.store import script
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.resp import text_of

NONCE_BYTES = 8


class LeasePart:
    """Which matcher owns one market. Repeating any of these is harmless.

    `names`: the keys of another lease, and of its fence.
    """

    def __init__(self, node: Node, keys: Keys, names: tuple[str, str] | None = None) -> None:
        self.reader = node.reader
        self.lease, self.fence = names or (keys.lease, keys.fence)

    async def acquire(self, owner: str, ttl_ms: int) -> str | None:
        """The fence that commits must carry from now on, a new one; None: another owns the market."""
        nonce = secrets.token_hex(NONCE_BYTES)
        return text_of(await self._lease("acquire", owner, ttl_ms, nonce)) or None

    async def renew(self, owner: str, ttl_ms: int) -> bool:
        """Whether the lease is still ours, now for `ttl_ms` more."""
        return bool(await self._lease("renew", owner, ttl_ms))

    async def release(self, owner: str) -> bool:
        """Give the market back; False if it was no longer ours."""
        return bool(await self._lease("release", owner))

    async def owner(self) -> str | None:
        """Who owns the market now."""
        current = await self.reader.ask("GET", self.lease)
        return current.decode() if current else None

    async def _lease(self, verb: str, owner: str, *more: int | str) -> Any:
        return await script.run(self.reader, "lease", [self.lease, self.fence], verb, owner, *more)
