"""Vendors and a market's tuning: versioned documents, written over the version they were read at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from contracts.tuning import Tuning
from contracts.vendors import Vendor
from dispatcher.domain.refusals import Stale
from dispatcher.store import codec
from dispatcher.store.base import Base
from dispatcher.store.codec import Document, Versioned
from dispatcher.store.keys import Keys
from dispatcher.store.outcome import Status
from dispatcher.store.program import Program

Value = TypeVar("Value")


class Marks(NamedTuple):
    """How many pieces of a vendor's work went well, and badly."""

    well: int
    badly: int


class Vendors(Base):
    """The part of the store that holds vendors."""

    async def vendor(self, market: str, vendor_id: str) -> Versioned[Vendor] | None:
        """The vendor and its version, or None."""
        return await self._document(codec.VENDOR, Keys(market).vendor(vendor_id))

    async def vendors(self, market: str) -> dict[str, Versioned[Vendor]]:
        """All vendors of the market by id, in the order of their ids."""
        keys = Keys(market)
        ids = sorted(each.decode() for each in await self.reader.ask("SMEMBERS", keys.vendors))
        found = await self.reader.get_all([keys.vendor(each) for each in ids])
        return {each: codec.VENDOR.unpack(raw) for each, raw in zip(ids, found, strict=True) if raw}

    async def put_vendor(
        self, market: str, vendor: Vendor, expected_version: int | None = None, *, at_ms: int = 0
    ) -> int:
        """Write it over `expected_version` (0: it is new; None: whatever is there); the new version.

        `at_ms`: the time from which on it is another vendor, unless it is the same. Raises Stale.
        """
        keys = Keys(market)
        key = keys.vendor(vendor.id)
        while True:
            current = await self.vendor(market, vendor.id)
            before = (current.version if current else 0) if expected_version is None else expected_version
            changed_ms = current.changed_ms if current and current.value == vendor else at_ms
            program = Program()
            program.document(vendor.id, key, before, codec.pack(before + 1, vendor, changed_ms))
            program.write(keys.vendors, "SADD", vendor.id)
            program.write(keys.wake, "PUBLISH", b"")
            outcome = await self.committer.commit(program)
            if outcome.ok:
                return before + 1
            if expected_version is not None:
                raise stale(f"vendor {vendor.id}", before)

    async def marks(self, market: str, months: Sequence[str]) -> dict[str, Marks]:
        """Each vendor's record over these months (yyyy-mm), by vendor id; none for one without work."""
        keys, found = Keys(market), dict[str, Marks]()
        for counts in await self.reader.ask_all([("HGETALL", keys.marks(each)) for each in months]):
            for field, count in counts.items():
                vendor, _, how = field.decode().rpartition(":")
                so_far = found.get(vendor, Marks(0, 0))
                found[vendor] = so_far._replace(**{how: getattr(so_far, how) + int(count)})
        return found

    async def tuning(self, market: str) -> Tuning:
        """The tuning in force; version 0 if none was ever set."""
        found = await self._document(codec.TUNING, Keys(market).tuning)
        return found.value if found else Tuning()

    async def put_tuning(self, market: str, tuning: Tuning, expected_version: int | None = None) -> int:
        """Write it; `tuning.version` must follow the version it replaces. Raises Stale."""
        before = tuning.version - 1 if expected_version is None else expected_version
        if tuning.version != before + 1:
            raise stale("tuning", before)
        program = Program()
        program.document("tuning", Keys(market).tuning, before, codec.pack(tuning.version, tuning))
        outcome = await self.committer.commit(program)
        if outcome.status is Status.STALE:
            raise stale("tuning", before)
        return tuning.version

    async def _document(self, kind: Document[Value], key: str) -> Versioned[Value] | None:
        raw = await self.reader.get(key)
        return kind.unpack(raw) if raw else None


def stale(what: str, expected: int) -> Stale:
    """The refusal of a write over a version that is not current."""
    return Stale(
        f"{what} is not at version {expected}.\nMaybe read it again and send its ETag as If-Match.",
        expected_version=expected,
    )
