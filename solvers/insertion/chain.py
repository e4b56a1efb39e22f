"""Two neighbours step aside, one after the other: for a request that would otherwise be left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from solvers.insertion.columns import COST, Columns, Entry, Insertion, Ints, Move
from solvers.insertion.direct import price
from solvers.insertion.eject import Pairs, Wish, pairs_of
from solvers.insertion.plan import Booking, StandingPlan

FIRST_MOVES = 3  #: first neighbours tried, about a millisecond each
Inserter = Callable[[StandingPlan, Entry], Insertion | None]


def step_aside_twice(plan: StandingPlan, wish: Wish, insert: Inserter) -> Insertion | None:
    """The first neighbour's place is taken, and it is inserted anew (`insert`) where another makes room."""
    pairs = pairs_of(plan, wish)
    for at in _promising(plan, wish, pairs):
        found = _after(plan, wish, int(pairs.column[at]), pairs.booking[at], insert)
        if found is not None:
            return found
    return None


def _promising(plan: StandingPlan, wish: Wish, pairs: Pairs) -> list[int]:
    """The pairs whose total could be least: the neighbour at its cheapest other column, fit or not."""
    if not len(pairs):
        return []
    now = price(plan, pairs.held(), wish.price_weight).score
    total = wish.priced.score[pairs.column] - now
    for at, booking in enumerate(pairs.booking):
        score = price(plan, booking.entry.columns.table, wish.price_weight).score
        total[at] += booking.entry.move_cents + np.delete(score, booking.column).min(initial=np.inf)
    order: Ints = total.argsort(kind="stable")[:FIRST_MOVES]
    return [at for at in order.tolist() if total[at] < np.inf]


def _after(
    plan: StandingPlan, wish: Wish, column: int, booking: Booking, insert: Inserter
) -> Insertion | None:
    """Place the neighbour anew once the request has its place; both moves, and what all of it costs."""
    new, old = wish.entry.columns.table[:, column], booking.entry
    spent = int(new[COST]) - booking.cells[COST] + old.move_cents
    spare = None if wish.entry.penalty_cents is None else wish.entry.penalty_cents - spent
    others = Columns(np.delete(old.columns.table, booking.column, axis=1))
    again = replace(old, columns=others, penalty_cents=spare)
    found = insert(plan.supposing(old.key, new.tolist()), again)
    if found is None:
        return None
    after = found.column + (found.column >= booking.column)
    cents = int(old.columns.table[COST, after]) - booking.cells[COST] + old.move_cents
    moves = (Move(old.key, booking.column, after, cents), *found.moves)
    return Insertion(wish.entry, column, moves, spent + found.cents, plan.version)
