"""Each vendor that qualifies gets at least its share of the offers; while it is short, work is worth more.

A vendor's even share: of the offers of each service in the last days, and of the requests of this plan, as
much as every other vendor gets that serves them. It is given `floor` of that, as the optimiser's targets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from contracts.tuning import Parameter
from contracts.vendors import Vendor
from solvers.arrays import Arrays, Flags, Floats, Ints
from solvers.rules import level_of_service, registry
from solvers.rules.base import Candidates, Rule
from solvers.screening import CLASS_INDEX, CLASSES, Screening

FLOOR = Parameter(
    name="share_floor",
    default=0.0,
    minimum=0.0,
    maximum=1.0,
    unit="share",
    summary="So much of an even share of the offers each vendor that qualifies is to get; 0: no vendor is.",
    scope="rules.shares",
)
CENTS = Parameter(
    name="share_shortfall_cents",
    default=300,
    minimum=0,
    maximum=100_000,
    unit="cents",
    summary="A match may cost so much more if its vendor is short of its share.",
    scope="rules.shares",
)
PARAMETERS = (FLOOR, CENTS)


class Shares(Rule):
    """No mask and no cost of a candidate: targets of the whole plan."""

    code = "shares"
    order = 99
    parameters = PARAMETERS
    reads = "offers"

    def of_known(self, vendors: Sequence[Vendor], known: Mapping[str, Any]) -> Arrays:
        """`got`: classes x V; offers of the last days that were answered, or were not in time."""
        got = np.zeros((len(CLASSES), len(vendors)), np.int64)
        for column, each in enumerate(vendors):
            for name, count in known.get(each.id, {}).items():
                if name in CLASS_INDEX:
                    got[CLASS_INDEX[name], column] = count
        return {"got": got}


def in_force(screening: Screening) -> bool:
    """Whether any vendor may be short of a share."""
    is_known = "got" in screening.of_vendors.get(Shares.code, {})
    return bool(FLOOR.of(screening.values)) and is_known and registry.is_on(Shares.code)


def targets(screening: Screening, candidates: Candidates) -> tuple[Ints, int]:
    """V, requests that each vendor is short of its floor, and cents for each; none where tuning has none."""
    if not in_force(screening):
        return np.zeros(screening.vendors, np.int64), 0
    floor, got = FLOOR.of(screening.values), screening.of_vendors[Shares.code]["got"]
    reach = np.zeros((screening.requests, screening.vendors), np.bool_)
    reach[candidates.request, candidates.vendor] = True
    due = _even(got.sum(axis=1), _serves(screening)) + _even(np.ones(len(reach)), reach)
    short = np.floor(floor * due - got.sum(axis=0) + 1e-9).astype(np.int64)
    return np.clip(short, 0, reach.sum(axis=0)), CENTS.whole(screening.values)


def _serves(screening: Screening) -> Flags:
    """Classes x V."""
    offers = screening.of_vendors.get(level_of_service.RULE.code, {}).get("offers")
    posted = screening.supply.classes()
    return np.asarray(posted if offers is None else posted & offers)


def _even(amounts: Ints | Floats, among: Flags) -> Floats:
    """V; each of n amounts in even parts among those (n x V) that may have it."""
    part = amounts / np.maximum(among.sum(axis=1), 1)
    return np.asarray(part @ among, np.float64)


RULE = Shares()
