"""How many requests of a day could be matched at all: an upper bound for starts in steps of five minutes.

Every request that some vendor may serve, against all vendors' units thrown together as if it were one vendor:
that relaxes the problem, so a proven bound of the relaxed problem bounds the day, whoever plans and whatever
vendors answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import numpy as np

from contracts.local_day import LocalDay
from dispatcher.matching.pools import PoolBook
from dispatcher.matching.requests import asked_of
from dispatcher.store.ledger import EMPTY, Ledger, LedgerKey
from dispatcher.store.pools import posted
from simulation.day import Day
from solvers.arrays import Ints
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.solve import solve
from solvers.candidates import screen
from solvers.encoding import VendorBook, encode
from solvers.horizon import Horizon

VALUES: Final = {"start_step_minutes": 5, "most_candidates": 2_000}
CHUNK, DAYS = 400, 4
PENALTY = 1_000
TIME_LIMIT_S = 1.0  # the bound needs a third of it; the rest would look for plans


class Possible(msgspec.Struct, frozen=True, kw_only=True):
    """The bound. `servable`: requests that some vendor may serve; `requests`: the most that fit at once."""

    requests: int
    servable: int
    how: str = "all vendors' units thrown together, start times every 5 minutes; a proven bound"


def possible(day: Day) -> Possible:
    """The most requests of the day that any planner could match."""
    first = dt.datetime.fromtimestamp(day.start_ms / 1000, day.tz).date()
    horizon = Horizon.of(day.tz, first, DAYS)
    book = VendorBook.of(day.vendors)
    pools = _pools(day, book, horizon)
    options = np.concatenate(list(_options(day, book, pools)) or [np.zeros((0, 4), np.int64)])
    if not len(options):
        return Possible(requests=0, servable=0)
    problem = _pooled(options, pools, horizon)
    bound = solve(problem, time_limit_s=TIME_LIMIT_S, seed=1).lower_bound
    servable = len(problem.request_penalty)
    return Possible(requests=servable - max(0, -(-bound // PENALTY)), servable=servable)


def _pools(day: Day, book: VendorBook, horizon: Horizon) -> PoolBook:
    """Everything that is posted, nothing booked."""
    posts = {(vendor, date.isoformat()): each for (vendor, date), each in day.capacity.items()}
    ledgers = {
        LedgerKey(vendor, pool.id, date): Ledger(
            posted(pool, LocalDay.of(dt.date.fromisoformat(date), day.tz)), EMPTY
        )
        for (vendor, date), capacity in posts.items()
        for pool in capacity.pools
    }
    return PoolBook.of(book.index, posts, ledgers, horizon)


def _options(day: Day, book: VendorBook, pools: PoolBook) -> Iterator[Ints]:
    """N x 4: request, what the pool serves, start and length in ms; each once, whichever vendor it is."""
    requests = day.requests
    for first in range(0, len(requests), CHUNK):
        asked = [asked_of(each, day.tz, VALUES) for each in requests[first : first + CHUNK]]
        screening = encode(asked, book, pools.supply, pools.horizon, now_ms=day.start_ms, values=VALUES)
        candidates = screen(screening).candidates
        column = pools.horizon.day_of(candidates.start_ms)
        serves = pools.supply.serves[candidates.vendor, candidates.resource, column]
        rows = np.stack(
            [candidates.request + first, serves, candidates.start_ms, candidates.taken_ms], axis=1
        )
        yield np.unique(rows, axis=0)


def _pooled(options: Ints, pools: PoolBook, horizon: Horizon) -> AssignmentProblem:
    """One vendor, one resource for each set of classes that pools serve, five-minute buckets."""
    kinds, resource = np.unique(options[:, 1], return_inverse=True)
    requests, request = np.unique(options[:, 0], return_inverse=True)
    start = horizon.first_bucket(options[:, 2])
    end = horizon.end_bucket(options[:, 2] + options[:, 3])
    none: Any = np.zeros(len(options), np.int64)
    return AssignmentProblem(
        request_penalty=np.full(len(requests), PENALTY, np.int64),
        column_request=request.astype(np.int64),
        column_vendor=none,
        column_resource=resource.astype(np.int64),
        column_start=start,
        column_duration=end - start,
        column_units=none + 1,
        column_cost=none,
        capacity=np.stack([_units(pools, kind) for kind in kinds])[None, :, :],
        vendor_cap=np.array([len(requests)], np.int64),
    )


def _units(pools: PoolBook, kind: int) -> Ints:
    """Units per ledger bucket of all pools that serve just these classes, day by day."""
    horizon = pools.horizon
    bounds = horizon.first_bucket(horizon.midnight_ms)
    parts = [
        pools.supply.left[:, :, bounds[d] : bounds[d + 1]][pools.supply.serves[:, :, d] == kind].sum(axis=0)
        for d in range(len(horizon.ordinal))
    ]
    return np.concatenate(parts).astype(np.int64)
