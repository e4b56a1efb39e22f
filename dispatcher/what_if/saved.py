"""A saved plan's input under a change: arrays in, arrays out; what was not saved cannot be changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from contracts.instants import MINUTE_MS
from contracts.what_if import WhatIfChange, WhatIfRequest
from dispatcher.domain.coarse_position import coarse_position
from dispatcher.domain.refusals import Invalid
from dispatcher.what_if.answers import rates_of
from dispatcher.what_if.change import GOLDEN, values_of
from dispatcher.what_if.moment import AHEAD_MS, Moment, MomentAsked
from solvers.arrays import Ints
from solvers.capacity.pools import PoolSupply
from solvers.compare import Asked
from solvers.horizon import LEDGER_MS
from solvers.rules import paused
from solvers.screening import CLASSES, PRIORITIES, Screening


def moment_asked(
    screening: Screening, requests: Sequence[str], vendors: Sequence[str], asked: WhatIfRequest
) -> MomentAsked:
    """Both sides, and who was asked then pinned. Raises Invalid for what the plan does not hold."""
    _refuse_unsaved(asked.change, vendors)
    waiting = _waiting(screening)
    pinned = _pinned(screening, waiting)
    ids = [requests[each] for each in waiting.tolist()]
    before = _moment(pinned, ids, vendors)
    after = _moment(_changed(pinned, vendors, asked.change), ids, vendors)
    order = sorted(ids)
    rows = np.array([ids.index(each) for each in order], np.int64)
    return MomentAsked(
        before, after, order, _asked(pinned, rows), asked.change, asked.seed, asked.again,
        against=asked.against, pinned=screening.requests - len(ids),
    )  # fmt: skip


def _refuse_unsaved(change: WhatIfChange, vendors: Sequence[str]) -> None:
    if change.add:
        raise Invalid(
            "a saved plan holds no vendor that was not there\nMaybe add it to what waits `now`, or to a day."
        )
    missing = [each for each in (*change.pause, *change.resume) if each not in vendors]
    if missing:
        raise Invalid(f"that plan knows no vendor {missing[0]}\nMaybe it was registered later.")


def _waiting(screening: Screening) -> Ints:
    standing = screening.standing
    return np.arange(screening.requests) if standing is None else np.flatnonzero(standing.vendor < 0)


def _pinned(screening: Screening, waiting: Ints) -> Screening:
    """Those that wait, by themselves; who stands keeps what it holds."""
    standing = screening.standing
    if standing is None:
        return screening
    rows = np.flatnonzero(standing.vendor >= 0)
    day = screening.horizon.day_of(standing.start_ms[rows])
    where = (standing.vendor[rows], standing.resource[rows], day, standing.first[rows], standing.end[rows])
    return replace(screening, supply=screening.supply.less(*where)).only(waiting)


def _changed(screening: Screening, vendors: Sequence[str], change: WhatIfChange) -> Screening:
    """With other settings, pauses, and capacity: in % of what was left, which is all that is saved."""
    open_ = screening.of_vendors[paused.RULE.code]["open"].copy()
    open_[[vendors.index(each) for each in change.pause]] = False
    open_[[vendors.index(each) for each in change.resume]] = True
    of_vendors = {**screening.of_vendors, paused.RULE.code: {"open": open_}}
    supply = screening.supply
    if change.capacity_percent and isinstance(supply, PoolSupply):
        supply = replace(supply, left=_scaled(supply.left, 1 + change.capacity_percent / 100))
    values = values_of(change, screening.values)
    return replace(screening, values=values, of_vendors=of_vendors, supply=supply)


def _scaled(left: Ints, factor: float) -> Ints:
    """As `change.postings_of` does: what rounding takes from some pools it leaves to others."""
    share = (np.arange(1, 1 + left.shape[0] * left.shape[1]) * GOLDEN % 1).reshape(*left.shape[:2], 1)
    return np.where(left > 0, np.floor(left * factor + share), left).astype(np.int64)


def _moment(screening: Screening, ids: Sequence[str], vendors: Sequence[str]) -> Moment:
    first = max(0, screening.horizon.first_bucket(screening.now_ms))
    left = screening.supply.units(first, screening.horizon.buckets, 1)
    free = left.sum(axis=(1, 2))
    ahead = int(left[:, :, : AHEAD_MS // LEDGER_MS].sum()) * LEDGER_MS // MINUTE_MS
    _, others = rates_of({})
    declines = np.full(len(vendors), others.declines + others.silent)
    return Moment(screening, ids, vendors, free, free, ahead, declines)


def _asked(screening: Screening, rows: Ints) -> Asked:
    facts, horizon = screening.facts[rows], screening.horizon
    minutes = horizon.minute_of_day(np.clip(facts.earliest_ms, horizon.start_ms, horizon.end_ms - 1))
    areas = [coarse_position((lon, lat)) for lon, lat in facts.pickup.tolist()]
    return Asked(
        earliest_ms=facts.earliest_ms,
        latest_ms=facts.latest_ms,
        urgent=facts.priority > 0,
        groups={
            "level": [CLASSES[each].value for each in facts.service_class.tolist()],
            "area": [f"{lon:.3f},{lat:.3f}" for lon, lat in areas],
            "hour": [f"{minute // 60:02}:00" for minute in minutes.tolist()],
            "priority": [PRIORITIES[each].value for each in facts.priority.tolist()],
        },
    )
