"""The dead letters of one market: what cannot be used, by name and reason, never by content."""

from __future__ import annotations

from dispatcher.store.events import Entry
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.program import Program
from dispatcher.store.resp import text_of


class DeadLetterPart:
    """The dead-letter stream of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.committer, self.keys = node.reader, node.committer, keys

    async def bury(self, entry: Entry, group: str, reason: str) -> None:
        """Move a poisonous entry aside: stream, id and reason are kept, its body is not repeated anywhere.

        It is acknowledged in the same commit, or not at all. Raises Unavailable, Unwritable.
        """
        program = Program()
        program.write(self.keys.dead, "XADD", "*", "stream", entry.stream, "id", entry.id, "reason", reason)
        program.write(entry.stream, "XACK", group, entry.id)
        await self.committer.commit(program)

    async def count(self) -> int:
        """How many there are."""
        return int(await self.reader.ask("XLEN", self.keys.dead))

    async def get_all(self, count: int = 100) -> list[dict[str, str]]:
        """`stream`, `id`, `reason` of each, oldest first."""
        found = await self.reader.ask("XRANGE", self.keys.dead, "-", "+", "COUNT", count)
        return [{text_of(name): text_of(value) for name, value in fields.items()} for _, fields in found]
