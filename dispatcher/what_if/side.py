"""From a played day to arrays: what was asked for, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from contracts.codes import OfferState, RequestState
from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.local_day import LocalDay
from contracts.requests import Request
from contracts.tuning import Number
from dispatcher.domain.coarse_position import coarse_position
from dispatcher.domain.offers import DECLINED, OfferRecord
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.scorecards import ON_TIME
from dispatcher.store.ledger import LedgerKey
from dispatcher.store.pools import posted
from dispatcher.what_if.care import Pair
from dispatcher.what_if.change import Postings
from dispatcher.what_if.edges import became, waits_min
from dispatcher.what_if.play import Played, horizon_of
from simulation.day import Day
from solvers.arrays import Ints
from solvers.compare import Asked, Side
from solvers.horizon import LEDGER_MS
from solvers.rules import registry

KEPT = frozenset(
    {RequestState.ACCEPTED, RequestState.IN_PROGRESS, RequestState.COMPLETED, RequestState.NO_SHOW}
)
URGENT = 1  # rank from which a request is urgent
TWO_HOURS = 2 * HOUR_MS // LEDGER_MS


def terms() -> tuple[str, ...]:
    """The cost terms, in the order of the arrays. Read where every rule is on."""
    return tuple(each.code for each in registry.cost_terms())


def asked_of(played: Iterable[Played], ids: Sequence[str], tz: ZoneInfo) -> Asked:
    """What was asked for; a request that came too late on one side is known from another."""
    records, bodies = dict[str, RequestRecord](), dict[str, Request]()
    for each in played:
        records, bodies = each.requests | records, each.bodies | bodies
    return asked_for([records[each] for each in ids], [bodies[each] for each in ids], tz)


def asked_for(records: Sequence[RequestRecord], bodies: Sequence[Request], tz: ZoneInfo) -> Asked:
    """The same of records and bodies."""
    return Asked(
        earliest_ms=_ints(each.earliest_ms for each in records),
        latest_ms=_ints(each.latest_ms for each in records),
        urgent=np.array([each.priority.rank >= URGENT for each in bodies], np.bool_),
        groups={
            "level": [each.service_class.value for each in bodies],
            "area": [_area(each) for each in bodies],
            "hour": [f"{datetime.fromtimestamp(each.earliest_ms / 1000, tz):%H}:00" for each in records],
            "priority": [each.priority.value for each in bodies],
        },
    )


class Looked(NamedTuple):
    """What is looked at: requests, vendors and cost terms by name, and what goes before what."""

    ids: Sequence[str]
    vendors: Sequence[str]
    terms: Sequence[str]
    pairs: Sequence[Pair] = ()


def side_of(played: Played, day: Day, at: Looked) -> Side:
    """What became of these requests."""
    ids, vendors = at.ids, at.vendors
    rows = {each: row for row, each in enumerate(vendors)}
    found = [played.requests.get(each) for each in ids]
    works = [_work(each) for each in found]
    there, taken, slack = _use(played, day, vendors)
    return Side(
        vendor=_ints(rows[each.vendor_id] if each else -1 for each in works),
        start_ms=_ints(each.start_ms if each else 0 for each in works),
        price_cents=_ints(each.price_cents if each else 0 for each in works),
        terms=_terms(works, at.terms),
        declined=np.array([_declined(each) for each in found], np.float64),
        late_min=_ints(_late_min(each, day.tuning) for each in works),
        why=[played.why.get(each, "") for each in ids],
        posted=there, used=taken, slack=slack,
        cost=sum(each.cost for each in played.solved), bound=sum(each.bound for each in played.solved),
        solve_ms=round(1000 * sum(each.seconds for each in played.solved) / max(1, len(played.solved))),
        pairs=np.array([became(each, played.requests) for each in at.pairs], np.float64),
        calls_min=np.array(waits_min(played.requests.values(), day.end_ms), np.float64),
    )  # fmt: skip


def _work(record: RequestRecord | None) -> OfferRecord | None:
    """The offer that was kept; None for who has no vendor at the end."""
    return record.dispatch if record is not None and record.state in KEPT else None


def _declined(record: RequestRecord | None) -> int:
    """Offers that were declined or never answered."""
    closed = [each.state for each in record.offers] if record is not None else []
    return sum(each in DECLINED and each is not OfferState.TURNED_BACK for each in closed)


def _late_min(work: OfferRecord | None, values: Mapping[str, Number]) -> int:
    """Minutes after the agreed start at which its vendor was there; 0 within what counts as on time."""
    late = (work.arrived_ms - work.start_ms) // MINUTE_MS if work is not None and work.arrived_ms else 0
    return late if late > ON_TIME.whole(values) else 0


def _terms(works: Sequence[OfferRecord | None], named: Sequence[str]) -> Ints:
    columns, table = {each: at for at, each in enumerate(named)}, np.zeros((len(works), len(named)), np.int64)
    for row, work in enumerate(works):
        for term in work.terms if work is not None else ():
            if term.rule in columns:
                table[row, columns[term.rule]] = term.cost_cents
    return table


def _use(played: Played, day: Day, vendors: Sequence[str]) -> tuple[Ints, Ints, int]:
    """Unit buckets posted and taken, by vendor; and the unit minutes free in the fullest two hours."""
    horizon, rows = horizon_of(day), {each: row for row, each in enumerate(vendors)}
    limits = _limits({(v, d.isoformat()): each for (v, d), each in day.capacity.items()}, day)
    begins = dict(zip((each.isoformat() for each in horizon.days), horizon.midnight_buckets, strict=False))
    there, taken, free = (np.zeros(len(vendors), np.int64) for _ in range(3))
    free = np.zeros(horizon.buckets, np.int64)
    for key, cells in limits.items():
        if key.vendor_id in rows:
            there[rows[key.vendor_id]] += cells.sum()
            first = begins[key.day]
            free[first : first + len(cells)] += cells[: horizon.buckets - first]
    open_hours = free > 0
    for record in played.requests.values():
        for booking in (each for offer in record.offers for each in offer.bookings):
            first = begins[booking.day] + booking.first
            free[first : first + booking.count] -= booking.units
            taken[rows[booking.vendor_id]] += booking.units * booking.count
    return there, taken, _tightest(np.maximum(free, 0), open_hours)


def _limits(postings: Postings, day: Day) -> dict[LedgerKey, Ints]:
    days = {name: LocalDay.of(datetime.fromisoformat(name).date(), day.tz) for _, name in postings}
    found = dict[LedgerKey, Ints]()
    for (vendor, name), each in postings.items():
        for pool in each.pools:
            cells = np.frombuffer(posted(pool, days[name]), ">u2").astype(np.int64)[1:]
            found[LedgerKey(vendor, pool.id, name)] = cells[: len(days[name].bucket_minutes)]
    return found


def _tightest(free: Ints, there: object) -> int:
    """The fewest unit minutes free in any two hours in which there is capacity throughout."""
    whole = np.convolve(np.asarray(there, np.int64), np.ones(TWO_HOURS, np.int64), "valid") == TWO_HOURS
    sums = np.convolve(free, np.ones(TWO_HOURS, np.int64), "valid")
    return int(sums[whole].min()) * LEDGER_MS // MINUTE_MS if whole.any() else 0


def _area(request: Request) -> str:
    """The square of some two kilometres in which it begins; never the door."""
    lon, lat = coarse_position(request.doors[0])
    return f"{lon:.3f},{lat:.3f}"


def _ints(values: Iterable[int]) -> Ints:
    return np.array(list(values), np.int64)
