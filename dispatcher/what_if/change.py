"""A change applied: to settings, vendors and their capacity. Each is given back anew; what was stays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec.structs import replace

from contracts.capacity import Capacity
from contracts.ledger import MAX_UNITS
from contracts.pools import Pool
from contracts.tuning import Number, parted
from contracts.vendors import Vendor
from contracts.what_if import WhatIfChange
from dispatcher.domain.refusals import Invalid
from dispatcher.tuning.registry import Registry
from solvers.rules import registry
from solvers.rules.base import CostTerm

Postings = Mapping[tuple[str, str], Capacity]  #: by vendor and ISO day
GOLDEN = (math.sqrt(5) - 1) / 2


def refuse_unknown(change: WhatIfChange, vendors: Sequence[Vendor], parameters: Registry) -> WhatIfChange:
    """The change by the parameters' present names. Raises Invalid for what is not there, naming it."""
    known, found = {each.id for each in vendors}, list[str]()
    found += [f"there is no vendor {each}" for each in (*change.pause, *change.resume) if each not in known]
    found += [f"there is a vendor {each.vendor.id}" for each in change.add if each.vendor.id in known]
    found += [f"{each} is no rule that may be off" for each in change.rules_off if each not in switchable()]
    if found:
        raise Invalid(
            "; ".join(found[:5]) + f"\nMaybe look at the vendors; rules that may be off: {', '.join(switchable())}.",
            problems=found[:50],
        )  # fmt: skip
    return replace(change, values=parameters.checked(change.values))


def switchable() -> tuple[str, ...]:
    """The rules that may be off: those that ops may let yield for one vendor, and every cost term."""
    return tuple(each.code for each in registry.rules() if each.relaxable or isinstance(each, CostTerm))


@contextmanager
def rules_of(change: WhatIfChange) -> Iterator[None]:
    """The rules as changed, for the length of a block."""
    with registry.without(*change.rules_off):
        yield


def values_of(change: WhatIfChange, values: Mapping[str, Number]) -> dict[str, Number]:
    """The settings with the change's laid over them."""
    return {**values, **parted(change.values)[0]}


def vendors_of(change: WhatIfChange, vendors: Sequence[Vendor]) -> tuple[Vendor, ...]:
    """Paused, resumed and added."""
    kept = [_paused(change, each) for each in vendors]
    return (*kept, *(each.vendor for each in change.add))


def _paused(change: WhatIfChange, vendor: Vendor) -> Vendor:
    if vendor.id in change.pause:
        return replace(vendor, paused=True)
    return replace(vendor, paused=False, ops_pause=None) if vendor.id in change.resume else vendor


def postings_of(change: WhatIfChange, postings: Postings, days: Sequence[str]) -> dict[tuple[str, str], Capacity]:
    """Capacity in percent, and that of added vendors on each of `days`, which is as it is given.

    A tenth of a unit is none: what is lost by rounding at some pools is kept at others, the same at all
    hours, so that the sum is right.
    """
    factor, changed = 1 + change.capacity_percent / 100, dict[tuple[str, str], Capacity]()
    names = sorted({(vendor, pool.id) for (vendor, _), each in postings.items() for pool in each.pools})
    share = {name: ((nth + 1) * GOLDEN) % 1 for nth, name in enumerate(names)}
    for (vendor, day), each in postings.items():
        pools = tuple(_scaled(pool, factor, share[vendor, pool.id]) for pool in each.pools)
        changed[vendor, day] = replace(each, pools=pools)
    return changed | {(each.vendor.id, day): each.capacity for each in change.add for day in days}


def _scaled(pool: Pool, factor: float, share: float) -> Pool:
    if factor == 1:
        return pool
    units = tuple(min(MAX_UNITS, math.floor(each * factor + share)) if each else 0 for each in pool.units)
    cap = pool.daily_cap if pool.daily_cap == MAX_UNITS else min(MAX_UNITS, math.floor(pool.daily_cap * factor + share))
    return replace(pool, units=units, daily_cap=cap)
