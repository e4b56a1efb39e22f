"""From what is stored to what is compared: the requests that wait now, or a day that was."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from contracts.capacity import Capacity
from contracts.codes import RequestState
from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.local_day import LocalDay
from contracts.requests import Request
from contracts.tuning import Tuning
from contracts.vendors import Vendor
from contracts.what_if import NOW, WhatIfChange, WhatIfRequest
from dispatcher.decisions.record import SavedPlan
from dispatcher.domain.refusals import Invalid
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.scorecards import months
from dispatcher.matching.capacity import capacity_book, ledger_keys
from dispatcher.matching.horizon import HORIZON
from dispatcher.matching.knowledge import read_knowledge
from dispatcher.matching.market import Market
from dispatcher.matching.reading import Reading
from dispatcher.matching.requests import Waiting
from dispatcher.runtime.clock import Clock
from dispatcher.store.codec import Versioned
from dispatcher.store.ledger import EMPTY, Ledger, LedgerKey
from dispatcher.store.market import MarketStore
from dispatcher.store.pools import posted
from dispatcher.what_if.answers import AsRecorded, rates_of
from dispatcher.what_if.change import postings_of, values_of, vendors_of
from dispatcher.what_if.days import DayAsked
from dispatcher.what_if.moment import AHEAD_MS, Moment, MomentAsked
from dispatcher.what_if.saved import moment_asked
from dispatcher.what_if.side import asked_for
from dispatcher.what_if.stored_day import care_of, is_playable, submissions
from simulation.day import Day
from solvers.encoding import VendorBook
from solvers.horizon import LEDGER_MS, Horizon
from solvers.travel import TravelOf

MOST_REQUESTS = 20_000
DAY = re.compile(r"\d{4}-\d\d-\d\d")
SavedOf = Callable[[str], Awaitable[SavedPlan]]
TOLD = (RequestState.OFFERED, RequestState.ACCEPTED, RequestState.IN_PROGRESS)
Prepared = DayAsked | MomentAsked


def is_digest(against: str) -> bool:
    """Whether it names a saved plan: neither now nor a day."""
    return against != NOW and not DAY.fullmatch(against)


async def of_saved(asked: WhatIfRequest, saved: SavedOf) -> MomentAsked:
    """What a saved plan was made from. Raises NotFound, Unreadable, Invalid, Unavailable."""
    plan = await saved(asked.against)
    return moment_asked(plan.screening, plan.header.requests, plan.header.vendors, asked)


async def prepared(
    stored: MarketStore, tz: ZoneInfo, clock: Clock, travel_of: TravelOf, asked: WhatIfRequest
) -> Prepared:
    """All that a process needs to compare it by itself. Raises Invalid, Unavailable."""
    if asked.against == NOW:
        return await _moment(Market(stored, tz, clock, travel_of), asked)
    return await _day(stored, tz, clock, asked)


async def _moment(market: Market, asked: WhatIfRequest) -> MomentAsked:
    reading = await market.refresh()
    ids = await market.requests.open_ids()
    known = dict[str, Waiting]()
    before = await _side(market, ids, reading, WhatIfChange(), known)
    changed = Market(market.stored, market.tz, market.clock, market.travel_of)
    changed.reading = await _changed(market, reading, asked.change)
    after = await _side(changed, ids, changed.reading, asked.change, known)
    rows, counts = [known[each] for each in sorted(known)], await market.stored.requests.counts()
    return MomentAsked(
        before, after, sorted(known),
        asked_for([record for record, _ in rows], [each.request for _, each in rows], market.tz),
        asked.change, asked.seed, asked.again, pinned=sum(counts[each] for each in TOLD if each in counts),
    )  # fmt: skip


async def _side(
    market: Market, ids: Sequence[str], reading: Reading, change: WhatIfChange, known: dict[str, Waiting]
) -> Moment:
    travel = await market.travel()
    waiting = await market.next_batch(ids, travel)
    known |= {record.id: (record, asked) for record, asked in waiting if record.id not in known}
    snapshot = await market.snapshot(waiting, travel=travel)
    screening, supply = snapshot.screening(), reading.capacity.supply
    limits = await _limits(market, reading.capacity.horizon, change)
    first = max(0, reading.capacity.horizon.first_bucket(snapshot.now_ms))
    there = np.zeros(len(reading.book.vendors), np.int64)
    for key, cells in limits.items():
        if key.vendor_id in reading.book.index:
            there[reading.book.index[key.vendor_id]] += cells
    horizon = reading.capacity.horizon
    left = supply.units(first, horizon.buckets, 1)
    own, others = rates_of(await market.stored.scorecards.of(months(snapshot.now_ms)))
    vendors = [each.id for each in reading.book.vendors]
    rates = [own.get(each, others) for each in vendors]
    ahead = left[:, :, : AHEAD_MS // LEDGER_MS]
    return Moment(
        screening, [record.id for record, _ in waiting], vendors,
        there, left.sum(axis=(1, 2)), int(ahead.sum()) * LEDGER_MS // MINUTE_MS,
        np.array([each.declines + each.silent for each in rates]),
    )  # fmt: skip


async def _limits(market: Market, horizon: Horizon, change: WhatIfChange) -> dict[LedgerKey, int]:
    """Unit buckets that each pool has on each day."""
    days = {each.isoformat(): LocalDay.of(each, market.tz) for each in horizon.days}
    found = await _postings(market.stored, horizon, change)
    return {
        LedgerKey(vendor, pool.id, day): int(np.frombuffer(posted(pool, days[day]), ">u2")[1:].sum())
        for (vendor, day), each in found.items()
        for pool in each.pools
    }


async def _postings(
    stored: MarketStore, horizon: Horizon, change: WhatIfChange
) -> dict[tuple[str, str], Capacity]:
    found = await stored.capacity.get_all(horizon.days)
    plain = {key: each.value for key, each in found.items()}
    return postings_of(change, plain, [each.isoformat() for each in horizon.days])


async def _changed(market: Market, reading: Reading, change: WhatIfChange) -> Reading:
    """What was read, with other settings, vendors and limits; what is booked stays booked."""
    horizon, tuning = reading.capacity.horizon, reading.tuning
    vendors = vendors_of(change, list(reading.book.vendors))
    values = values_of(change, tuning.values)
    known = reading.book.known  # how it is read may be tuned
    if values != tuning.values:
        known = await read_knowledge(market.stored, market.clock.now_ms(), values)
    book = VendorBook.of(vendors, known)
    postings = {
        key: each
        for key, each in (await _postings(market.stored, horizon, change)).items()
        if key[0] in book.index
    }
    ledgers = await market.stored.capacity.ledger(ledger_keys(postings))
    days = {each.isoformat(): LocalDay.of(each, market.tz) for each in horizon.days}
    limits = {
        LedgerKey(vendor, pool.id, day): posted(pool, days[day])
        for (vendor, day), each in postings.items()
        for pool in each.pools
    }
    booked = {
        key: Ledger(limit, ledgers[key].used if key in ledgers else EMPTY) for key, limit in limits.items()
    }
    return replace(
        reading,
        tuning=msgspec.structs.replace(tuning, values=values),
        documents={each.id: _document(reading, each) for each in vendors},
        book=book,
        capacity=capacity_book(book.index, postings, booked, horizon),
    )


def _document(reading: Reading, vendor: Vendor) -> Versioned[Vendor]:
    return reading.documents.get(vendor.id, Versioned(1, vendor))._replace(value=vendor)


async def _playable(
    stored: MarketStore, day: LocalDay, named: str
) -> tuple[dict[str, RequestRecord], Mapping[str, Request]]:
    """The day's requests that can be played, and what was asked. Raises Invalid where there are none."""
    ids = await stored.requests.ids_starting(day.start_ms, day.end_ms, MOST_REQUESTS)
    records = await stored.requests.records.get_all(ids)
    playable = {name: each for name, each in records.items() if is_playable(each)}
    bodies = await stored.requests.bodies(sorted(playable))
    if not bodies:
        raise Invalid(
            f"nothing is stored that was wanted on {named}\n"
            "Maybe it is forgotten: the parameter retention_hours says how long requests are kept."
        )
    return {name: each for name, each in playable.items() if name in bodies}, bodies


async def _day(stored: MarketStore, tz: ZoneInfo, clock: Clock, asked: WhatIfRequest) -> DayAsked:
    """A stored day as it was asked for, with the vendors of today and what they had posted."""
    on = date.fromisoformat(asked.against)
    tuning: Tuning = await stored.tuning.in_force(clock.now_ms())
    day = LocalDay.of(on, tz)
    playable, bodies = await _playable(stored, day, asked.against)
    vendors = await stored.vendors.get_all()
    capacity = await stored.capacity.get_all([on + timedelta(days=n) for n in (-1, 0, 1)])
    known, others = rates_of(await stored.scorecards.of(months(clock.now_ms())))
    settings = (tuning.values, values_of(asked.change, tuning.values))
    ahead_ms = max(HORIZON.whole(each) for each in settings) * HOUR_MS
    calls = await stored.calls.of(months(clock.now_ms()))
    care = care_of(playable, bodies, calls, tz, asked.seed)
    played = Day(
        name="stored",
        market=stored.name,
        tz=tz,
        vendors=tuple(each.value for each in vendors.values()),
        capacity={(vendor, date.fromisoformat(iso)): each.value for (vendor, iso), each in capacity.items()},
        submissions=submissions(playable, bodies, care, day.start_ms - ahead_ms),
        tuning=dict(tuning.values),
        date=on,
    )
    answered = await stored.acceptance.of(clock.now_ms())
    return DayAsked(
        played,
        asked.change,
        AsRecorded(asked.seed, known, others),
        asked.seed,
        asked.again,
        answered=answered,
        care=care,
    )
