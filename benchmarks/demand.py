"""The requests of a generated day: where, when, what and how urgent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.day import EQUIPMENT, HOURLY_SHARE, LEVELS, Day
from solvers.arrays import Floats, Ints

MILES_PER_KM = 0.621371


@dataclass(frozen=True, slots=True)
class Demand:
    """R requests: what each asks for."""

    at_km: Floats  #: R x 2
    trip_km: Floats  #: R
    level: Ints  #: R
    asked: Ints  #: R; bucket asked for
    before: Ints  #: R; buckets it may start earlier
    after: Ints  #: R; buckets it may start later
    units: Ints  #: R
    penalty: Ints  #: R; cents


def draw_demand(day: Day, requests: int, rng: np.random.Generator) -> tuple[Demand, Ints, Ints]:
    level = rng.choice(LEVELS, requests, p=day.level_share)
    median, sigma = day.distance_km
    trip_km = np.where(level == EQUIPMENT, 0.0, median * np.exp(rng.normal(0.0, sigma, requests)))
    at_km = _pickups(day, requests, rng)
    asked = _asked(day, level, rng)
    demand = Demand(
        at_km, trip_km, level, asked, *_windows(day, level, rng),
        units=1 + (rng.random(requests) < np.take(day.two_units, level)),
        penalty=_penalty(day, level, trip_km, rng),
    )  # fmt: skip
    return demand, *_pairs(day, demand, rng)


def half_side_km(day: Day, requests: int) -> float:
    """Half the side of the square region that so many requests come from."""
    return float(day.region_km * np.sqrt(max(1.0, requests / day.requests_per_region)))


def _pickups(day: Day, requests: int, rng: np.random.Generator) -> Floats:
    """R x 2: half around the places that draw the day's rides, half anywhere."""
    side = half_side_km(day, requests)
    places = rng.uniform(-0.8 * side, 0.8 * side, (max(8, requests // day.requests_per_place), 2))
    around = places[rng.integers(len(places), size=requests)] + rng.normal(0, 1.5, (requests, 2))
    anywhere = rng.uniform(-side, side, (requests, 2))
    return np.where(rng.random((requests, 1)) < 0.5, around, anywhere)


def _asked(day: Day, level: Ints, rng: np.random.Generator) -> Ints:
    share = np.asarray(HOURLY_SHARE) / sum(HOURLY_SHARE)
    ride = rng.choice(24, len(level), p=share) * 60 + rng.integers(60, size=len(level))
    delivery = rng.integers(9 * 60, 18 * 60, len(level))
    return np.where(level == EQUIPMENT, delivery, ride) // day.bucket_min


def _windows(day: Day, level: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Buckets before and after the one asked for; inclusive, as windows are."""
    loose = rng.random(len(level)) < day.loose_share
    before = np.where(loose, day.loose_window_min[0], day.window_min[0])
    after = np.where(loose, day.loose_window_min[1], day.window_min[1])
    before = np.where(level == EQUIPMENT, 0, before)
    after = np.where(level == EQUIPMENT, day.equipment_window_min, after)
    return before // day.bucket_min, after // day.bucket_min


def list_price(day: Day, level: Ints, trip_km: Floats) -> Floats:
    """Rate card: base up to the included miles, then by the mile; cents."""
    miles = trip_km * day.detour * MILES_PER_KM
    price = np.take(day.base_price_cents, level) + np.maximum(miles - day.included_miles, 0) * day.mile_cents
    return np.asarray(price + day.weekend * day.weekend_cents, np.float64)


def _penalty(day: Day, level: Ints, trip_km: Floats, rng: np.random.Generator) -> Ints:
    factor = rng.choice(day.priority_penalty, len(level), p=day.priority_share)
    return np.rint(day.penalty_base_cents + factor * list_price(day, level, trip_km)).astype(np.int64)


def _pairs(day: Day, demand: Demand, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Pairs (oxygen before the ride home, there and back), the second asked for when the first allows it."""
    pairs = rng.permutation(len(demand.level))[: 2 * int(day.pair_share * len(demand.level))].reshape(-1, 2)
    lag = rng.choice(day.pair_lag_min, len(pairs)) // day.bucket_min
    ends = demand.asked[pairs[:, 0]] + duration(day, demand, pairs[:, 0], np.full(len(pairs), 3.0))
    horizon = 24 * 60 // day.bucket_min
    asked = ends + lag + demand.before[pairs[:, 1]] + rng.integers(0, 3, len(pairs))
    fits = asked + 8 < horizon
    demand.asked[pairs[fits, 1]] = asked[fits]
    return pairs[fits], lag[fits]


def duration(day: Day, demand: Demand, request: Ints, deadhead_km: Floats) -> Ints:
    """Buckets a vehicle is taken: half the way from its base, the ride, and getting in and out."""
    hour = demand.asked[request] * day.bucket_min // 60
    peak = ((hour >= 7) & (hour < 9)) | ((hour >= 14) & (hour < 17))
    speed = np.where(peak, day.peak_speed_kmh, day.speed_kmh)
    road_km = (demand.trip_km[request] + 0.5 * deadhead_km) * day.detour
    minutes = 60 * road_km / speed + np.take(day.service_min, demand.level[request])
    return np.asarray(np.ceil(minutes / day.bucket_min), np.int64)
