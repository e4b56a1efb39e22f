"""Requests of which none is in another's way have the very plan that the greedy makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.codes import LevelOfService, Priority
from contracts.geo import Circle
from contracts.vendors import BaseFare, RateCard
from solvers.apart import apart
from solvers.assignment.greedy import greedy
from solvers.candidates import screen
from solvers.planning import plan
from solvers.saved import pack_plan
from solvers.screening import Screening
from tests.examples import examples
from tests.solvers import town

WHEELCHAIR = LevelOfService.WHEELCHAIR


def day(
    starts_min: Sequence[int], fares: Sequence[int], units: int = 1, values: Mapping[str, float] = {}
) -> Screening:
    """Vendors with these fares, alike ones tie; each request would rather have one of its own."""
    cards = [RateCard(fares=(BaseFare(level_of_service=WHEELCHAIR, base_cents=each),)) for each in fares]
    vendors = [town.vendor(f"v{n}", rate_card=each) for n, each in enumerate(cards)]
    asked = [
        town.asked(
            town.trip(f"r{n}", start_min=each, priority=tuple(Priority)[n % 4], preferred_vendors=(f"v{n}",))
        )
        for n, each in enumerate(starts_min)
    ]
    return town.screening(asked, vendors, town.supply(len(vendors), units=units), values)


@settings(max_examples=examples(40), deadline=None)
@given(
    st.lists(st.integers(10, 200), min_size=1, max_size=3),
    st.lists(st.sampled_from([4_000, 4_100, 6_000]), min_size=1, max_size=4),
    st.sampled_from([0, 1, 2, 5]),
    st.sampled_from([{}, {"bucket_minutes": 15}, {"unmatched_routine_cents": 0}, {"share_floor": 0.5}]),
)
def test_it_is_the_plan_of_the_greedy(
    starts: list[int], cents: list[int], units: int, values: dict[str, float]
) -> None:
    made = day(starts, cents, units, values)
    assert pack_plan(plan(made)) == pack_plan(replace(plan(made, solver=greedy), solver="greedy"))


@pytest.mark.parametrize(("units", "daily"), [(1, 50), (2, 1)])
def test_who_might_not_fit_with_the_others_is_left_to_the_greedy(units: int, daily: int) -> None:
    crowded, roomy = day([60, 60], [4_000], units=units), day([60, 60], [4_000], units=2)
    crowded.supply.daily_left[:] = daily  # type: ignore[attr-defined]
    assert apart(crowded, screen(crowded)) is None
    found = apart(roomy, screen(roomy))
    assert found is not None
    assert len(set(screen(roomy).candidates.vendor[found.choice].tolist())) == 1


def test_who_has_no_vendor_costs_what_leaving_it_out_does() -> None:
    nowhere = (Circle(centre=(-80.0, 40.7), radius_m=1_000),)
    made = town.screening([town.asked(town.trip())], [town.vendor(service_area=nowhere)])
    found = apart(made, screen(made))
    assert found is not None
    assert found.choice.tolist() == [-1]
    assert found.cents == plan(made, solver=greedy).cost == 50_000


def test_capacity_is_read_anew() -> None:
    """What screening found is not taken for granted: units that are gone by then leave it to the greedy."""
    made = day([60], [4_000])
    screened = screen(made)
    made.supply.left[:] = 0  # type: ignore[attr-defined]
    assert apart(made, screened) is None
    made.supply.left[:] = np.int64(1)  # type: ignore[attr-defined]
    assert apart(made, screened) is not None
