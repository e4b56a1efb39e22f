"""The dead letters of one market: what cannot be used, by name and reason, never by content.

The entry itself stays in its stream until housekeeping trims it; as long as it does, it can be sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dispatcher.domain.decision import Decision
from dispatcher.store import events
from dispatcher.store.changes import add_decisions
from dispatcher.store.events import Entry, place
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.program import Program
from dispatcher.store.resp import text_of


class Letter(NamedTuple):
    """A dead letter: its own id, the stream and id of the entry, and why it was put aside."""

    id: str
    stream: str
    entry_id: str
    reason: str

    @property
    def at_ms(self) -> int:
        """When, by the server's clock."""
        return place(self.id)[0]


class DeadLetterPart:
    """The dead-letter stream of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.committer, self.keys = node.reader, node.committer, keys

    async def bury(self, entry: Entry, group: str, reason: str) -> None:
        """Move a poisonous entry aside: stream, id and reason are kept, its body is not repeated anywhere.

        It is acknowledged in the same commit, or not at all. Raises Unavailable, Unwritable.
        """
        program = Program()
        program.once(self.keys)
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

    async def page(self, before: str, limit: int) -> tuple[list[Letter], str]:
        """Up to `limit` letters before an id ("": the newest), and where the next page starts ("": none)."""
        if before and not any(map(int, before.split("-"))):
            return [], ""  # nothing stands before the first id there is
        start = f"({before}" if before else "+"
        found = await self.reader.ask("XREVRANGE", self.keys.dead, start, "-", "COUNT", limit + 1)
        letters = [_letter(name, fields) for name, fields in found]
        return letters[:limit], letters[limit - 1].id if len(letters) > limit else ""

    async def get(self, letter_id: str) -> Letter | None:
        """One letter."""
        found = await self.reader.ask("XRANGE", self.keys.dead, letter_id, letter_id)
        return next((_letter(name, fields) for name, fields in found), None)

    async def entries(self, letters: Sequence[Letter]) -> dict[str, Entry]:
        """What still stands in its stream, by letter; a key of another type holds nothing of ours."""
        asked = [each for each in letters if self._is_reply_stream(each.stream)]
        words = [("XRANGE", each.stream, each.entry_id, each.entry_id) for each in asked]
        answers = await self.reader.ask_each(words)
        return {
            each.id: Entry(each.stream, each.entry_id, fields[events.FIELD.encode()])
            for each, found in zip(asked, answers, strict=True)
            if not isinstance(found, Exception)
            for _, fields in found
            if events.FIELD.encode() in fields
        }

    async def send_again(self, letter: Letter, entry: Entry, act: Decision) -> None:
        """Append the entry once more to where its writer writes, then forget the letter.

        Once however often it is asked for: who dies between the two does not append it again. Its event has
        the id that it had, so that what had its effect meanwhile has no second one.
        """
        keys, program = self.keys, Program()
        program.remember(keys, IdempotencyRecord.of("send-again", letter.id, letter.stream.encode()))
        writer = keys.writer_of(entry.stream)
        target = keys.replies(writer) if writer else keys.shared_replies
        program.write(target, "XADD", "*", events.FIELD, entry.event)
        add_decisions(program, keys, [act], {})
        await self.committer.commit(program)
        await self._remove(letter)

    async def forget(self, letter: Letter, act: Decision) -> None:
        """It needs nobody's eyes any more; its entry goes with it. `act`: who says so, for the audit."""
        program = Program()
        add_decisions(program, self.keys, [act], {})
        await self.committer.commit(program)
        await self._remove(letter)

    async def _remove(self, letter: Letter) -> None:
        words = [("XDEL", self.keys.dead, letter.id)]
        if self._is_reply_stream(letter.stream):
            words.insert(0, ("XDEL", letter.stream, letter.entry_id))
        await self.reader.ask_all(words)

    def _is_reply_stream(self, stream: str) -> bool:
        """Whether it is one of this market's: a letter names a key, and is no leave to write on another."""
        writer = self.keys.writer_of(stream)
        return stream in self.keys.reply_streams([writer] if writer else [])


def _letter(name: bytes, fields: dict[bytes, bytes]) -> Letter:
    told = {text_of(key): text_of(value) for key, value in fields.items()}
    return Letter(text_of(name), told.get("stream", ""), told.get("id", ""), told.get("reason", ""))
