"""The vendors of a generated day: where they are, what they serve, and their vehicles by the bucket."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.day import LEVELS, SHIFTS, Day
from benchmarks.demand import Demand, duration, half_side_km
from solvers.arrays import Floats, Ints


@dataclass(frozen=True, slots=True)
class Supply:
    """V vendors: where they are, what they serve, what they charge."""

    at_km: Floats  #: V x 2
    offers: npt.NDArray[np.bool_]  #: V x levels
    size: Floats  #: V; share of all
    rate: Floats  #: V; over the rate card
    scorecard_cents: Floats  #: V; what a poor scorecard costs
    two_units: npt.NDArray[np.bool_]  #: V x levels; always sends two crews
    capacity: Ints  #: V x levels x buckets


def draw_supply(day: Day, demand: Demand, rng: np.random.Generator) -> Supply:
    """Vendors with as many vehicles as the demand of the tightest bucket needs at `day.peak_use`."""
    need, shape = _need(day, demand), _shift_shape(day)
    vehicles = np.ceil((need / np.maximum(shape, 1e-9)).max(axis=1) / day.peak_use).astype(np.int64)
    vendors = max(12, round(vehicles.sum() / day.vehicles_per_vendor))
    offers = rng.random((vendors, LEVELS)) < day.vendor_offers
    offers[np.arange(vendors) % 6 == 0] = True  # every level is served somewhere
    size = np.exp(rng.normal(0, day.vendor_size_spread, vendors))
    buckets = shape.shape[1]
    capacity = np.zeros((vendors, LEVELS, buckets), np.int64)
    for level in range(LEVELS):
        share = size * offers[:, level]
        owner = rng.choice(vendors, vehicles[level], p=share / share.sum())
        np.add.at(capacity[:, level], owner, _shifts(day, vehicles[level], rng))
    side = 0.9 * half_side_km(day, len(demand.level))
    at_km = rng.uniform(-side, side, (vendors, 2))
    rate = rng.uniform(*day.vendor_rate, vendors)
    two_units = rng.random((vendors, LEVELS)) < np.asarray(day.vendor_two_units)
    scorecard_cents = rng.uniform(0, day.scorecard_cents, vendors)
    return Supply(at_km, offers, size / size.sum(), rate, scorecard_cents, two_units, capacity)


def _need(day: Day, demand: Demand) -> Floats:
    """Units asked for per level and bucket when everyone is served at the time asked for."""
    buckets, everyone = 24 * 60 // day.bucket_min, np.arange(len(demand.level))
    lasts = duration(day, demand, everyone, np.full(len(everyone), day.usual_deadhead_km))
    change = np.zeros((LEVELS, 2 * buckets))
    end = np.minimum(demand.asked + lasts, 2 * buckets - 1)
    np.add.at(change, (demand.level, demand.asked), demand.units)
    np.subtract.at(change, (demand.level, end), demand.units)
    need = change.cumsum(axis=1)[:, :buckets]
    hour = np.ones(60 // day.bucket_min) / (60 // day.bucket_min)
    return np.stack([np.convolve(row, hour, mode="same") for row in need])  # windows smooth within the hour


def _shift_shape(day: Day) -> Floats:
    """Share of a fleet on the road, 1 x buckets."""
    hour = np.arange(24 * 60 // day.bucket_min) * day.bucket_min / 60
    shape = np.zeros(len(hour))
    for first, last, share in SHIFTS:
        shape += share * ((hour >= first) & (hour < last))
    return shape[None, :]


def _shifts(day: Day, vehicles: int, rng: np.random.Generator) -> Ints:
    """Vehicles x buckets: 1 while on shift. Drawn by quantiles, so that small fleets keep the mix."""
    edges = np.cumsum([share for *_, share in SHIFTS])
    which = np.searchsorted(edges, rng.permutation((np.arange(vehicles) + 0.5) / vehicles))
    first = np.array([shift[0] for shift in SHIFTS])[np.minimum(which, len(SHIFTS) - 1), None]
    last = np.array([shift[1] for shift in SHIFTS])[np.minimum(which, len(SHIFTS) - 1), None]
    hour = np.arange(24 * 60 // day.bucket_min)[None, :] * day.bucket_min / 60
    return ((hour >= first) & (hour < last)).astype(np.int64)
