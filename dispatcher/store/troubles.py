"""What goes wrong in one market, where every process can see it: counts for metrics, and what fails now."""

from __future__ import annotations

from collections.abc import Mapping

from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.resp import text_of

TOLD_MS = 120_000  # real ms: a trouble that is not told again is over, or its process is


class TroublePart:
    """The troubles of one market: `unreadable:<kind>` and `failed:<loop>`, without ids."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.keys = node.reader, keys

    async def count(self, what: str, number: int = 1) -> None:
        """One more, or so many."""
        await self.reader.ask("HINCRBY", self.keys.troubles, what, number)

    async def tell(self, loop: str, reason: str) -> None:
        """This loop fails now; it tries on."""
        await self.reader.ask("SET", self.keys.trouble(loop), reason, "PX", TOLD_MS)

    async def over(self, loop: str) -> None:
        """It works again."""
        await self.reader.ask("DEL", self.keys.trouble(loop))

    async def counts(self) -> Mapping[str, int]:
        """How often each came since the store was new."""
        found = await self.reader.ask("HGETALL", self.keys.troubles)
        return {text_of(what): int(count) for what, count in found.items()}

    async def now(self, loops: tuple[str, ...]) -> Mapping[str, str]:
        """Those of these loops that fail, and why."""
        found = await self.reader.get_all([self.keys.trouble(each) for each in loops])
        return {each: text_of(reason) for each, reason in zip(loops, found, strict=True) if reason}
