"""Documents of which a market has one each, beside its tuning: saved sets, profiles, shadow, canary."""

from __future__ import annotations

from typing import Generic, TypeVar

from redis.exceptions import ResponseError

from dispatcher.domain.refusals import Unreadable
from dispatcher.store import codec
from dispatcher.store.aside import Item
from dispatcher.store.codec import Versioned
from dispatcher.store.connection import misfiled
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.program import Program
from dispatcher.store.vendors import stale

Value = TypeVar("Value")


class DocumentPart(Generic[Value]):
    """One document: `what` it is called, in its key, too; `empty`: what it is before it was written."""

    def __init__(self, node: Node, keys: Keys, what: str, form: codec.Document[Value], empty: Value) -> None:
        self.reader, self.committer, self.aside, self.keys = node.reader, node.committer, node.aside, keys
        self.what, self.form, self.empty = what, form, empty
        self.key = keys.beside_tuning(what)

    async def get(self) -> Versioned[Value]:
        """What it holds; version 0 before it was written. Raises Unreadable: damaged, or of another type."""
        try:
            raw = await self.reader.ask("GET", self.key)
        except ResponseError as error:
            if misfiled(error) is None:
                raise
            raise self._of_another_type() from error
        return self.read(raw)

    def read(self, raw: bytes | None) -> Versioned[Value]:
        """The same of what was read with other keys."""
        if not raw:
            return Versioned(0, self.empty)
        item, version = Item(self.what, self.keys.market), codec.version_of(raw)
        return self.aside.read(self.keys.market, item, raw, self.form.unpack, version=version)

    def write(self, program: Program, before: int, value: Value) -> None:
        """Over version `before`, as a part of a commit."""
        program.document(self.what, self.key, before, codec.pack(before + 1, value))

    def rely(self, program: Program, version: int) -> None:
        """The commit goes on only while it is at this version."""
        program.unchanged(self.what, self.key, version)

    async def put(self, value: Value, before: int) -> int:
        """Write it over version `before`; the new version. Raises Stale, Unwritable."""
        program = Program()
        self.write(program, before, value)
        if not (await self.committer.commit(program)).ok:
            raise stale(self.what, before)
        return before + 1

    def _of_another_type(self) -> Unreadable:
        item = Item(self.what, self.keys.market)
        self.aside.note(self.keys.market, item, "another type")
        return Unreadable(
            f"the {self.what} of {self.keys.market} is stored as a key of another type, and cannot be read\n"
            f"Maybe delete the key {self.key}, and make it anew.",
            kind=item.kind,
            id=item.id,
        )
