"""One matcher a market: the lease for efficiency, the fence number for safety."""

from __future__ import annotations

from redis.exceptions import NoScriptError

from dispatcher.store import script
from dispatcher.store.base import Base
from dispatcher.store.keys import Keys


class Leases(Base):
    """The part of the store that says which matcher owns a market. Repeating any of these is harmless."""

    async def acquire(self, market: str, owner: str, ttl_ms: int) -> int | None:
        """The fence number that commits must carry from now on, or None: another owns the market."""
        return int(await self._lease(market, "acquire", owner, ttl_ms)) or None

    async def renew(self, market: str, owner: str, ttl_ms: int) -> bool:
        """Whether the lease is still ours, now for `ttl_ms` more."""
        return bool(await self._lease(market, "renew", owner, ttl_ms))

    async def release(self, market: str, owner: str) -> bool:
        """Give the market back; False if it was no longer ours."""
        return bool(await self._lease(market, "release", owner, 0))

    async def owner(self, market: str) -> str | None:
        """Who owns the market now."""
        current = await self.reader.ask("GET", Keys(market).lease)
        return current.decode() if current else None

    async def _lease(self, market: str, verb: str, owner: str, ttl_ms: int) -> int:
        keys = Keys(market)
        words = (2, keys.lease, keys.fence, verb, owner, ttl_ms)
        text = script.source("lease")
        try:
            return int(await self.reader.ask("EVALSHA", script.sha(text), *words))
        except NoScriptError:
            return int(await self.reader.ask("EVAL", text, *words))
