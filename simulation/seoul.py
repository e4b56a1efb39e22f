"""A day from two CSV files, made for Seoul's: 6,002 trips and 613 vehicles of a disabled persons' call taxi.

Vehicles are grouped by position into vendors of seven or eight (what a vendor has); a wheelchair van also
serves ambulatory riders. Times asked for are rounded to five minutes, as windows are promised. Public data
without patients.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from contracts.codes import LevelOfService, ServiceClass
from contracts.geo import Circle, Place, Window
from contracts.instants import MINUTE_MS
from contracts.pools import Pool, Pools
from contracts.requests import Request, TripRequest
from contracts.vendors import BaseFare, ExplicitAnswer, RateCard, Vendor
from simulation.day import DATE, Day, at, booked, instant
from simulation.licences import valid_credentials
from simulation.table import Row, read_table

TZ = ZoneInfo("Asia/Seoul")
VEHICLES_A_VENDOR, BUCKETS = 7.66, 288
DEGREES, FLAG = {"lon": (-180.0, 180.0), "lat": (-90.0, 90.0)}, (0, 1)
TRIPS = {
    "ID": (0, 10**12),
    "ride_time": (0.0, 24 * 60.0),
    "type": FLAG,
    **{f"{end}_{axis}": bounds for end in ("ride", "alight") for axis, bounds in DEGREES.items()},
}
VEHICLES = {"cartype": FLAG, "work_start": (0.0, 24.0), "work_end": (0.0, 24.0), **DEGREES}
WINDOW_MINUTES, SERVICE_MINUTES = 15, 5
RADIUS_M, BEYOND_M = 15_000, 15_000
ADVANCE_SHARE = 0.8
# More is wanted between six and eight than there are vehicles on shift: what is planned eight hours ahead,
# when the whole evening has been booked, packs tighter than what is promised call by call. A played day is
# some 900 times as fast as a real one, and the optimiser is not: it gets less of it than by default.
TUNING = {"horizon_hours": 8, "solve_time_limit_s": 0.3}
RIDE = (LevelOfService.AMBULATORY, LevelOfService.WHEELCHAIR)


class Vehicle(NamedTuple):
    """One vehicle and its shift, in hours after midnight; 7.5 is half past seven."""

    lon: float
    lat: float
    wheelchair: bool
    start_h: float
    end_h: float

    def drives(self, hour: float) -> bool:
        """Whether it is on shift; one that ends before it begins goes on past midnight."""
        if self.start_h <= self.end_h:
            return self.start_h <= hour < self.end_h
        return hour >= self.start_h or hour < self.end_h


def load(folder: Path, seed: int, date: dt.date = DATE) -> Day:
    """The day in `folder`, as if it were that date; `seed` draws what is booked ahead."""
    trips = [_trip(row, date) for row in read_table(folder / "trips.csv", TRIPS, once="ID")]
    vehicles = [_vehicle(row) for row in read_table(folder / "vehicles.csv", VEHICLES)]
    groups = grouped(vehicles, max(1, round(len(vehicles) / VEHICLES_A_VENDOR)))
    vendors = tuple(_vendor(number, group, date) for number, group in enumerate(groups, 1))
    return Day(
        name="Seoul",
        market="seoul",
        tz=TZ,
        vendors=vendors,
        capacity={(vendor.id, date): _pools(group) for vendor, group in zip(vendors, groups, strict=True)},
        submissions=booked(trips, TZ, ADVANCE_SHARE, random.Random(seed), date),
        takes_s=118.0,
        tuning=TUNING,
        date=date,
    )


def grouped(vehicles: Sequence[Vehicle], parts: int) -> list[list[Vehicle]]:
    """Split by position into `parts` groups of equal size ±1: halve along the longer side, repeatedly."""
    if parts == 1:
        return [list(vehicles)]
    spans = [max(each[axis] for each in vehicles) - min(each[axis] for each in vehicles) for axis in (0, 1)]
    ordered = sorted(vehicles, key=lambda each: each[spans.index(max(spans))])
    cut = len(ordered) * (parts // 2) // parts
    return grouped(ordered[:cut], parts // 2) + grouped(ordered[cut:], parts - parts // 2)


def _vendor(number: int, vehicles: Sequence[Vehicle], date: dt.date) -> Vendor:
    middle = tuple(round(sum(each[axis] for each in vehicles) / len(vehicles), 6) for axis in (0, 1))
    vans = any(each.wheelchair for each in vehicles)
    levels = RIDE if vans else RIDE[:1]
    fares = tuple(
        BaseFare(level_of_service=level, base_cents=3_500 + 1_000 * (level == RIDE[1])) for level in levels
    )
    return Vendor(
        id=f"seoul-{number:02d}",
        name=f"Call taxi {number:02d}",
        levels_of_service=levels,
        service_area=(Circle(centre=(middle[0], middle[1]), radius_m=RADIUS_M),),
        out_of_area_m=BEYOND_M,
        rate_card=RateCard(fares=fares),
        credentials=valid_credentials(date=date),
        answer=ExplicitAnswer(time_limit_s=900),
    )


def _pools(vehicles: Sequence[Vehicle]) -> Pools:
    kinds = {
        "vans": (
            [each for each in vehicles if each.wheelchair],
            (ServiceClass.WHEELCHAIR, ServiceClass.AMBULATORY),
        ),
        "cars": ([each for each in vehicles if not each.wheelchair], (ServiceClass.AMBULATORY,)),
    }
    return Pools(
        pools=tuple(
            Pool(id=name, serves=serves, units=_units(members))
            for name, (members, serves) in kinds.items()
            if members
        )
    )


def _units(vehicles: Sequence[Vehicle]) -> tuple[int, ...]:
    """Vehicles on shift in each of 288 buckets of five minutes."""
    hours = [bucket * 24 / BUCKETS for bucket in range(BUCKETS)]
    return tuple(sum(each.drives(hour) for each in vehicles) for hour in hours)


def _trip(row: Row, date: dt.date) -> Request:
    wanted_ms = at(TZ, 5 * round(row["ride_time"] / 5), date)
    earliest_ms = max(wanted_ms - WINDOW_MINUTES * MINUTE_MS, at(TZ, 0, date))
    latest_ms = wanted_ms + WINDOW_MINUTES * MINUTE_MS
    return TripRequest(
        id=f"trip-{row['ID']:.0f}",
        pickup=Place(position=(row["ride_lon"], row["ride_lat"])),
        dropoff=Place(position=(row["alight_lon"], row["alight_lat"])),
        level_of_service=RIDE[int(row["type"])],
        pickup_window=Window(earliest=instant(earliest_ms, TZ), latest=instant(latest_ms, TZ)),
        service_minutes=SERVICE_MINUTES,
    )


def _vehicle(row: Row) -> Vehicle:
    return Vehicle(row["lon"], row["lat"], row["cartype"] == 1, row["work_start"], row["work_end"])
