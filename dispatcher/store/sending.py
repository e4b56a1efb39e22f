"""Whether anybody sends notifications in a market: where nobody does, none is kept to be sent."""

from __future__ import annotations

from dispatcher.store.keys import Keys
from dispatcher.store.node import Node

NOTHING = b"1"


class SendingPart:
    """Said by the matcher that begins to serve the market; read by who decides. Repeating any is harmless."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.key = node.reader, keys.sends_nothing

    async def tell(self, *, nothing: bool) -> None:
        """That there is no way out here; or that there is one. Raises Unavailable."""
        await (self.reader.ask("SET", self.key, NOTHING) if nothing else self.reader.ask("DEL", self.key))

    async def nothing(self) -> bool:
        """Whether nobody sends; False as long as nobody has said so, or the key is another's."""
        return await self.reader.get(self.key) == NOTHING
