"""Vendors: versioned documents, written over the version they were read at."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Set

from contracts.vendors import Vendor
from dispatcher.domain.decision import Decision
from dispatcher.domain.refusals import Stale
from dispatcher.store import codec
from dispatcher.store.aside import Item
from dispatcher.store.changes import add_decisions
from dispatcher.store.codec import Versioned
from dispatcher.store.hints import CHANGED
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.outcome import Outcome
from dispatcher.store.program import Program
from dispatcher.store.resp import text_of

VENDOR = "vendor"  # what is set aside

LOOK_EVERY_S = 1.0  # real


class VendorPart:
    """The vendors of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.committer, self.aside, self.keys = node.reader, node.committer, node.aside, keys
        self._known = set[str]()  # ids of vendors, which stay; `unknown` alone reads it
        self._look_s = 0.0

    async def get(self, vendor_id: str) -> Versioned[Vendor] | None:
        """The vendor and its version, or None. Raises Unreadable, with the version to write over."""
        raw = await self.reader.get(self.keys.vendor(vendor_id))
        return self._read(vendor_id, raw) if raw else None

    async def get_all(self) -> dict[str, Versioned[Vendor]]:
        """All vendors of the market that can be read, by id, in the order of their ids."""
        keys = self.keys
        ids = sorted(map(text_of, await self.reader.ask("SMEMBERS", keys.vendors)))
        pairs = zip(ids, await self.reader.get_all([keys.vendor(each) for each in ids]), strict=True)
        return self.aside.read_all(keys.market, VENDOR, pairs, codec.VENDOR.unpack, expected=True)

    async def unknown(self, ids: Set[str]) -> frozenset[str]:
        """Those of these ids that no vendor has, or got elsewhere within the last second (`LOOK_EVERY_S`)."""
        if not self._known.issuperset(ids) and time.monotonic() >= self._look_s:
            self._look_s = time.monotonic() + LOOK_EVERY_S  # first: who asks meanwhile does not look, too
            self._known |= set(map(text_of, await self.reader.ask("SMEMBERS", self.keys.vendors)))
        return frozenset(ids) - self._known

    async def page(self, after: str, limit: int) -> tuple[dict[str, Versioned[Vendor]], str | None]:
        """Up to `limit` vendors whose ids follow `after`, and where the next page starts, if any.

        All ids are read, as many as there are vendors, and the documents of one page.
        """
        keys = self.keys
        ids = sorted(map(text_of, await self.reader.ask("SMEMBERS", keys.vendors)))
        ids = ids[bisect_right(ids, after) :]
        some = ids[:limit]
        pairs = zip(some, await self.reader.get_all([keys.vendor(each) for each in some]), strict=True)
        found = self.aside.read_all(keys.market, VENDOR, pairs, codec.VENDOR.unpack, expected=True)
        return found, some[-1] if len(ids) > limit else None

    async def put(self, vendor: Vendor, expected_version: int | None = None, *, at_ms: int = 0) -> int:
        """Write it over `expected_version` (0: it is new; None: whatever is there); the new version.

        As `replace`. Raises Stale.
        """
        while True:
            version, current = await self.current(vendor.id)
            before = version if expected_version is None else expected_version
            outcome = await self.replace(before, current, vendor, at_ms=at_ms)
            if outcome.ok:
                return before + 1
            if expected_version is not None:
                raise stale(f"vendor {vendor.id}", before)

    async def replace(
        self,
        version: int,
        current: Versioned[Vendor] | None,
        vendor: Vendor,
        *,
        at_ms: int = 0,
        idempotency: IdempotencyRecord | None = None,
        entry: Decision | None = None,
    ) -> Outcome:
        """Write it over `version`, at which `current` was read: OK, STALE, or that this command was known.

        `entry`: who did it, for the audit.
        `at_ms`: the time from which on it is another vendor, unless it says the same of itself: what ops
        says of it is no reason to ask it again for what it declined.
        """
        keys = self.keys
        same = current is not None and current.value.as_claimed == vendor.as_claimed
        changed_ms = current.changed_ms if current is not None and same else at_ms
        program = Program()
        if idempotency is not None:
            program.remember(keys, idempotency)
        document = codec.pack(version + 1, vendor, changed_ms)
        program.document(vendor.id, keys.vendor(vendor.id), version, document)
        program.write(keys.vendors, "SADD", vendor.id)
        program.write(keys.wake, "PUBLISH", CHANGED + vendor.id)
        if entry is not None:
            add_decisions(program, keys, [entry], {})
        outcome = await self.committer.commit(program)
        if outcome.ok:
            self._known.add(vendor.id)
        return outcome

    async def current(self, vendor_id: str) -> tuple[int, Versioned[Vendor] | None]:
        """The version that stands there (0: none), and what it holds if that can be read."""
        raw = await self.reader.get(self.keys.vendor(vendor_id)) or b""
        if codec.is_headless(raw) or codec.VENDOR.is_newer(raw):
            self._read(vendor_id, raw)  # raises: it has no version that one could write over, or is whole
        found = self.aside.read_all(self.keys.market, VENDOR, [(vendor_id, raw)], codec.VENDOR.unpack)
        return codec.version_of(raw), found.get(vendor_id)

    def _read(self, vendor_id: str, raw: bytes) -> Versioned[Vendor]:
        item, version = Item(VENDOR, vendor_id), codec.version_of(raw)
        return self.aside.read(self.keys.market, item, raw, codec.VENDOR.unpack, version=version)


def stale(what: str, expected: int) -> Stale:
    """The refusal of a write over a version that is not current."""
    return Stale(
        f"{what} is not at version {expected}.\nMaybe read it again and send its ETag as If-Match.",
        expected_version=expected,
    )
