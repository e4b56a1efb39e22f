"""A market whose vans become free by the hour: who waits how long for an offer, with a floor and without."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final, TypedDict

import numpy as np

from benchmarks.scores_floor import VANS, rides, together
from benchmarks.scores_market import FIRST, TZ, open_request, van_company
from contracts.codes import ServiceClass
from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.tuning import Number
from dispatcher.domain.fairness import DAYS, MOST, WAIT, Fared, behind, group_of, parts_of, with_waiting
from solvers.capacity.pools import PoolSupply, bits_of
from solvers.encoding import VendorBook, encode
from solvers.horizon import Horizon
from solvers.planning import Solver, plan
from solvers.screening import OpenRequest

FLOOR_MINUTES: Final = 15  # tighter than by default: without a floor they differ by some 25 here
FROM_HOUR, HOURS, FREE_HOURS = 8, 16, 2  #: vans are free from each hour on, for so long


class Waited(TypedDict):
    """After the first week: minutes until an offer by level, by how much they differ, the floor."""

    wait_minutes: dict[str, float]
    gap: float
    floor: float


def play(
    *, floor: bool, seed: int = 1, days: int = 21, requests: int = 32, solver: Solver | None = None
) -> Waited:
    """Each hour who waits is planned on the vans that are free then; who is left out waits for the next."""
    values: dict[str, Number] = {WAIT.name: FLOOR_MINUTES} | ({} if floor else {MOST.name: 0.0})
    fared = list[dict[str, Fared]]()
    for nth in range(days):
        today = FIRST + timedelta(days=nth)
        coming = sorted(map(open_request, rides(seed, today, requests)), key=lambda each: each.earliest_ms)
        fared.append(_day(fared[-DAYS + 1 :], today, coming, values, solver))
    by_level = together([{parts_of(name)[0]: each} for day in fared[DAYS:] for name, each in day.items()])
    waits = {level: round(each.wait_min, 1) for level, each in sorted(by_level.items())}
    return Waited(
        wait_minutes=waits, gap=round(max(waits.values()) - min(waits.values()), 1), floor=WAIT.of(values)
    )


def _day(
    before: Sequence[dict[str, Fared]],
    today: date,
    coming: Sequence[OpenRequest],
    values: dict[str, Number],
    solver: Solver | None,
) -> dict[str, Fared]:
    horizon = Horizon.of(TZ, today, 2)
    dawn_ms = int(horizon.midnight_ms[0]) + FROM_HOUR * HOUR_MS
    counts = defaultdict[str, Fared](Fared)
    for hour in range(HOURS):
        now_ms = dawn_ms + hour * HOUR_MS
        waiting = [each for each in coming if each.earliest_ms <= now_ms]
        lies = behind(_with_waiting([*before, counts], waiting, now_ms), values)
        matched = _matched([_asked(each, now_ms, lies) for each in waiting], horizon, now_ms, values, solver)
        for each in (waiting[row] for row in matched):
            group = group_of(each.request)
            counts[group] = counts[group].plus(Fared(1, 0, (now_ms - each.earliest_ms) // 1000))
        gone = {waiting[row].request.id for row in matched}
        coming = [each for each in coming if each.request.id not in gone]
    for each in coming:  # the last of the day have waited until its end
        group, waited_ms = group_of(each.request), dawn_ms + HOURS * HOUR_MS - each.earliest_ms
        counts[group] = counts[group].plus(Fared(1, 0, max(0, waited_ms) // 1000))
    return dict(counts)


def _with_waiting(
    days: Sequence[dict[str, Fared]], waiting: Sequence[OpenRequest], now_ms: int
) -> dict[str, Fared]:
    waits = defaultdict[str, list[int]](list)
    for each in waiting:
        waits[group_of(each.request)].append(now_ms - each.earliest_ms)
    return with_waiting(together(days), waits)


def _asked(each: OpenRequest, now_ms: int, lies: dict[str, float]) -> OpenRequest:
    first_ms = now_ms + 10 * MINUTE_MS
    return replace(
        each,
        earliest_ms=first_ms,
        latest_ms=first_ms + FREE_HOURS * HOUR_MS,
        behind=lies.get(group_of(each.request), 0.0),
    )


def _matched(
    asked: Sequence[OpenRequest],
    horizon: Horizon,
    now_ms: int,
    values: dict[str, Number],
    solver: Solver | None,
) -> list[int]:
    if not asked:
        return []
    nothing = PoolSupply.nothing(1, 1, horizon)
    left, hour = np.zeros_like(nothing.left), horizon.buckets // (24 * len(horizon.ordinal))
    first = (now_ms - int(horizon.midnight_ms[0])) // HOUR_MS * hour
    left[:, :, first : first + FREE_HOURS * hour] = VANS
    supply = replace(
        nothing,
        serves=np.full_like(nothing.serves, bits_of(tuple(ServiceClass))),
        left=left,
        daily_left=np.full_like(nothing.daily_left, 1_000),
    )
    book = VendorBook.of([van_company("vans", (0, 0))])
    screening = encode(asked, book, supply, horizon, now_ms=now_ms, values=values)
    return [int(row) for row in plan(screening, solver).chosen.request.tolist()]
