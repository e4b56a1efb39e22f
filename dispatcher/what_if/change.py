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
from solvers.rules import registry

Postings = Mapping[tuple[str, str], Capacity]  #: by vendor and ISO day
GOLDEN = (math.sqrt(5) - 1) / 2


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


def postings_of(
    change: WhatIfChange, postings: Postings, days: Sequence[str]
) -> dict[tuple[str, str], Capacity]:
    """Capacity in %, and that of added vendors on each of `days`, which is as it is given.

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
    cap = (
        pool.daily_cap
        if pool.daily_cap == MAX_UNITS
        else min(MAX_UNITS, math.floor(pool.daily_cap * factor + share))
    )
    return replace(pool, units=units, daily_cap=cap)
