"""Threads of one market: each message's text is sealed for that message of that thread."""

from __future__ import annotations

from collections.abc import Sequence

from dispatcher.domain.threads import THREAD_KIND, Posted
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.records import Records

MESSAGE = "message"  # what is set aside of a thread beside its record
UNREADABLE = "(this message cannot be read)"


class ThreadPart:
    """The threads of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.vault, self.aside, self.market = node.vault, node.aside, keys.market
        self.records = Records(node, keys, THREAD_KIND)

    def seal(self, thread: str, message: str, text: str) -> bytes:
        """A message's text as it is stored."""
        return self.vault.seal(self.market, f"{thread}/{message}", text.encode())

    def open(self, thread: str, messages: Sequence[Posted]) -> list[str]:
        """Their texts; a word in place of one that cannot be read: the others are still there."""
        return [self._text(thread, each) for each in messages]

    def _text(self, thread: str, message: Posted) -> str:
        name = f"{thread}/{message.id}"

        def opened(sealed: bytes) -> str:
            return self.vault.open(self.market, name, sealed).decode()

        found = self.aside.read_all(self.market, MESSAGE, [(name, message.sealed)], opened)
        return found.get(name, UNREADABLE)
