"""The candidates of a generated day: who is near and able, when, how long, for how much."""

from __future__ import annotations

import numpy as np

from benchmarks.day import AMBULATORY, EQUIPMENT, WHEELCHAIR, Day
from benchmarks.demand import Demand, duration, list_price
from benchmarks.supply import Supply
from solvers.arrays import Floats, Ints

CHUNK = 4096  #: requests screened at a time, so that memory stays flat at 50,000


def draw_columns(day: Day, demand: Demand, supply: Supply) -> dict[str, Ints]:
    """The seven column arrays (N each, sorted by request) under the names of `AssignmentProblem`."""
    chunks = [
        _chunk(day, demand, supply, np.arange(first, min(first + CHUNK, len(demand.level))))
        for first in range(0, len(demand.level), CHUNK)
    ]
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


def _chunk(day: Day, demand: Demand, supply: Supply, request: Ints) -> dict[str, Ints]:
    """Axes: request, vendor by distance, start in the window, pool (its own, upgraded)."""
    vendor, km = _nearest(day, demand, supply, request)
    level, width = demand.level[request], (demand.before + demand.after)[request] + 1
    way = np.where(np.isfinite(km), km, 0.0).reshape(-1)
    lasts = duration(day, demand, np.repeat(request, vendor.shape[1]), way).reshape(km.shape)
    offset = np.arange(width.max())
    start = (demand.asked - demand.before)[request, None] + offset
    stop = (start >= 0)[:, None, :] & (start[:, None, :] + lasts[:, :, None] <= supply.capacity.shape[2])
    rank = np.arange(vendor.shape[1])
    near = np.isfinite(km) & (rank < np.maximum(1, day.most_columns // width)[:, None])
    upgrade = (
        (level == AMBULATORY)[:, None] & supply.offers[vendor, WHEELCHAIR] & (rank < day.upgrade_vendors)
    )
    keep = stop & near[:, :, None] & (offset < width[:, None])[:, None, :]
    keep = np.stack([keep, keep & upgrade[:, :, None]], axis=3)
    r, v, s, p = np.nonzero(keep)
    units = np.maximum(demand.units[request[r]], np.where(supply.two_units[vendor[r, v], level[r]], 2, 1))
    cost = _vendor_cost(day, demand, supply, request, (vendor, km))[r, v] + p * day.upgrade_cents
    off_min = np.abs(start - demand.asked[request, None]) * day.bucket_min
    off_min = np.where(level[:, None] == EQUIPMENT, 0, off_min)
    return {
        "column_request": request[r], "column_vendor": vendor[r, v],
        "column_resource": np.where(p == 1, WHEELCHAIR, level[r]), "column_start": start[r, s],
        "column_duration": lasts[r, v], "column_units": units,
        "column_cost": np.rint(cost + off_min[r, s] * day.early_late_cents_per_min).astype(np.int64),
    }  # fmt: skip


def _nearest(day: Day, demand: Demand, supply: Supply, request: Ints) -> tuple[Ints, Floats]:
    """The `reach` nearest vendors that serve the level, and their distance; infinite where fewer do."""
    east, north = (demand.at_km[request, None, axis] - supply.at_km[None, :, axis] for axis in (0, 1))
    km = np.hypot(east, north)
    km[~supply.offers[:, demand.level[request]].T] = np.inf
    reach = min(day.reach, km.shape[1])
    vendor = np.sort(np.argpartition(km, reach - 1, axis=1)[:, :reach], axis=1)
    near = np.take_along_axis(km, vendor, axis=1)
    order = np.argsort(near, axis=1, kind="stable")
    return np.take_along_axis(vendor, order, axis=1), np.take_along_axis(near, order, axis=1)


def _vendor_cost(
    day: Day, demand: Demand, supply: Supply, request: Ints, near: tuple[Ints, Floats]
) -> Floats:
    """Cents, request x vendor: rate card at the vendor's rate, the way there, and the vendor's scorecard."""
    vendor, km = near
    price = list_price(day, demand.level[request], demand.trip_km[request])
    hour = demand.asked[request] * day.bucket_min // 60
    price = price + ((hour < 6) | (hour >= 20)) * day.night_cents
    out = (km > day.area_km) * day.out_of_area_cents
    way = np.where(np.isfinite(km), km, 0.0) * day.detour * day.deadhead_cents_per_km
    return np.asarray(
        price[:, None] * supply.rate[vendor] + out + way + supply.scorecard_cents[vendor], np.float64
    )
