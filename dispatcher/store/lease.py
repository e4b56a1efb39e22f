"""One matcher a market: the lease for efficiency, the fence number for safety."""

from __future__ import annotations

from dispatcher.store import script
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node


class LeasePart:
    """Which matcher owns one market. Repeating any of these is harmless."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.keys = node.reader, keys

    async def acquire(self, owner: str, ttl_ms: int) -> int | None:
        """The fence number that commits must carry from now on, or None: another owns the market."""
        return int(await self._lease("acquire", owner, ttl_ms)) or None

    async def renew(self, owner: str, ttl_ms: int) -> bool:
        """Whether the lease is still ours, now for `ttl_ms` more."""
        return bool(await self._lease("renew", owner, ttl_ms))

    async def release(self, owner: str) -> bool:
        """Give the market back; False if it was no longer ours."""
        return bool(await self._lease("release", owner, 0))

    async def owner(self) -> str | None:
        """Who owns the market now."""
        current = await self.reader.ask("GET", self.keys.lease)
        return current.decode() if current else None

    async def _lease(self, verb: str, owner: str, ttl_ms: int) -> int:
        keys = [self.keys.lease, self.keys.fence]
        return int(await script.run(self.reader, "lease", keys, verb, owner, ttl_ms))
