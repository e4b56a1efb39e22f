"""Pools as arrays against plain Python: what is left, what is beyond a cap, and the scalar view of both."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.codes import ServiceClass
from solvers.capacity.pools import PoolSupply, bits_of
from solvers.capacity.supply import Supply
from solvers.screening import CLASS_INDEX
from tests.solvers.town import HORIZON, supply

RIDES, BOXES = CLASS_INDEX[ServiceClass.WHEELCHAIR], CLASS_INDEX[ServiceClass.EQUIPMENT]


def drawn(seed: int) -> PoolSupply:
    """Three vendors with two pools each, units and caps at random."""
    rng, held = np.random.default_rng(seed), supply(3, pools=2)
    held.left[:] = rng.integers(0, 9, held.left.shape)
    held.daily_left[:] = rng.integers(0, 3, held.daily_left.shape)
    held.serves[:] = rng.integers(0, 256, held.serves.shape)
    return held


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_least_left_is_that_of_the_buckets_one_by_one(seed: int) -> None:
    held, rng, n = drawn(seed), np.random.default_rng(seed), 20
    vendor, resource = rng.integers(0, 3, n), rng.integers(0, 2, n)
    first = rng.integers(0, HORIZON.buckets, n)
    end = first + rng.integers(1, 40, n)
    rows = zip(vendor, resource, first, end, strict=True)
    slow = [min(held.left[v, k, f:e]) if e <= HORIZON.buckets else 0 for v, k, f, e in rows]
    assert held.least_left(vendor, resource, first, end).tolist() == slow


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_beyond_a_cap_are_the_dearest_of_each_pool_and_day(seed: int) -> None:
    held, rng, n = drawn(seed), np.random.default_rng(seed), 30
    vendor, resource, day = rng.integers(0, 3, n), rng.integers(0, 2, n), rng.integers(0, 3, n)
    cents = rng.integers(0, 9, n)
    kept = np.setdiff1d(np.arange(n), held.beyond_caps(vendor, resource, day, cents))
    for v, k, d in np.ndindex(held.daily_left.shape):
        mine = cents[(vendor == v) & (resource == k) & (day == d)]
        left = cents[kept[(vendor[kept] == v) & (resource[kept] == k) & (day[kept] == d)]]
        assert sorted(left) == sorted(mine)[: held.daily_left[v, k, d]]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(ServiceClass))
def test_a_room_says_what_the_arrays_say(seed: int, service_class: ServiceClass) -> None:
    pools = drawn(seed)
    held: Supply = pools
    for v, k, d in np.ndindex(pools.daily_left.shape):
        room, at = held.room(v, k, d), (np.array([v]), np.array([k]))
        takes = held.takes(*at, np.array([d]), np.array([CLASS_INDEX[service_class]]))[0]
        assert takes == (room.serves(service_class) and room.has(0, 0, 1))
        least = held.least_left(*at, np.array([7]), np.array([12]))[0]
        assert room.has(3, 7, 12) == (least >= 3 and pools.daily_left[v, k, d] > 0)
        assert not room.has(0, HORIZON.buckets - 1, HORIZON.buckets + 1), "beyond the days in view"


def test_resources_are_the_pools_that_serve_the_class_on_some_day() -> None:
    held = PoolSupply.nothing(2, 2, HORIZON)
    held.serves[0, 1, 2] = bits_of([ServiceClass.WHEELCHAIR])
    held.serves[1, 0, 0] = held.serves[1, 1, 1] = bits_of([ServiceClass.EQUIPMENT, ServiceClass.WHEELCHAIR])
    row, pool = held.resources(np.array([0, 1, 0]), np.array([RIDES, RIDES, BOXES]))
    assert list(zip(row.tolist(), pool.tolist(), strict=True)) == [(0, 1), (1, 0), (1, 1)]
    assert held.classes()[[RIDES, BOXES]].tolist() == [[True, True], [False, True]]


@pytest.mark.parametrize(("factor", "units"), [(1, [5, 0, 3, 4, 2]), (2, [0, 3, 2]), (5, [0])])
def test_a_coarse_bucket_has_the_least_of_its_ledger_buckets_and_never_less_than_none(
    factor: int, units: list[int]
) -> None:
    held = PoolSupply.nothing(1, 1, HORIZON)
    held.left[0, 0, 10:15] = [5, -1, 3, 4, 2]
    assert held.units(10, 15, factor)[0, 0].tolist() == units
