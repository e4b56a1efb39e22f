"""Which matchers live: each says so of every market that it serves, and hears who else does."""

from __future__ import annotations

from dispatcher.store import script
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.resp import text_of


class MatchersPart:
    """The matchers of one market. Repeating any of these is harmless."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.keys = node.reader, keys

    async def announce(self, name: str, ttl_ms: int) -> frozenset[str]:
        """Say that `name` lives, for `ttl_ms`; all that live. Raises Unavailable."""
        return await self._matchers("here", name, ttl_ms)

    async def leave(self, name: str) -> frozenset[str]:
        """Say that `name` ends; the others that live. Raises Unavailable."""
        return await self._matchers("gone", name)

    async def _matchers(self, *words: str | int) -> frozenset[str]:
        found = await script.run(self.reader, "living", [self.keys.matchers], *words)
        return frozenset(map(text_of, found))
