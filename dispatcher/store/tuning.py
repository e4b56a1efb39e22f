"""A market's tuning: a versioned document, written over the version it was read at."""

from __future__ import annotations

from msgspec.structs import replace

from contracts.tuning import Tuning, parted, renamed
from dispatcher.domain.refusals import Unreadable
from dispatcher.store import codec
from dispatcher.store.aside import Item
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.outcome import Status
from dispatcher.store.program import Program
from dispatcher.store.vendors import stale


class TuningPart:
    """The tuning of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.committer, self.aside, self.keys = node.reader, node.committer, node.aside, keys
        self._last = Tuning()

    async def get(self) -> Tuning:
        """The tuning as stored; version 0 if none was ever set. Raises Unreadable, with the version."""
        raw = await self.reader.get(self.keys.tuning)
        if not raw:
            return Tuning()
        item, version = Item("tuning", self.keys.market), codec.version_of(raw)
        found = self.aside.read(self.keys.market, item, raw, codec.TUNING.unpack, version=version).value
        values, lists = parted(renamed({**found.values, **found.lists}))
        self._last = replace(found, values=values, lists=lists)
        return self._last

    async def in_force(self) -> Tuning:
        """The tuning to work by: if it cannot be read, the last that this process read, or the defaults."""
        try:
            return await self.get()
        except Unreadable:
            return self._last

    async def put(self, tuning: Tuning, expected_version: int | None = None) -> int:
        """Write it; `tuning.version` must follow the version it replaces. Raises Stale."""
        before = tuning.version - 1 if expected_version is None else expected_version
        if tuning.version != before + 1:
            raise stale("tuning", before)
        program = Program()
        program.document("tuning", self.keys.tuning, before, codec.pack(tuning.version, tuning))
        outcome = await self.committer.commit(program)
        if outcome.status is Status.STALE:
            raise stale("tuning", before)
        return tuning.version
