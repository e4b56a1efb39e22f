"""Where the fairness floor changed a choice, and how a plan says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from contracts.instants import MINUTE_MS
from solvers.planning import BatchPlan, plan
from solvers.posing import pose
from solvers.rules import fairness, registry
from solvers.saved import pack_plan, pack_screening, unpack_plan, unpack_screening
from solvers.screening import OpenRequest, Screening
from tests.solvers.town import asked, screening, supply, trip, vendor


def wants(name: str, behind: float = 0.0, start_min: float = 60, width_min: int = 5) -> OpenRequest:
    return replace(asked(trip(name, start_min=start_min, width_min=width_min)), behind=behind)


def one_van(*requests: OpenRequest, **values: float) -> Screening:
    return screening(list(requests), [vendor("v1")], supply(1, units=1), values)


def gave_way(found: BatchPlan) -> list[int]:
    return found.gave_way_to.tolist()


def test_the_one_that_lies_behind_has_the_van_and_the_other_is_named() -> None:
    found = plan(one_van(wants("a"), wants("b", behind=1.0)))
    assert (found.chosen.request.tolist(), gave_way(found)) == ([1], [1, -1])


def test_who_would_not_have_had_it_anyway_did_not_give_way() -> None:
    far = wants("a", start_min=300)
    found = plan(screening([far, wants("b", behind=1.0)], [vendor("v1")], supply(1, units=1), {}))
    assert gave_way(found) == []
    alike = plan(one_van(wants("a", behind=1.0), wants("b", behind=1.0)))
    assert (len(alike.chosen), gave_way(alike)) == (1, [])


def test_without_cents_the_floor_changes_nothing() -> None:
    off = {fairness.UNMATCHED.name: 0, fairness.LATE.name: 0}
    with_it = pose(one_van(wants("a"), wants("b", behind=4.0), **off)).problem
    without = pose(one_van(wants("a"), wants("b"), **off)).problem
    assert (with_it.request_penalty == without.request_penalty).all()
    assert (with_it.column_cost == without.column_cost).all()


def test_each_minute_after_its_window_opens_costs_more_the_farther_it_lies_behind() -> None:
    waits = pose(one_van(wants("a", behind=2.0, width_min=60)))
    usual = pose(one_van(wants("a", width_min=60)))
    late = (waits.screened.candidates.start_ms - waits.screened.candidates.start_ms.min()) // MINUTE_MS
    both = [
        dict(zip(each.screened.candidates.start_ms.tolist(), each.screened.cents.tolist(), strict=True))
        for each in (usual, waits)
    ]
    extra = [cents - both[0][start] for start, cents in both[1].items()]
    assert extra == pytest.approx((80 * late).tolist(), abs=1)
    assert (waits.problem.request_penalty - usual.problem.request_penalty).tolist() == [200_000]


def test_a_plan_with_it_is_read_back_and_one_without_is_written_as_before() -> None:
    found = plan(one_van(wants("a"), wants("b", behind=1.0)))
    assert gave_way(unpack_plan(pack_plan(found))) == [1, -1]
    usual = plan(one_van(wants("a"), wants("b")))
    assert b"gave_way_to" not in pack_plan(usual)
    assert gave_way(unpack_plan(pack_plan(usual))) == []


def test_a_screening_from_before_there_was_a_floor_plans_as_one_without() -> None:
    usual = one_van(wants("a"), wants("b"))
    old = replace(
        usual, of_requests={code: each for code, each in usual.of_requests.items() if code != "fairness"}
    )
    read = unpack_screening(pack_screening(old))
    assert np.array_equal(fairness.behind(read), [0.0, 0.0])
    assert pack_plan(replace(plan(read), digest="")) == pack_plan(replace(plan(usual), digest=""))


def test_a_floor_that_a_what_if_takes_off_changes_nothing() -> None:
    day = one_van(wants("a"), wants("b", behind=1.0))
    usual = pose(one_van(wants("a"), wants("b"))).problem
    with registry.without("fairness"):
        off = plan(day)
        assert (pose(day).problem.request_penalty == usual.request_penalty).all()
    assert (len(off.chosen), gave_way(off)) == (1, [])
    assert gave_way(plan(day)) == [1, -1]
