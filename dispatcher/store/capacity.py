"""Posted capacity and the ledgers made from it. What is booked is never silently more than what is posted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from contracts.base import Day
from contracts.capacity import Capacity
from contracts.local_day import LocalDay
from dispatcher.domain.decision import Decision
from dispatcher.domain.refusals import OverBooked, Stale
from dispatcher.store import codec, ledger, pools
from dispatcher.store.aside import Item
from dispatcher.store.changes import add_decisions
from dispatcher.store.codec import Versioned
from dispatcher.store.hints import CHANGED
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import Ledger, LedgerKey
from dispatcher.store.node import Node
from dispatcher.store.outcome import Status
from dispatcher.store.program import Program
from dispatcher.store.resp import text_of
from dispatcher.store.vendors import stale

UTC: Final = ZoneInfo("UTC")
POSTING, LEDGER = "posting", "ledger"  # what is set aside
NAMED = 5  # over-booked buckets spelled out in the refusal's text; `facts` has them all


class CapacityPart:
    """The capacity of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.committer, self.aside, self.keys = node.reader, node.committer, node.aside, keys

    async def get(self, vendor_id: str, day: Day) -> Versioned[Capacity] | None:
        """A vendor's posting for one day, or None. Raises Unreadable, with the version to write over."""
        raw = await self.reader.get(self.keys.capacity(vendor_id, day.isoformat()))
        return self._read(_name(vendor_id, day), raw) if raw else None

    async def get_all(self, days: Iterable[Day]) -> dict[tuple[str, str], Versioned[Capacity]]:
        """Every readable posting for these days by (vendor, ISO day), in the order of day and vendor."""
        keys, numbers = self.keys, {day.isoformat(): day.toordinal() for day in days}
        asked = [("ZRANGE", keys.capacities, each, each, "BYSCORE") for each in numbers.values()]
        posted = zip(numbers, await self.reader.ask_all(asked), strict=True)
        found = [(text_of(each).rpartition(":")[0], day) for day, members in posted for each in members]
        raws = await self.reader.get_all([keys.capacity(*each) for each in found])
        pairs = zip(map(":".join, found), raws, strict=True)
        read = self.aside.read_all(keys.market, POSTING, pairs, codec.CAPACITY.unpack, expected=True)
        return {each: read[name] for each in found if (name := ":".join(each)) in read}

    async def of(self, vendor_id: str, days: Iterable[Day]) -> dict[tuple[str, str], Versioned[Capacity]]:
        """The same of one vendor."""
        asked = {_name(vendor_id, each): (vendor_id, each.isoformat()) for each in days}
        raws = await self.reader.get_all([self.keys.capacity(*each) for each in asked.values()])
        pairs = zip(asked, (raw or b"" for raw in raws), strict=True)
        read = self.aside.read_all(self.keys.market, POSTING, pairs, codec.CAPACITY.unpack)
        return {asked[name]: each for name, each in read.items()}

    async def put(
        self,
        vendor_id: str,
        day: Day,
        capacity: Capacity,
        expected_version: int | None = None,
        *,
        at_ms: int = 0,
        tz: ZoneInfo = UTC,
        entry: Decision | None = None,
    ) -> int:
        """Post it over `expected_version` (0: it is new; None: whatever is there); the new version.

        `entry`: who did it, for the audit.
        `tz`: on whose clock posted hours are read. `at_ms`: from when on there is more, if there is. One that
        cannot be read is written over like any other. Raises Stale, and OverBooked naming every bucket where
        more is booked than this would allow.
        """
        keys, clock = self.keys, LocalDay.of(day, tz)
        while True:
            version, current = await self._current(_name(vendor_id, day))
            if expected_version not in (None, version):
                raise stale(f"capacity of {vendor_id} on {day}", expected_version or 0)
            more = current is None or pools.is_more(current.value, capacity, clock)
            changed_ms = at_ms if current is None or more else current.changed_ms
            dated = codec.pack(version + 1, capacity, changed_ms)
            limits = _limits(current, capacity, clock)
            program = _posting(keys, (vendor_id, day), version, limits, dated)
            if entry is not None:
                add_decisions(program, keys, [entry], {})
            outcome = await self.committer.commit(program)
            if outcome.ok:
                return version + 1
            if outcome.status is Status.FULL:
                await self._refuse_overbooked(vendor_id, clock, limits)

    async def renew_by_clock(self, first: Day, tz: ZoneInfo) -> int:
        """Post again what was posted for days that change the clock, from `first` on, and read otherwise.

        Versions before counted posted hours from midnight. What is booked meanwhile stays: where the clock's
        hours would allow less, the posting stays as it is. Gives how many were posted again.
        """
        members = await self.reader.ask("ZRANGE", self.keys.capacities, first.toordinal(), "+inf", "BYSCORE")
        named = [text_of(each).rpartition(":")[::2] for each in members]
        days = {iso: day for iso in {iso for _, iso in named} if (day := _day_of(iso, tz)) is not None}
        postings = await self.get_all([each.day for each in days.values() if each.changes_clock])
        renewed = 0
        for (vendor_id, iso), posting in postings.items():
            limits = pools.limits(posting.value, days[iso])
            found = await self.ledger([LedgerKey(vendor_id, each, iso) for each in limits])
            if any(each.limit != limits[key.pool_id] for key, each in found.items()):
                with contextlib.suppress(OverBooked, Stale):
                    await self.put(vendor_id, days[iso].day, posting.value, posting.version, tz=tz)
                    renewed += 1
        return renewed

    async def ledger(self, ledgers: Sequence[LedgerKey]) -> dict[LedgerKey, Ledger]:
        """What is posted and booked for each; zeros where nothing is."""
        keys = self.keys
        names = [name for each in ledgers for name in (keys.limit(*each), keys.used(*each))]
        found = iter(await self.reader.get_all(names))
        pairs = zip(ledgers, found, found, strict=True)
        return {each: self._ledger(each, limit or b"", used or b"") for each, limit, used in pairs}

    def _ledger(self, key: LedgerKey, limit: bytes, used: bytes) -> Ledger:
        """As stored, in full length; one that is too long is no ledger of ours, and nothing is left in it."""
        if ledger.fits(limit) and ledger.fits(used):
            return Ledger(ledger.padded(limit), ledger.padded(used))
        self.aside.note(self.keys.market, Item(LEDGER, ":".join(key)), "too long")
        return Ledger(ledger.EMPTY, ledger.EMPTY)

    async def _current(self, name: str) -> tuple[int, Versioned[Capacity] | None]:
        """The version that stands there, and what it holds if that can be read."""
        raw = await self.reader.get(self.keys.capacity(*name.split(":"))) or b""
        if codec.is_headless(raw) or codec.CAPACITY.is_newer(raw):
            self._read(name, raw)  # raises: it has no version that one could write over, or is whole
        found = self.aside.read_all(self.keys.market, POSTING, [(name, raw)], codec.CAPACITY.unpack)
        return codec.version_of(raw), found.get(name)

    def _read(self, name: str, raw: bytes) -> Versioned[Capacity]:
        item, version = Item(POSTING, name), codec.version_of(raw)
        return self.aside.read(self.keys.market, item, raw, codec.CAPACITY.unpack, version=version)

    async def _refuse_overbooked(self, vendor_id: str, clock: LocalDay, limits: Mapping[str, bytes]) -> None:
        """Raise OverBooked with all that is over; return if what was over has gone meanwhile."""
        day = clock.day
        booked = await self.ledger([LedgerKey(vendor_id, pool, day.isoformat()) for pool in limits])
        over = [
            {
                "pool": each.pool_id,
                "at": "day" if excess.bucket is None else clock.clock_of_bucket(excess.bucket),
                "booked": excess.booked,
                "posted": excess.limit,
            }
            for each, (_, used) in booked.items()
            for excess in ledger.excesses(limits[each.pool_id], used)
        ]
        if over:
            raise OverBooked(_told(vendor_id, day, over), over_booked=over)


def _name(vendor_id: str, day: Day) -> str:
    """A posting, as it is named where it cannot be read."""
    return f"{vendor_id}:{day.isoformat()}"


def _posting(
    keys: Keys,
    vendor_day: tuple[str, Day],
    version: int,
    limits: Mapping[str, bytes],
    content: bytes,
) -> Program:
    program, (vendor_id, day) = Program(), vendor_day
    iso = day.isoformat()
    program.document(vendor_id, keys.capacity(vendor_id, iso), version, content)
    for pool, limit in limits.items():
        program.ceiling(pool, keys.used(vendor_id, pool, iso), keys.limit(vendor_id, pool, iso), limit)
    program.write(keys.capacities, "ZADD", day.toordinal(), f"{vendor_id}:{iso}")
    program.write(keys.wake, "PUBLISH", CHANGED + vendor_id)
    return program


def _limits(current: Versioned[Capacity] | None, capacity: Capacity, clock: LocalDay) -> dict[str, bytes]:
    """The new limit of each resource, b"" for one that is no longer posted."""
    gone = pools.resources(current.value) if current else []
    return dict.fromkeys(gone, b"") | pools.limits(capacity, clock)


def _told(vendor_id: str, day: date, over: list[dict[str, object]]) -> str:
    named = "; ".join(
        f"pool {each['pool']} at {each['at']}: {each['booked']} booked, {each['posted']} posted"
        for each in over[:NAMED]
    )
    more = f"; and {len(over) - NAMED} more" if len(over) > NAMED else ""
    return f"{vendor_id} on {day}: {named}{more}.\nMaybe turn back or move those dispatches first."


def _day_of(text: str, tz: ZoneInfo) -> LocalDay | None:
    """The day that a name of a posting ends with; None: it was not written by us."""
    try:
        return LocalDay.of(date.fromisoformat(text), tz)
    except (ValueError, OverflowError):
        return None
