"""Where the fairness floor changed a choice, and how a plan says so."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from contracts.codes import Priority
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
    assert (waits.problem.request_penalty - usual.problem.request_penalty).tolist() == [400_000]


PRIORITIES = tuple(Priority)


def pressing(name: str, priority: Priority, behind: float = 0.0, lifted: float = 0.0) -> OpenRequest:
    wanted = asked(trip(name, start_min=60, width_min=5, priority=priority))
    return replace(wanted, behind=behind, lifted=lifted)


@pytest.mark.parametrize("most", [1.0, 20.0])
def test_however_far_a_group_lies_behind_who_is_more_pressing_comes_first(most: float) -> None:
    worth = {"fairness_unmatched_cents": 10_000_000}
    for less, more in pairwise(PRIORITIES):
        both = pressing("less", less, behind=most), pressing("more", more, lifted=most)
        for values in ({}, worth):
            found = plan(one_van(*both, **values))
            assert (found.chosen.request.tolist(), gave_way(found)) == ([1], []), (less, values)


def test_the_floor_leaves_priorities_in_their_proportion_and_saved_plans_as_they_were() -> None:
    usual = pose(one_van(*(pressing(each, each) for each in PRIORITIES)))
    town = one_van(*(pressing(each, each, behind=float(not each.rank), lifted=1.0) for each in PRIORITIES))
    more = pose(town).problem.request_penalty - usual.problem.request_penalty
    assert more.tolist() == [200_000, 400_000, 800_000, 1_600_000]
    encoded = {"behind": town.of_requests["fairness"]["behind"]}
    old = replace(town, of_requests={**town.of_requests, "fairness": encoded})
    more = pose(old).problem.request_penalty - usual.problem.request_penalty
    assert more.tolist() == [200_000, 0, 0, 0]


def test_each_minute_costs_the_pressing_more_as_it_does_without_a_floor() -> None:
    late = []
    for priority in PRIORITIES:
        both = [
            pose(
                one_van(
                    replace(
                        pressing("a", priority, lifted=each),
                        latest_ms=asked(trip("a", start_min=60, width_min=60)).latest_ms,
                    )
                )
            )
            for each in (0.0, 1.0)
        ]
        last = [int(each.screened.cents[each.screened.candidates.start_ms.argmax()]) for each in both]
        late.append(last[1] - last[0])
    assert late == [40 * 60, 80 * 60, 160 * 60, 320 * 60]


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
