"""The plan of few requests of which none is in another's way: each has its cheapest candidate.

It is the greedy's plan, without the prices and the problem that this would make first: for one imminent
request, or some at once, these are most of the work. Where there might not be room for all it says nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np

from solvers.arrays import Ints
from solvers.candidates import Screened
from solvers.formulation import penalties
from solvers.rules import shares
from solvers.rules.capacity import UNITS, outward
from solvers.screening import CLASSES, Screening


class Apart(NamedTuple):
    """Where each request goes, and what no plan could better."""

    choice: Ints  #: R; column or -1
    cents: int  #: of the whole


def apart(screening: Screening, screened: Screened) -> Apart | None:
    """Each request at its cheapest; None where that may not be, or need not be the greedy's plan."""
    if screening.standing is not None or screening.sequence is not None or shares.in_force(screening):
        return None
    candidates, cents = screened.candidates, penalties(screening, screened)
    able, columns = np.unique(candidates.request, return_index=True)
    cost = screened.cents[columns]
    if not _fit(screening, screened, columns):
        return None
    if (np.minimum.reduceat(screened.cents, columns) < cost).any() if len(columns) else False:
        return None  # costs so far apart that they were not sorted
    if (cents[able] <= cost).any():  # it may as well go without
        return None
    choice = np.full(screening.requests, -1, np.int64)
    choice[able], cents[able] = columns, cost
    return Apart(choice, int(cents.sum()))


def _fit(screening: Screening, screened: Screened, columns: Ints) -> bool:
    """Whether there is room for each of them with all others of its resource at the same time.

    Read as the scalar checks do, not as screening did.
    """
    some, supply, horizon = screened.candidates.only(columns), screening.supply, screening.horizon
    first, end = outward(horizon, some.start_ms, some.start_ms + some.taken_ms, screening.values)
    day, wanted = horizon.day_of(some.start_ms), screening.facts.service_class[some.request]
    caps = np.maximum(supply.vendor_caps(), 0)
    if (np.bincount(some.vendor, minlength=len(caps)) > caps).any():
        return False
    places = (some.vendor, some.resource, day, wanted, first, end)
    rows = list(zip(*(each.tolist() for each in places), strict=True))
    together = Counter(row[:2] for row in rows)
    for v, k, on, service, begin, stop in rows:
        room, many = supply.room(v, k, on), together[v, k]
        if not room.serves(CLASSES[service]) or not room.has(many * UNITS, begin, stop, many):
            return False
    return True
