"""Threads of one market: each message's text is sealed for that message of that thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contracts.threads import About
from dispatcher.domain.threads import THREAD_KIND, UNREAD, WRITTEN, Posted, person_on, thread_id
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
        self.reader, self.keys = node.reader, keys

    async def unread(self, dispatches: Sequence[str], subject: str) -> Mapping[str, int]:
        """How many messages of others one of its vendor's people has not read on each of these, if any.

        Of whoever never wrote or read on one, that is all there are. Raises Unavailable.
        """
        if not dispatches:
            return {}
        names = [thread_id(About.DISPATCH, each) for each in dispatches]
        people = [person_on(each, subject) for each in names]
        asked = [
            ("ZMSCORE", self.keys.list(UNREAD), *people),
            ("ZMSCORE", self.keys.list(WRITTEN), *names),
        ]
        own, written = (
            [None] * len(names) if isinstance(each, Exception) else each
            for each in await self.reader.ask_each(asked)
        )
        counts = (all_ if one is None else one for one, all_ in zip(own, written, strict=True))
        return {name: int(each) for name, each in zip(dispatches, counts, strict=True) if each and int(each)}

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
