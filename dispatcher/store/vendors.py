"""Vendors: versioned documents, written over the version they were read at."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.vendors import Vendor
from dispatcher.domain.refusals import Stale
from dispatcher.store import codec
from dispatcher.store.codec import Versioned
from dispatcher.store.connection import GET_TOGETHER
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.program import Program


class VendorPart:
    """The vendors of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.committer, self.keys = node.reader, node.committer, keys

    async def get(self, vendor_id: str) -> Versioned[Vendor] | None:
        """The vendor and its version, or None."""
        raw = await self.reader.get(self.keys.vendor(vendor_id))
        return codec.VENDOR.unpack(raw) if raw else None

    async def get_all(self) -> dict[str, Versioned[Vendor]]:
        """All vendors of the market by id, in the order of their ids."""
        keys = self.keys
        ids = sorted(each.decode() for each in await self.reader.ask("SMEMBERS", keys.vendors))
        found = await self.reader.get_all([keys.vendor(each) for each in ids])
        return {each: codec.VENDOR.unpack(raw) for each, raw in zip(ids, found, strict=True) if raw}

    async def unknown(self, ids: Sequence[str]) -> frozenset[str]:
        """Those of these ids that no vendor has."""
        steps = [ids[at : at + GET_TOGETHER] for at in range(0, len(ids), GET_TOGETHER)]
        found = await self.reader.ask_all([("SMISMEMBER", self.keys.vendors, *step) for step in steps])
        known = [is_known for step in found for is_known in step]
        return frozenset(each for each, is_known in zip(ids, known, strict=True) if not is_known)

    async def put(self, vendor: Vendor, expected_version: int | None = None, *, at_ms: int = 0) -> int:
        """Write it over `expected_version` (0: it is new; None: whatever is there); the new version.

        `at_ms`: the time from which on it is another vendor, unless it is the same. Raises Stale.
        """
        keys = self.keys
        key = keys.vendor(vendor.id)
        while True:
            current = await self.get(vendor.id)
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


def stale(what: str, expected: int) -> Stale:
    """The refusal of a write over a version that is not current."""
    return Stale(
        f"{what} is not at version {expected}.\nMaybe read it again and send its ETag as If-Match.",
        expected_version=expected,
    )
