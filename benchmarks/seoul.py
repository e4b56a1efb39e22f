"""The Seoul day as an assignment problem: 6,002 trips of a disabled-persons' call-taxi, 613 vehicles.

The vehicles have no vendor in the data: neighbours are put together, up to eight to a vendor, by halving the
city again and again. Nothing is drawn at random; what the data lack (prices, windows, speeds) is from
`benchmarks.day`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.candidates import draw_columns
from benchmarks.day import AMBULATORY, LEVELS, WHEELCHAIR, Day
from benchmarks.demand import Demand, list_price
from benchmarks.supply import Supply
from dispatcher.runtime.errors import UserError
from simulation.errors import DayError
from simulation.seoul import TRIPS, VEHICLES
from simulation.table import Bounds, read_table
from solvers.arrays import Floats, Ints
from solvers.assignment.problem import AssignmentProblem

KM_PER_DEGREE = 111.195  #: of latitude
VEHICLES_A_VENDOR = 8  #: a vendor has 7-8 vehicles


@dataclass(frozen=True, slots=True, eq=False)
class SeoulDay:
    """The two tables as arrays; positions are [lon, lat]."""

    asked_min: Ints  #: R; minute of the day
    pickup: Floats  #: R x 2
    dropoff: Floats  #: R x 2
    wheelchair: npt.NDArray[np.bool_]  #: R
    home: Floats  #: F x 2; where each vehicle starts
    carries_wheelchair: npt.NDArray[np.bool_]  #: F
    shift_h: Floats  #: F x 2; first and last hour


def load_day(folder: Path) -> SeoulDay:
    """Read `trips.csv` and `vehicles.csv`. Raises UserError, naming file, line and column."""
    try:
        trips, vehicles = (
            _read(folder / "trips.csv", TRIPS, once="ID"),
            _read(folder / "vehicles.csv", VEHICLES),
        )
    except DayError as error:
        raise UserError(error.message, error.remedy) from error
    return SeoulDay(
        asked_min=trips["ride_time"].astype(np.int64),
        pickup=np.stack([trips["ride_lon"], trips["ride_lat"]], axis=1),
        dropoff=np.stack([trips["alight_lon"], trips["alight_lat"]], axis=1),
        wheelchair=trips["type"] == 1,
        home=np.stack([vehicles["lon"], vehicles["lat"]], axis=1),
        carries_wheelchair=vehicles["cartype"] == 1,
        shift_h=np.stack([vehicles["work_start"], vehicles["work_end"]], axis=1),
    )


def as_problem(day: SeoulDay, **overrides: Any) -> AssignmentProblem:
    """The day's problem; `overrides` are fields of `Day` by name (windows, speeds, prices, bucket length)."""
    terms = replace(Day(bucket_min=5, reach=12, loose_share=0.0, upgrade_vendors=12), **overrides)
    demand, supply = _demand(day, terms), _supply(day, terms)
    columns = draw_columns(terms, demand, supply)
    vehicles = supply.capacity.max(axis=2).sum(axis=1)
    problem = AssignmentProblem(
        request_penalty=demand.penalty, capacity=supply.capacity,
        vendor_cap=terms.cap_per_vehicle[0] * vehicles, **columns,  # type: ignore[arg-type]
    )  # fmt: skip
    fits = problem.fits_alone
    return replace(problem, **{name: array[fits] for name, array in columns.items()})  # type: ignore[arg-type]


def vendor_of(day: SeoulDay, most: int = VEHICLES_A_VENDOR) -> Ints:
    """F; the vendor of each vehicle: the city halved along its longer side until `most` or fewer remain."""
    at, vendor = _km(day, day.home), np.zeros(len(day.home), np.int64)
    waiting, count = [np.arange(len(at))], 0
    while waiting:
        some = waiting.pop()
        if len(some) <= most:
            vendor[some] = count
            count += 1
            continue
        along = int(np.ptp(at[some], axis=0).argmax())
        ordered = some[np.argsort(at[some, along], kind="stable")]
        waiting += [ordered[len(some) // 2 :], ordered[: len(some) // 2]]
    return vendor


def _read(path: Path, bounds: Bounds, once: str = "") -> dict[str, Floats]:
    rows = read_table(path, bounds, once)
    return {name: np.array([row[name] for row in rows]) for name in bounds}


def _km(day: SeoulDay, position: Floats) -> Floats:
    """n x 2 east and north of the vehicles' middle; flat, exact to 0.1 % over a city."""
    middle = day.home.mean(axis=0)
    scale = KM_PER_DEGREE * np.array([np.cos(np.radians(middle[1])), 1.0])
    return np.asarray((position - middle) * scale, np.float64)


def _demand(day: SeoulDay, terms: Day) -> Demand:
    pickup, dropoff = _km(day, day.pickup), _km(day, day.dropoff)
    trip_km = np.hypot(*(dropoff - pickup).T)
    level = np.where(day.wheelchair, WHEELCHAIR, AMBULATORY).astype(np.int64)
    before, after = terms.window_min
    price = list_price(terms, level, trip_km)
    return Demand(
        pickup, trip_km, level, day.asked_min // terms.bucket_min,
        before=np.full(len(level), before // terms.bucket_min),
        after=np.full(len(level), after // terms.bucket_min),
        units=np.ones(len(level), np.int64),
        penalty=np.rint(terms.penalty_base_cents + terms.priority_penalty[0] * price).astype(np.int64),
    )  # fmt: skip


def _supply(day: SeoulDay, terms: Day) -> Supply:
    """A vehicle is a unit of one pool: cars that take wheelchairs serve both levels, as an upgrade."""
    vendor = vendor_of(day)
    vendors, size = int(vendor.max()) + 1, np.bincount(vendor)
    hour = np.arange(24 * 60 // terms.bucket_min) * terms.bucket_min / 60
    begun, not_over = day.shift_h[:, :1] <= hour, hour < day.shift_h[:, 1:]
    overnight = day.shift_h[:, :1] > day.shift_h[:, 1:]
    works = np.where(overnight, begun | not_over, begun & not_over)
    capacity = np.zeros((vendors, LEVELS, len(hour)), np.int64)
    pool = np.where(day.carries_wheelchair, WHEELCHAIR, AMBULATORY)
    np.add.at(capacity, (vendor, pool), works)
    home = _km(day, day.home)
    at_km = np.stack([np.bincount(vendor, weights=home[:, axis]) / size for axis in (0, 1)], axis=1)
    # Every vendor is asked for ambulatory riders: its wheelchair vans take them where it has no car.
    offers = np.zeros((vendors, LEVELS), np.bool_)
    offers[:, [AMBULATORY, WHEELCHAIR]] = True
    return Supply(
        at_km, offers, size / size.sum(), np.ones(vendors), np.zeros(vendors),
        np.zeros((vendors, LEVELS), np.bool_), capacity,
    )  # fmt: skip
