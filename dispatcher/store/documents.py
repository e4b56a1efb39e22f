"""Documents of which a market has one each, beside its tuning: saved sets, profiles, shadow, canary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from dispatcher.domain.decision import Decision
from dispatcher.domain.refusals import Stale, Unreadable
from dispatcher.store import codec
from dispatcher.store.aside import Item
from dispatcher.store.changes import add_decisions
from dispatcher.store.codec import Versioned
from dispatcher.store.connection import misfiled
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.program import Program

Value = TypeVar("Value")


class DocumentPart(Generic[Value]):
    """One document: `what` it is called, in its key, too; `empty`: what it is before it was written."""

    def __init__(self, node: Node, keys: Keys, what: str, form: codec.Document[Value], empty: Value) -> None:
        self.reader, self.committer, self.aside, self.keys = node.reader, node.committer, node.aside, keys
        self.what, self.form, self.empty = what, form, empty
        self.key = keys.beside_tuning(what)

    async def get(self) -> Versioned[Value]:
        """What it holds; version 0 before it was written. Raises Unreadable: damaged, or of another type."""
        return self.found((await self.reader.ask_each([("GET", self.key)]))[0])

    def found(self, raw: bytes | Exception | None) -> Versioned[Value]:
        """The same of an answer that came with others. Raises Unreadable, or what was answered."""
        if isinstance(raw, Exception):
            raise self._of_another_type() if misfiled(raw) is not None else raw
        if not raw:
            return Versioned(0, self.empty)
        item, version = Item(self.what, self.keys.market), codec.version_of(raw)
        return self.aside.read(self.keys.market, item, raw, self.form.unpack, version=version)

    def write(self, program: Program, before: int, value: Value) -> None:
        """Over version `before`, as a part of a commit."""
        program.document(self.what, self.key, before, codec.pack(before + 1, value))

    async def put(
        self,
        value: Value,
        before: int,
        entry: Decision | None = None,
        also: Callable[[Program], None] | None = None,
    ) -> int:
        """Write it over version `before`; the new version. Raises Stale, Unwritable.

        `entry`: who did it, for the audit; `also` adds to the commit.
        """

        def whole(program: Program) -> None:
            self.write(program, before, value)
            if entry is not None:
                add_decisions(program, self.keys, [entry], {})
            if also is not None:
                also(program)

        await self.commit(whole)
        return before + 1

    async def commit(self, also: Callable[[Program], None]) -> None:
        """A commit of what `also` adds: this document, with what goes with it. Raises Stale, Unwritable."""
        program = Program()
        also(program)
        if not (await self.committer.commit(program)).ok:
            raise Stale(f"the {self.what} moved on.\nMaybe read it again and send its ETag as If-Match.")

    def _of_another_type(self) -> Unreadable:
        item = Item(self.what, self.keys.market)
        self.aside.note(self.keys.market, item, "another type")
        return Unreadable(
            f"the {self.what} of {self.keys.market} is stored as a key of another type, and cannot be read\n"
            f"Maybe delete the key {self.key}, and make it anew.",
            kind=item.kind,
            id=item.id,
        )
