"""Counts how each request went for each vendor, once: when it is first decided."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence, Set

import numpy as np
import structlog

from contracts.codes import ServiceClass
from contracts.instants import to_instant
from contracts.pools import LIMITS
from dispatcher.domain.losses import OFFERED, OTHERS, details
from dispatcher.matching.market import Market
from dispatcher.matching.snapshot import Snapshot
from dispatcher.runtime.rounds import beside_if_many
from dispatcher.store.losses import Losses
from solvers.candidates import Bytes
from solvers.horizon import Horizon
from solvers.planning import BatchPlan
from solvers.rules import pool_limits
from solvers.rules.pool_limits import PoolLimit

DETAILED = ("needs", "pool_limits", "skills", "hcpcs")
MOST_DETAILED = 5_000  # of one plan, some hundredths of a second: beyond, the rule is counted, and no amount
log = structlog.get_logger()


def first_decided(snapshot: Snapshot, offered: Collection[str], fell_out: Collection[str]) -> Iterator[int]:
    """Rows of requests that were decided now and never before: offered, or without a vendor.

    What fell out at its commit is planned again.
    """
    for row in snapshot.waiting:
        record = snapshot.records[row]
        is_new = not record.offers and record.unmatched is None
        if is_new and (record.id in offered or record.id not in fell_out):
            yield row


async def note(
    market: Market, snapshot: Snapshot, plan: BatchPlan, offered: Collection[str], planned: Collection[str]
) -> None:
    """Count what was decided by a plan, each request once. Whatever happens, matching goes on.

    `offered`, of those that were `planned` for somebody.
    """
    try:
        decided, fell_out = frozenset(offered), frozenset(planned) - frozenset(offered)
        counted = market.counted.intersection(each.id for each in snapshot.records)
        given = snapshot, plan, decided, fell_out, counted  # not all that are open: an imminent one is one
        ids, counts = await beside_if_many(len(snapshot.asked), _first_counted, *given)
        market.counted |= ids
        market.stored.losses.note(counts)
    except Exception as error:
        log.exception("losses_not_counted", market=market.name, error=type(error).__name__)


def _first_counted(
    snapshot: Snapshot, plan: BatchPlan, offered: Set[str], fell_out: Set[str], counted: Set[str]
) -> tuple[set[str], Losses]:
    """Of which requests it was not counted before; what is to be counted of them."""
    rows = [
        row for row in first_decided(snapshot, offered, fell_out) if snapshot.records[row].id not in counted
    ]
    chosen = dict(zip(plan.chosen.request.tolist(), plan.chosen.vendor.tolist(), strict=True))
    return {snapshot.records[row].id for row in rows}, losses_of(snapshot, plan, rows, chosen)


def losses_of(snapshot: Snapshot, plan: BatchPlan, rows: Sequence[int], chosen: Mapping[int, int]) -> Losses:
    """What is to be counted of these rows; `chosen`: which vendor (by row) each was offered to, if any."""
    counts: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    if plan.lost is None or not rows:
        return counts
    day = to_instant(snapshot.now_ms).astimezone(snapshot.reading.changes.tz).date().isoformat()
    ids, by_service = snapshot.reading.vendor_ids, dict[str, list[int]]()
    for row in rows:
        by_service.setdefault(snapshot.asked[row].request.service_class.value, []).append(row)
    for service, some in by_service.items():
        lost = plan.lost[some]
        for code in (np.flatnonzero(np.bincount(lost.reshape(-1) + 1)) - 1).tolist():
            what = OTHERS if code < 0 else f"{plan.codes[code]}:{service}"
            hits = (lost == code).sum(axis=0)
            where = np.flatnonzero(hits)
            whose = [ids[vendor] for vendor in where.tolist()]
            counts[day, what].update(dict(zip(whose, hits[where].tolist(), strict=True)))
    for row in rows:  # after the others: who is the first to be counted is counted in one go
        if (vendor := chosen.get(row)) is not None:
            counts[day, OFFERED][ids[vendor]] += 1
            counts[day, OTHERS][ids[vendor]] -= 1
    for vendor_id, each in _details(snapshot, plan, plan.lost, rows):
        counts[day, each][vendor_id] += 1
    return counts


def _details(
    snapshot: Snapshot, plan: BatchPlan, lost: Bytes, rows: Sequence[int]
) -> Iterator[tuple[str, str]]:
    """Vendors, and by what they missed it, of those who lost it to a rule that tells; the first so many."""
    tells = np.array(
        [*(each in DETAILED for each in plan.codes), False]
    )  # the last: of those who lost nothing
    where, vendors = np.nonzero(tells[lost[rows]])
    for row, at in zip(where[:MOST_DETAILED].tolist(), vendors[:MOST_DETAILED].tolist(), strict=True):
        request, vendor = snapshot.asked[rows[row]].request, snapshot.vendors[at]
        rule = plan.codes[int(lost[rows[row], at])]
        pools = _pools(snapshot, at, request.service_class) if rule == pool_limits.RULE.code else {}
        for each in details(rule, vendor, request, pools):
            yield vendor.id, each


def _pools(snapshot: Snapshot, vendor: int, service: ServiceClass) -> Mapping[str, Mapping[str, float]]:
    """The limits of its pools that serve the class on some day in view, the highest that each had."""
    known = snapshot.reading.book.known_of(snapshot.vendors[vendor].id).get(pool_limits.RULE.reads, ())
    found = dict[str, dict[str, float]]()
    for each in known:
        if _serves(snapshot.capacity.horizon, snapshot, vendor, each, service):
            most = found.setdefault(snapshot.capacity.resource_id(vendor, each.resource), {})
            for name, limit in zip(LIMITS, each.most, strict=True):
                most[name] = max(limit, most.get(name, limit))
    return found


def _serves(
    horizon: Horizon, snapshot: Snapshot, vendor: int, limit: PoolLimit, service: ServiceClass
) -> bool:
    day = limit.day - int(horizon.ordinal[0])
    if not 0 <= day < len(horizon.ordinal):
        return False
    return snapshot.capacity.supply.room(vendor, limit.resource, day).serves(service)
