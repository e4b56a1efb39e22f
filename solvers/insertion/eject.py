"""One movable neighbour steps aside: the new request takes its place, it goes to its own next best.

Three steps, each vectorised: (1) the new request's best columns that do not fit, against every movable
booking of their vendors: whose leaving would make room? (2) all columns of those bookings, cheapest in total
first; (3) do they fit once the new request is in and they are out? The first that does is the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.arrays import Flags, Floats, Ints, counting
from solvers.insertion.columns import COST, DURATION, RESOURCE, START, UNITS, VENDOR, Entry, Insertion, Move
from solvers.insertion.direct import Located, buckets_of, locate, shortfall_saved
from solvers.insertion.plan import Booking, StandingPlan

PAIRS = 7  #: (column, neighbour) followed, for each unit of effort
TRIES = 24  #: alternatives checked for room, for each unit of effort


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """What a new request would like, and what it can have without anybody moving."""

    entry: Entry
    located: Located
    fits: Flags  #: n; there is room as the plan stands, whatever it costs
    cents: Ints  #: n; cost less a shortfall filled
    limit: float  #: cents to beat
    most: float  #: cents that leaving the request out costs
    effort: int  #: columns that do not fit to try


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """A blocked column of the new request beside a booking whose leaving makes room for it."""

    column: Ints  #: of the new request
    booking: list[Booking]
    leaves: Flags  #: the booking must leave the vendor, for it has no room for one more

    def __len__(self) -> int:
        return len(self.booking)

    def held(self) -> Ints:
        """6 x pairs: the columns the bookings hold now."""
        return np.array([booking.taken for booking in self.booking], dtype=np.int64).T


def _blocked(wish: Wish) -> Ints:
    """The columns worth fighting for, best first."""
    worth = (wish.cents < wish.limit) & (wish.cents <= wish.most)
    wanted = np.flatnonzero(~wish.fits & wish.located.inside & worth)
    return np.asarray(wanted[wish.cents[wanted].argsort(kind="stable")[: wish.effort]])


def _pairs(plan: StandingPlan, wish: Wish) -> Pairs:
    """The best blocked columns, each with the bookings whose leaving makes room for it."""
    blocked = _blocked(wish)
    vendor = wish.entry.columns.table[VENDOR, blocked]
    found: list[tuple[int, Booking]] = []
    for each in np.unique(vendor).tolist():
        held = plan.movable(each)
        rank = np.flatnonzero(vendor == each)
        makes_room = _frees(plan, wish.entry.columns.table[:, blocked[rank]], held.taken)
        found += [(int(rank[at]), held.bookings[who]) for at, who in np.argwhere(makes_room).tolist()]
    found.sort(key=lambda pair: pair[0])
    some = found[: PAIRS * wish.effort]
    column = blocked[np.array([rank for rank, _ in some], dtype=np.int64)]
    full = plan.vendor_room[wish.entry.columns.table[VENDOR, column]] < 1
    return Pairs(column, [booking for _, booking in some], full)


def _frees(plan: StandingPlan, table: Ints, held: Ints) -> Flags:
    """Columns (6 x q) of one vendor beside its bookings (6 x m): q x m, whether it fits without the other."""
    bucket, within = buckets_of(plan, table)
    row = table[VENDOR] * plan.left.shape[1] + table[RESOURCE]
    spare = plan.rows[row[:, None], bucket] - table[UNITS][:, None]
    spare = np.where(within, spare, 0)[:, None, :]
    begins, ends = held[START][:, None], (held[START] + held[DURATION])[:, None]
    there = (begins <= bucket[:, None, :]) & (bucket[:, None, :] < ends)
    there &= (held[RESOURCE] == table[RESOURCE][:, None])[:, :, None]
    return np.asarray((spare + there * held[UNITS][:, None] >= 0).all(axis=2))


@dataclass(frozen=True, slots=True, eq=False)
class Alternatives:
    """m columns that neighbours of `Pairs` could take instead."""

    pair: Ints  #: which pair
    which: Ints  #: column of that pair's booking
    table: Ints  #: 6 x m
    located: Located

    def take(self, order: Ints) -> Alternatives:
        """Some of them, in another order."""
        located = Located(self.located.row[order], self.located.inside[order])
        return Alternatives(self.pair[order], self.which[order], self.table[:, order], located)


def _alternatives(plan: StandingPlan, pairs: Pairs) -> Alternatives:
    size = np.array([len(booking.entry.columns) for booking in pairs.booking])
    which = counting(size)
    table = np.concatenate([booking.entry.columns.table for booking in pairs.booking], axis=1)
    return Alternatives(np.repeat(np.arange(len(pairs)), size), which, table, locate(plan, table))


@dataclass(frozen=True, slots=True, eq=False)
class Aside:
    """All that one neighbour stepping aside could do, m alternatives of `pairs`."""

    pairs: Pairs
    every: Alternatives
    total: Floats  #: m; cents of the new column and of the move; infinite where that is no answer


def look_aside(plan: StandingPlan, wish: Wish) -> Aside | None:
    """Who could step aside, and where to; whether there is room is not looked at yet."""
    pairs = _pairs(plan, wish)
    if not len(pairs):
        return None
    every = _alternatives(plan, pairs)
    total = _totals(plan, wish, pairs, every)
    held = np.array([booking.column for booking in pairs.booking])
    own = _own(wish, pairs, every)
    total[(every.which == held[every.pair]) | ~every.located.inside] = np.inf
    total[(own >= wish.limit) | (own > wish.most)] = np.inf
    return Aside(pairs, every, total)


def step_aside(plan: StandingPlan, wish: Wish, aside: Aside) -> Insertion | None:
    """The cheapest single ejection that beats `wish.limit`, or None."""
    pairs, every, total = aside.pairs, aside.every, aside.total
    worthy = np.flatnonzero((total < wish.limit) & (total <= wish.most))
    order = worthy[total[worthy].argsort(kind="stable")[: TRIES * wish.effort]]
    room = np.flatnonzero(_has_room(plan, wish, pairs, every.take(order)))
    if not len(room):
        return None
    at = int(order[room[0]])
    column, booking = int(pairs.column[every.pair[at]]), pairs.booking[every.pair[at]]
    move = move_of(booking, int(every.which[at]))
    return Insertion(wish.entry, column, (move,), int(total[at]), plan.version)


def _own(wish: Wish, pairs: Pairs, every: Alternatives) -> Ints:
    """m; cents of the new column alone: what the neighbour gains by moving is no reason to move it.

    A shortfall of the vendor is filled only where the neighbour stays with it.
    """
    column = pairs.column[every.pair]
    stays = every.table[VENDOR] == wish.entry.columns.table[VENDOR, column]
    return np.where(stays, wish.cents[column], wish.entry.columns.table[COST, column])


def _totals(plan: StandingPlan, wish: Wish, pairs: Pairs, every: Alternatives) -> Floats:
    """Cents of: new column + neighbour's alternative - what it holds now."""
    held = pairs.held()
    moving = np.array([booking.entry.move_cents for booking in pairs.booking])
    # The new request takes the neighbour's place in its vendor's count: only the new place gains one.
    saved = shortfall_saved(plan, every.table[VENDOR])
    cost = wish.entry.columns.table[COST][pairs.column] - held[COST] + moving
    return np.asarray(cost[every.pair] + every.table[COST] - saved, np.float64)


def _has_room(plan: StandingPlan, wish: Wish, pairs: Pairs, some: Alternatives) -> Flags:
    """m; whether the alternative fits when its holder is out and the new request is in."""
    bucket, within = buckets_of(plan, some.table)
    row, pools = some.located.row, plan.left.shape[1]
    units = plan.rows[row[:, None], bucket]
    held, new = pairs.held()[:, some.pair], wish.entry.columns.table[:, pairs.column[some.pair]]
    for taker, sign in ((held, 1), (new, -1)):
        same = taker[VENDOR] * pools + taker[RESOURCE] == row
        begins, ends = taker[START][:, None], (taker[START] + taker[DURATION])[:, None]
        there = (begins <= bucket) & (bucket < ends) & same[:, None]
        units = units + sign * there * taker[UNITS][:, None]
    fits = ((units >= some.table[UNITS][:, None]) | ~within).all(axis=1)
    stays = some.table[VENDOR] == held[VENDOR]
    has_count = np.where(stays, ~pairs.leaves[some.pair], plan.vendor_room[some.table[VENDOR]] > 0)
    return np.asarray(fits & has_count)


def move_of(booking: Booking, after: int) -> Move:
    """The booking goes to another of its columns."""
    costs = booking.entry.columns.table[COST]
    cents = int(costs[after] - costs[booking.column]) + booking.entry.move_cents
    return Move(booking.entry.key, booking.column, after, cents)
