"""A market's day in columns: its requests with their steps, and what vendors posted and booked.

Read a part at a time, with a turn for others between: a day of thousands delays no call beside it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeVar

from contracts.base import FIRST_DAY, LAST_DAY, Day
from contracts.codes import Role
from contracts.days import DayCapacity, DayRequests
from contracts.instants import MINUTE_MS, to_instant
from contracts.ledger import LEDGER_BUCKET_MINUTES
from contracts.local_day import LocalDay
from contracts.pools import Pool
from contracts.vendors import Vendor
from dispatcher.domain.day_columns import CLASSES, PRIORITIES, STATES, UNREAD, Body, Names, columns, row_of
from dispatcher.domain.refusals import Invalid, NotFound
from dispatcher.domain.requests import RequestRecord
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.markets import Markets
from dispatcher.store.codec import Versioned
from dispatcher.store.ledger import Ledger, LedgerKey, unpack

AT_ONCE = 200
MOST_POSTINGS = 5_000
MOST_KEPT = 50_000  # bodies of which positions are remembered
T = TypeVar("T")


class Days:
    """They raise NotFound for another's market, Invalid for a day or a cursor that is none."""

    def __init__(self, markets: Markets, clock: Clock) -> None:
        self.markets, self.clock = markets, clock
        self._bodies = OrderedDict[tuple[str, str, int, int], Body]()

    async def requests(
        self, who: Principal, market: str, day: Day, cursor: str | None, limit: int
    ) -> DayRequests:
        """Requests whose window opens on the day, by that; no more than `limit`."""
        self.markets.authorize_requests(who, market)
        clock, part = self._clock(market, day), self.markets.store(market).requests
        places, following = await part.starting(clock.start_ms, clock.end_ms, cursor, limit)
        names, rows = Names(), list[tuple[Any, ...]]()
        for some in _parts(places):
            records = await part.records.get_all(some)
            bodies = await self._bodies_of(market, records)
            rows += [
                row_of(record, bodies.get(name, UNREAD), clock, names) for name, record in records.items()
            ]
        return DayRequests(
            day=day,
            tz=clock.tz.key,
            start=to_instant(clock.start_ms),
            end=to_instant(clock.end_ms),
            read_at=to_instant(self.clock.now_ms()),
            states=STATES,
            classes=CLASSES,
            priorities=PRIORITIES,
            vendors=names.all(),
            cursor=following or "",
            **columns(rows),
        )

    async def capacity(self, who: Principal, market: str, day: Day) -> DayCapacity:
        """Every pool that is posted for the day, by vendor."""
        self.markets.authorize(who, market)
        if not who.may({Role.OPS}):
            raise NotFound(f"there is no capacity of {day}\nMaybe it is for another role.")
        clock, store = self._clock(market, day), self.markets.store(market)
        posted = await store.capacity.get_all([day])
        vendors = await store.vendors.get_all()
        shown = {name: each for (name, _), each in list(posted.items())[:MOST_POSTINGS]}
        rows = list[tuple[object, ...]]()
        for some in _parts(list(shown)):
            pools = [(vendor, pool) for vendor in some for pool in shown[vendor].value.pools]
            keys = [LedgerKey(vendor, pool.id, day.isoformat()) for vendor, pool in pools]
            ledgers = await store.capacity.ledger(keys)
            rows += [
                _pool_row(vendors.get(vendor), vendor, pool, ledgers[key], _buckets(clock))
                for (vendor, pool), key in zip(pools, keys, strict=True)
            ]
        made = dict(zip(_COLUMNS, zip(*rows, strict=True), strict=True)) if rows else {}
        return DayCapacity(
            day=day,
            tz=clock.tz.key,
            start=to_instant(clock.start_ms),
            end=to_instant(clock.end_ms),
            read_at=to_instant(self.clock.now_ms()),
            buckets=_buckets(clock),
            left_off=len(posted) - len(shown),
            **made,
        )

    def _clock(self, market: str, day: Day) -> LocalDay:
        if not FIRST_DAY <= day <= LAST_DAY:
            raise Invalid(f"day is {day}; {FIRST_DAY} to {LAST_DAY} is what there is\nMaybe it is a slip.")
        return LocalDay.of(day, self.markets.zones[market])

    async def _bodies_of(self, market: str, records: Mapping[str, RequestRecord]) -> dict[str, Body]:
        """Of each that can be read; opened once for each writing, which costs more than all the rest."""
        keys = {  # an id that was forgotten may come again, with another body
            name: (market, name, record.received_ms, record.revision) for name, record in records.items()
        }
        new = [name for name, key in keys.items() if key not in self._bodies]
        opened = await self.markets.store(market).requests.bodies(new, expected=True) if new else {}
        await asyncio.sleep(0)
        for name, request in opened.items():
            self._bodies[keys[name]] = Body.of(request)
        found = {name: self._bodies[key] for name, key in keys.items() if key in self._bodies}
        while len(self._bodies) > MOST_KEPT:
            self._bodies.popitem(last=False)
        return found


_COLUMNS = (
    "vendor",
    "name",
    "takes_work",
    "pool",
    "serves",
    "posted",
    "booked",
    "daily_cap",
    "daily_booked",
)


def _pool_row(
    vendor: Versioned[Vendor] | None, vendor_id: str, pool: Pool, ledger: Ledger, buckets: int
) -> tuple[object, ...]:
    """Of a vendor whose document cannot be read, the id stands for its name, and it takes no work."""
    cap, *posted = unpack(ledger.limit)[: buckets + 1]
    taken, *booked = unpack(ledger.used)[: buckets + 1]
    name, takes_work = (vendor.value.name, vendor.value.takes_work) if vendor else (vendor_id, False)
    return vendor_id, name, takes_work, pool.id, pool.serves, runs(posted), runs(booked), cap, taken


def runs(values: Sequence[int]) -> tuple[int, ...]:
    """A value and how often it stands there in a row, in turns."""
    return tuple(each for value, some in groupby(values) for each in (value, sum(1 for _ in some)))


def _buckets(clock: LocalDay) -> int:
    return (clock.end_ms - clock.start_ms) // (LEDGER_BUCKET_MINUTES * MINUTE_MS)


def _parts(names: Sequence[T]) -> Iterator[Sequence[T]]:
    return (names[at : at + AT_ONCE] for at in range(0, len(names), AT_ONCE))
