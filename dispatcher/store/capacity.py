"""Posted capacity and the ledgers made from it. What is booked is never silently more than what is posted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from contracts.base import Day
from contracts.capacity import Capacity
from contracts.ledger import LEDGER_BUCKET_MINUTES
from dispatcher.domain.refusals import OverBooked
from dispatcher.store import codec, ledger, pools
from dispatcher.store.codec import Versioned
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import Ledger, LedgerKey
from dispatcher.store.node import Node
from dispatcher.store.outcome import Status
from dispatcher.store.program import Program
from dispatcher.store.vendors import stale

NAMED = 5  # over-booked buckets spelled out in the refusal's text; `facts` has them all


class CapacityPart:
    """The capacity of one market."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.committer, self.keys = node.reader, node.committer, keys

    async def get(self, vendor_id: str, day: Day) -> Versioned[Capacity] | None:
        """A vendor's posting for one day, or None."""
        raw = await self.reader.get(self.keys.capacity(vendor_id, day.isoformat()))
        return codec.CAPACITY.unpack(raw) if raw else None

    async def get_all(self, days: Iterable[Day]) -> dict[tuple[str, str], Versioned[Capacity]]:
        """Every posting for these days by (vendor, ISO day), in the order of day and vendor."""
        keys, found = self.keys, list[tuple[str, str]]()
        for day in days:
            number = day.toordinal()
            members = await self.reader.ask("ZRANGE", keys.capacities, number, number, "BYSCORE")
            found += [(member.decode().rpartition(":")[0], day.isoformat()) for member in members]
        raws = await self.reader.get_all([keys.capacity(*each) for each in found])
        return {each: codec.CAPACITY.unpack(raw) for each, raw in zip(found, raws, strict=True) if raw}

    async def put(
        self,
        vendor_id: str,
        day: Day,
        capacity: Capacity,
        expected_version: int | None = None,
        *,
        at_ms: int = 0,
    ) -> int:
        """Post it over `expected_version` (0: it is new; None: whatever is there); the new version.

        `at_ms`: the time from which on there is more, if there is. Raises Stale, and OverBooked naming every
        bucket where more is booked than this would allow.
        """
        keys = self.keys
        while True:
            current = await self.get(vendor_id, day)
            version = current.version if current else 0
            if expected_version not in (None, version):
                raise stale(f"capacity of {vendor_id} on {day}", expected_version or 0)
            changed_ms = (
                at_ms if current is None or pools.is_more(current.value, capacity) else current.changed_ms
            )
            dated = codec.pack(version + 1, capacity, changed_ms)
            program = _posting(keys, (vendor_id, day), current, capacity, dated)
            outcome = await self.committer.commit(program)
            if outcome.ok:
                return version + 1
            if outcome.status is Status.FULL:
                await self._refuse_overbooked(vendor_id, day, current, capacity)

    async def ledger(self, ledgers: Sequence[LedgerKey]) -> dict[LedgerKey, Ledger]:
        """What is posted and booked for each; zeros where nothing is."""
        keys = self.keys
        names = [name for each in ledgers for name in (keys.limit(*each), keys.used(*each))]
        found = iter([ledger.padded(raw or b"") for raw in await self.reader.get_all(names)])
        return {each: Ledger(limit, used) for each, limit, used in zip(ledgers, found, found, strict=True)}

    async def _refuse_overbooked(
        self, vendor_id: str, day: Day, current: Versioned[Capacity] | None, wanted: Capacity
    ) -> None:
        """Raise OverBooked with all that is over; return if what was over has gone meanwhile."""
        limits = _limits(current, wanted)
        booked = await self.ledger([LedgerKey(vendor_id, pool, day.isoformat()) for pool in limits])
        over = [
            {
                "pool": each.pool_id,
                "at": _time(excess.bucket),
                "booked": excess.booked,
                "posted": excess.limit,
            }
            for each, (_, used) in booked.items()
            for excess in ledger.excesses(limits[each.pool_id], used)
        ]
        if over:
            raise OverBooked(_told(vendor_id, day, over), over_booked=over)


def _posting(
    keys: Keys,
    posting: tuple[str, Day],
    current: Versioned[Capacity] | None,
    capacity: Capacity,
    content: bytes,
) -> Program:
    program, (vendor_id, day) = Program(), posting
    iso = day.isoformat()
    program.document(vendor_id, keys.capacity(vendor_id, iso), current.version if current else 0, content)
    for pool, limit in _limits(current, capacity).items():
        program.ceiling(pool, keys.used(vendor_id, pool, iso), keys.limit(vendor_id, pool, iso), limit)
    program.write(keys.capacities, "ZADD", day.toordinal(), f"{vendor_id}:{iso}")
    program.write(keys.wake, "PUBLISH", b"")
    return program


def _limits(current: Versioned[Capacity] | None, capacity: Capacity) -> dict[str, bytes]:
    """The new limit of each resource, b"" for one that is no longer posted."""
    gone = pools.limits(current.value) if current else {}
    return dict.fromkeys(gone, b"") | pools.limits(capacity)


def _time(bucket: int | None) -> str:
    if bucket is None:
        return "day"
    return "{:02d}:{:02d}".format(*divmod(bucket * LEDGER_BUCKET_MINUTES, 60))


def _told(vendor_id: str, day: date, over: list[dict[str, object]]) -> str:
    named = "; ".join(
        f"pool {each['pool']} at {each['at']}: {each['booked']} booked, {each['posted']} posted"
        for each in over[:NAMED]
    )
    more = f"; and {len(over) - NAMED} more" if len(over) > NAMED else ""
    return f"{vendor_id} on {day}: {named}{more}.\nMaybe turn back or move those dispatches first."
