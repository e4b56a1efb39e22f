"""A market with half the vans that it wants: whose rides are left out, with a fairness floor and without."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypedDict

import numpy as np

from benchmarks.scores_market import CENTRE, EASY, FIRST, HARD, TZ, open_request, van_company
from contracts.codes import ServiceClass
from contracts.geo import Place, Window
from contracts.instants import HOUR_MS
from contracts.requests import TripRequest
from contracts.tuning import Number
from dispatcher.domain.fairness import DAYS, MOST, UNMATCHED, Fared, behind, group_of, parts_of
from solvers.capacity.pools import PoolSupply, bits_of
from solvers.encoding import VendorBook, encode
from solvers.horizon import Horizon
from solvers.planning import Solver, plan
from solvers.screening import OpenRequest, Screening

VANS, HOURS = 2, 8
LONG_DEGREES: Final = 0.25  # some 21 km: a ride of the level that takes the vans longest
NEAR_DEGREES: Final = 0.03


class Left(TypedDict):
    """After the first week: the share without a vendor by level, by how much they differ, the floor."""

    unmatched_share: dict[str, float]
    gap: float
    floor: float


def play(
    *, floor: bool, seed: int = 1, days: int = 21, requests: int = 32, solver: Solver | None = None
) -> Left:
    """Each day's short rides are asked for first, then the long ones; the floor goes by the days before."""
    values: dict[str, Number] = {} if floor else {MOST.name: 0.0}
    fared = list[dict[str, Fared]]()
    for nth in range(days):
        today = FIRST + timedelta(days=nth)
        lies = behind(together(fared[-DAYS:]), values)
        asked = [
            replace(open_request(each), behind=lies.get(group_of(each), 0.0))
            for each in rides(seed, today, requests)
        ]
        matched = set(plan(_screening(asked, today, values), solver).chosen.request.tolist())
        counts = defaultdict[str, Fared](Fared)
        for row, each in enumerate(asked):
            group = group_of(each.request)
            counts[group] = counts[group].plus(Fared(1, int(row not in matched), 0))
        fared.append(dict(counts))
    return _left(together(fared[DAYS:]), values)


def _left(groups: dict[str, Fared], values: dict[str, Number]) -> Left:
    by_level = together([{parts_of(name)[0]: each} for name, each in groups.items()])
    shares = {level: round(each.share_unmatched, 3) for level, each in sorted(by_level.items())}
    return Left(
        unmatched_share=shares,
        gap=round(max(shares.values()) - min(shares.values()), 3),
        floor=UNMATCHED.of(values),
    )


def together(days: Sequence[dict[str, Fared]]) -> dict[str, Fared]:
    found = defaultdict[str, Fared](Fared)
    for day in days:
        for name, each in day.items():
            found[name] = found[name].plus(each)
    return dict(found)


def _screening(asked: Sequence[OpenRequest], today: date, values: dict[str, Number]) -> Screening:
    horizon = Horizon.of(TZ, today, 2)
    nothing = PoolSupply.nothing(1, 1, horizon)
    supply = replace(
        nothing,
        serves=np.full_like(nothing.serves, bits_of(tuple(ServiceClass))),
        left=np.full_like(nothing.left, VANS),
        daily_left=np.full_like(nothing.daily_left, 1_000),
    )
    now_ms = int(horizon.midnight_ms[0]) + 5 * HOUR_MS
    return encode(
        asked, VendorBook.of([van_company("vans", (0, 0))]), supply, horizon, now_ms=now_ms, values=values
    )


def rides(seed: int, today: date, number: int) -> Iterator[TripRequest]:
    rng = random.Random(f"{seed}/floor/{today}")
    dawn = datetime(today.year, today.month, today.day, 8, tzinfo=UTC)
    for nth in range(number):
        long = 2 * nth >= number
        earliest = dawn + timedelta(minutes=rng.randrange(HOURS * 60))
        lon, lat = CENTRE
        yield TripRequest(
            id=f"{today}-{nth:04}",
            pickup=Place(position=CENTRE),
            dropoff=Place(position=(lon + (LONG_DEGREES if long else NEAR_DEGREES), lat)),
            level_of_service=HARD if long else EASY,
            pickup_window=Window(earliest=earliest, latest=earliest + timedelta(minutes=60)),
        )
