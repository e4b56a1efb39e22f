"""The saved views of a market: one versioned document."""

from __future__ import annotations

from contracts.views import SavedViews
from dispatcher.store import codec
from dispatcher.store.aside import Item
from dispatcher.store.codec import Versioned
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.program import Program
from dispatcher.store.vendors import stale

VIEWS = "views"  # what is set aside


class ViewPart:
    """The views of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.committer, self.aside, self.keys = node.reader, node.committer, node.aside, keys

    async def get(self) -> Versioned[SavedViews]:
        """All views; version 0 if there never were any. Raises Unreadable, with the version to write over."""
        raw = await self.reader.get(self.keys.views)
        if not raw:
            return Versioned(0, SavedViews())
        item, version = Item(VIEWS, ""), codec.version_of(raw)
        return self.aside.read(self.keys.market, item, raw, codec.VIEWS.unpack, version=version)

    async def put(self, views: SavedViews, expected_version: int) -> int:
        """Write them over that version (0: there are none yet); the new version. Raises Stale, Unwritable."""
        program = Program()
        document = codec.pack(expected_version + 1, views)
        program.document(VIEWS, self.keys.views, expected_version, document)
        if not (await self.committer.commit(program)).ok:
            raise stale("the list of views", expected_version)
        return expected_version + 1
