"""One neighbour steps aside for one option: every way there is, and what the option lacks even so.

A way is a movable booking and another of its columns. It goes to where there is room; units and room that are
still missing at the option's own place are what would have to be added there. Nothing is cut short.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.arrays import Flags, Ints, counting
from solvers.explain.missing import Short, runs_of
from solvers.insertion import Booking, StandingPlan
from solvers.insertion.columns import COST, DURATION, RESOURCE, START, UNITS, VENDOR
from solvers.insertion.direct import buckets_of, locate, shortfall_saved


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """m ways in which a neighbour makes the option lack less."""

    bookings: list[Booking]
    who: Ints  #: m; which of the bookings
    after: Ints  #: m; the column it goes to
    short: Ints  #: m x the option's buckets; units missing in each
    room: Ints  #: m; requests that its vendor would have to take beyond its cap
    steps: Ints  #: m
    total: Ints  #: m; units and requests together
    own: Ints  #: m; cents of the option alone
    cents: Ints  #: m; with the neighbour's move

    def take(self, some: Ints | Flags) -> Ways:
        """Some of them."""
        parts = (
            self.who, self.after, self.short, self.room, self.steps, self.total, self.own, self.cents
        )  # fmt: skip
        return Ways(self.bookings, *(part[some] for part in parts))

    def lacks(self, way: int) -> Short:
        """What would have to be added for one of them."""
        return Short(self.short[way].tolist(), int(self.room[way]))


def ways_aside(plan: StandingPlan, option: Ints, steps: int, total: int) -> Ways | None:
    """All that leave the option (6) with fewer steps than it lacks now, or as many and less in `total`."""
    bookings = _in_the_way(plan, option)
    if not bookings:
        return None
    size = np.array([len(booking.entry.columns) for booking in bookings])
    who, after = np.repeat(np.arange(len(bookings)), size), counting(size)
    table = np.concatenate([booking.entry.columns.table for booking in bookings], axis=1)
    held = np.array([booking.taken for booking in bookings], dtype=np.int64).T[:, who]
    moves = after != np.array([booking.column for booking in bookings])[who]
    may = np.flatnonzero(moves & _goes(plan, option, table, held))
    every = _ways(plan, option, _Moves(bookings, who[may], after[may], table[:, may], held[:, may]))
    return every.take((every.steps < steps) | ((every.steps == steps) & (every.total < total)))


def _in_the_way(plan: StandingPlan, option: Ints) -> list[Booking]:
    """Those of its vendor whose leaving could help."""
    held = plan.movable(int(option[VENDOR]))
    ends = option[START] + option[DURATION]
    across = (held.taken[START] < ends) & (option[START] < held.taken[START] + held.taken[DURATION])
    helps = across & (held.taken[RESOURCE] == option[RESOURCE]) | (plan.vendor_room[option[VENDOR]] < 1)
    return [held.bookings[at] for at in np.flatnonzero(helps)]


def _units_at(plan: StandingPlan, columns: Ints, row: Ints, bucket: Ints) -> Ints:
    """m x q; what each column (6 x m) takes in buckets (m x q) of a row (m)."""
    own = columns[VENDOR] * plan.left.shape[1] + columns[RESOURCE]
    begins, ends = columns[START][:, None], (columns[START] + columns[DURATION])[:, None]
    there = (begins <= bucket) & (bucket < ends) & (own == row)[:, None]
    return np.asarray(there * columns[UNITS][:, None])


def _goes(plan: StandingPlan, option: Ints, table: Ints, held: Ints) -> Flags:
    """m; whether each alternative has room where the option is not, its holder being out."""
    located, (bucket, within) = locate(plan, table), buckets_of(plan, table)
    free = plan.rows[located.row[:, None], bucket] + _units_at(plan, held, located.row, bucket)
    here = (option[START] <= bucket) & (bucket < option[START] + option[DURATION])
    here &= (located.row == option[VENDOR] * plan.left.shape[1] + option[RESOURCE])[:, None]
    fits = ((free >= table[UNITS][:, None]) | ~within | here).all(axis=1)
    taken = (table[VENDOR] == option[VENDOR]) | (plan.vendor_room[table[VENDOR]] > 0)
    return np.asarray(located.inside & fits & taken)


@dataclass(frozen=True, slots=True, eq=False)
class _Moves:
    """m alternatives: `table` instead of `held`, 6 x m each."""

    bookings: list[Booking]
    who: Ints
    after: Ints
    table: Ints
    held: Ints


def _ways(plan: StandingPlan, option: Ints, moves: _Moves) -> Ways:
    """What the option lacks once the neighbours have moved."""
    table, held, who = moves.table, moves.held, moves.who
    row = np.full(len(who), option[VENDOR] * plan.left.shape[1] + option[RESOURCE])
    at = np.tile(np.arange(option[START], option[START] + option[DURATION]), (len(who), 1))
    left = plan.rows[row[:, None], at] + _units_at(plan, held, row, at) - _units_at(plan, table, row, at)
    short = np.maximum(option[UNITS] - left, 0)
    stays = table[VENDOR] == option[VENDOR]
    room = np.maximum(stays - plan.vendor_room[option[VENDOR]], 0)
    moving = np.array([booking.entry.move_cents for booking in moves.bookings], np.int64)[who]
    saved = shortfall_saved(plan, table[VENDOR])
    return Ways(
        moves.bookings, who, moves.after, short, room,
        steps=runs_of(short) + (room > 0),
        total=short.sum(axis=1) + room,
        own=option[COST] - np.where(stays, saved, 0),
        cents=option[COST] + table[COST] - held[COST] + moving - saved,
    )  # fmt: skip
