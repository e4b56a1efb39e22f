"""A regional broker's next day as messages: vendors, what they post, and all its requests, from one seed.

The draws are those of `benchmarks.generator`; here they are laid on a map and into a calendar, so that the
service itself finds the candidates and their prices.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from msgspec.structs import replace as with_fields

from benchmarks.busy_market import vendor_document
from benchmarks.day import AMBULATORY, EQUIPMENT, LOADS, Day
from benchmarks.demand import Demand, draw_demand
from benchmarks.supply import Supply, draw_supply
from contracts.codes import LevelOfService, Priority, ServiceClass
from contracts.geo import Place, Position, Window
from contracts.instants import MINUTE_MS, to_instant
from contracts.pools import Pool, Pools
from contracts.requests import EquipmentOrder, OrderLine, Request, TripRequest
from contracts.vendors import BaseFare, RateCard, Vendor
from solvers.horizon import Horizon

CENTRE: Final = (-73.95, 40.75)
BEYOND_M: Final = 9_000  # a vendor goes so far out of its area, for a surcharge
KM_A_DEGREE: Final = 111.2
CODE: Final = "E1390"  # an oxygen concentrator
LEVELS: Final = (LevelOfService.AMBULATORY, LevelOfService.WHEELCHAIR, LevelOfService.STRETCHER)
CLASSES: Final = (
    ServiceClass.AMBULATORY,
    ServiceClass.WHEELCHAIR,
    ServiceClass.STRETCHER,
    ServiceClass.EQUIPMENT,
)
ONE_CAR: Final = np.arange(96) // 32 == 1  # of who has drawn nothing: from eight to four
PRIORITIES: Final = (Priority.ROUTINE, Priority.URGENT, Priority.ASAP)


@dataclass(frozen=True, eq=False)
class NightDay:
    """The day after the night."""

    day: Day
    demand: Demand
    supply: Supply
    date: dt.date
    midnight_ms: int
    priority: tuple[Priority, ...]  #: R
    angle: tuple[float, ...]  #: R; where a ride goes

    @classmethod
    def drawn(cls, requests: int, vendors: int, *, on: dt.date, tz: ZoneInfo, seed: int = 1) -> NightDay:
        """So many requests; about so many vendors, who have together what the usual number would have."""
        rng, usual = np.random.default_rng(seed), LOADS["normal"]
        demand, *_ = draw_demand(usual, requests, rng)
        vehicles = draw_supply(usual, demand, np.random.default_rng(seed)).capacity.max(axis=2).sum()
        day = replace(usual, vehicles_per_vendor=float(vehicles) / vendors)
        midnight_ms = int(Horizon.of(tz, on, 1).midnight_ms[0])
        drawn = rng.choice(len(PRIORITIES), requests, p=day.priority_share)
        supply = draw_supply(day, demand, rng)
        idle = ~supply.capacity.any(axis=(1, 2))
        supply.capacity[idle, AMBULATORY] = ONE_CAR
        return cls(
            *(day, demand, supply, on, midnight_ms),
            priority=tuple(PRIORITIES[each] for each in drawn.tolist()),
            angle=tuple(rng.uniform(0, 2 * math.pi, requests).tolist()),
        )

    def vendors(self) -> Iterator[tuple[Vendor, Pools]]:
        """Each with what it posts for the day, in quarters of an hour."""
        for row, at_km in enumerate(self.supply.at_km.tolist()):
            offers, rate = np.flatnonzero(self.supply.capacity[row].any(axis=1)), float(self.supply.rate[row])
            vendor = vendor_document(row, _place(*at_km), round(1_000 * self.day.area_km))
            levels = tuple(LEVELS[each] for each in offers.tolist() if each != EQUIPMENT)
            codes = (CODE,) if EQUIPMENT in offers else ()
            pools = tuple(self._pool(row, each) for each in offers.tolist())
            more = {"levels_of_service": levels, "hcpcs": codes, "out_of_area_m": BEYOND_M}
            yield with_fields(vendor, rate_card=self._card(rate), **more), Pools(pools=pools)

    def requests(self) -> Iterator[Request]:
        """All of them, as they come in."""
        return map(self._request, range(len(self.priority)))

    def _pool(self, row: int, level: int) -> Pool:
        units = tuple(self.supply.capacity[row, level].tolist())
        return Pool(id=CLASSES[level].value, serves=(CLASSES[level],), units=units)

    def _card(self, rate: float) -> RateCard:
        fares = zip(LEVELS, self.day.base_price_cents[: len(LEVELS)], strict=True)
        return RateCard(
            fares=tuple(
                BaseFare(level_of_service=level, base_cents=round(rate * cents)) for level, cents in fares
            ),
            delivery_cents=round(rate * self.day.base_price_cents[EQUIPMENT]),
        )

    def _request(self, row: int) -> Request:
        level, priority, name = int(self.demand.level[row]), self.priority[row], f"night-{row:06d}"
        east, north = self.demand.at_km[row].tolist()
        if level == EQUIPMENT:
            lines, place = (OrderLine(hcpcs=CODE),), Place(position=_place(east, north))
            return EquipmentOrder(
                id=name, priority=priority, place=place, window=self._window(row), lines=lines
            )
        km, angle = float(self.demand.trip_km[row]), self.angle[row]
        there = _place(east + km * math.cos(angle), north + km * math.sin(angle))
        return TripRequest(
            id=name,
            priority=priority,
            pickup=Place(position=_place(east, north)),
            dropoff=Place(position=there),
            level_of_service=LEVELS[level],
            pickup_window=self._window(row),
        )

    def _window(self, row: int) -> Window:
        asked, bucket_ms = int(self.demand.asked[row]), self.day.bucket_min * MINUTE_MS
        first = max(0, asked - int(self.demand.before[row]))
        last = asked + int(self.demand.after[row])
        earliest, latest = (to_instant(self.midnight_ms + each * bucket_ms) for each in (first, last))
        return Window(earliest=earliest, latest=latest)


def next_day(now_ms: int, tz: ZoneInfo) -> dt.date:
    """The market's next day."""
    return to_instant(now_ms).astimezone(tz).date() + dt.timedelta(days=1)


def _place(east_km: float, north_km: float) -> Position:
    lon = CENTRE[0] + east_km / (KM_A_DEGREE * math.cos(math.radians(CENTRE[1])))
    return round(lon, 5), round(CENTRE[1] + north_km / KM_A_DEGREE, 5)
