"""Two neighbours step aside, one after the other: for a request that would otherwise be left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from solvers.arrays import Ints
from solvers.insertion.columns import COST, VENDOR, Columns, Entry, Insertion
from solvers.insertion.eject import Aside, Wish, move_of
from solvers.insertion.plan import Booking, StandingPlan

FIRST_MOVES = 3  #: first neighbours tried, about a millisecond each
Inserter = Callable[[StandingPlan, Entry], Insertion | None]


def step_aside_twice(plan: StandingPlan, wish: Wish, aside: Aside, insert: Inserter) -> Insertion | None:
    """The first neighbour's place is taken, and it is inserted anew (`insert`) where another makes room."""
    for pair in _promising(aside):
        column, booking = int(aside.pairs.column[pair]), aside.pairs.booking[pair]
        found = _after(plan, wish, column, booking, insert)
        if found is not None:
            return found
    return None


def _promising(aside: Aside) -> list[int]:
    """The pairs whose total could be least: the neighbour at its cheapest other column, room or not."""
    least = np.full(len(aside.pairs), np.inf)
    np.minimum.at(least, aside.every.pair, aside.total)
    order: Ints = least.argsort(kind="stable")[:FIRST_MOVES]
    return [pair for pair in order.tolist() if least[pair] < np.inf]


def _after(
    plan: StandingPlan, wish: Wish, column: int, booking: Booking, insert: Inserter
) -> Insertion | None:
    """Place the neighbour anew once the request has its place; both moves, and what all of it costs."""
    new, old = wish.entry.columns.table[:, column], booking.entry
    spent = int(new[COST]) - booking.taken[COST] + old.move_cents
    spare = None if wish.entry.penalty_cents is None else wish.entry.penalty_cents - spent
    others = Columns(np.delete(old.columns.table, booking.column, axis=1))
    again = replace(old, columns=others, penalty_cents=spare)
    found = insert(plan.supposing(old.key, new.tolist()), again)
    if found is None:
        return None
    first = move_of(booking, found.column + (found.column >= booking.column))
    stays = others.table[VENDOR, found.column] == new[VENDOR]
    if (wish.cents[column] if stays else new[COST]) > wish.most:
        return None  # worth it only by what the neighbours gain
    return Insertion(wish.entry, column, (first, *found.moves), spent + found.cents, plan.version)
