"""Each vendor that qualifies gets at least its share of the offers: targets, and what plans make of them."""

from __future__ import annotations

import numpy as np
import pytest

from contracts.codes import LevelOfService
from contracts.vendors import BaseFare, RateCard, Vendor
from solvers.optimiser import optimised
from solvers.planning import BatchPlan, Limits, plan
from solvers.posing import pose
from solvers.rules import registry
from solvers.saved import pack_plan, unpack_plan
from solvers.screening import Screening
from tests.solvers.town import asked, screening, trip, vendor

FLOOR = {"share_floor": 0.5}
Got = dict[str, dict[str, int]]


def priced(name: str, cents: int) -> Vendor:
    fare = BaseFare(level_of_service=LevelOfService.WHEELCHAIR, base_cents=cents)
    return vendor(name, rate_card=RateCard(fares=(fare,)))


def market(values: dict[str, float], got: Got | None = None, requests: int = 1) -> Screening:
    """Two vendors, the second two dollars dearer."""
    rides = [asked(trip(f"r{n}", start_min=60 + 60 * n)) for n in range(requests)]
    vendors = [priced("v1", 4_000), priced("v2", 4_200)]
    return screening(rides, vendors, None, values, known={"offers": got or {}})


def with_whom(found: BatchPlan) -> list[int]:
    return np.bincount(found.chosen.vendor, minlength=2).tolist()


def targets(day: Screening) -> list[int]:
    return pose(day).problem.vendor_target.tolist()


def test_without_a_floor_nobody_has_a_target_and_the_cheapest_has_all() -> None:
    day = market({}, {"v1": {"wheelchair": 100}}, requests=8)
    assert (targets(day), pose(day).problem.shortfall_cost) == ([0, 0], 0)
    assert with_whom(plan(day)) == [8, 0]


def test_of_one_plan_each_that_may_serve_gets_its_part() -> None:
    day = market(FLOOR, requests=8)
    assert targets(day) == [2, 2]
    assert with_whom(plan(day)) == [6, 2]
    assert with_whom(optimised(day, Limits(time_limit_s=60, work_limit=2_000))) == [6, 2]


def test_single_requests_add_up_to_it_by_what_was_offered_before() -> None:
    late = {"v1": {"wheelchair": 30}, "v2": {"wheelchair": 2}}
    assert targets(market(FLOOR, late)) == [0, 1]
    assert with_whom(plan(market(FLOOR, late))) == [0, 1]
    enough = {"v1": {"wheelchair": 30}, "v2": {"wheelchair": 10}}
    assert with_whom(plan(market(FLOOR, enough))) == [1, 0]


def test_what_a_vendor_does_not_serve_gives_it_no_share() -> None:
    others = {"v1": {"bls": 100, "nonsense": 5}, "v2": {"wheelchair": 1}}
    assert targets(market(FLOOR, others)) == [0, 0]


@pytest.mark.parametrize(("cents", "share"), [(100, [1, 0]), (300, [0, 1])])
def test_a_share_costs_no_more_than_tuning_allows(cents: int, share: list[int]) -> None:
    late = {"v1": {"wheelchair": 30}}
    assert with_whom(plan(market({**FLOOR, "share_shortfall_cents": cents}, late))) == share


def test_a_plan_names_whom_it_gave_to_a_vendor_for_its_share_and_nobody_else() -> None:
    late = {"v1": {"wheelchair": 30}}
    found = plan(market(FLOOR, late))
    assert found.for_share.tolist() == [0]
    assert unpack_plan(pack_plan(found)).for_share.tolist() == [0]
    usual = plan(market(FLOOR, {"v2": {"wheelchair": 30}}))
    assert (with_whom(usual), usual.for_share.tolist()) == ([1, 0], [])
    assert b"for_share" not in pack_plan(usual)


def test_a_share_that_a_what_if_takes_off_is_none() -> None:
    day = market(FLOOR, requests=8)
    with registry.without("shares"):
        assert targets(day) == [0, 0]
    assert targets(day) == [2, 2]
