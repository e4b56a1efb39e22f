"""Problems in parts: plans that are checked, bounds that hold for the whole, seams that cost little."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.generator import generate
from solvers.areas import areas, best_together
from solvers.arrays import Ints
from solvers.assignment.solve import solve
from solvers.checker import check
from solvers.part import Part, PartPlan, pack_part, pack_part_plan, solve_part, unpack_part, unpack_part_plan
from solvers.parting import NOWHERE, split_of
from solvers.saved import NotSaved, small
from solvers.split import solve_split
from tests.solvers.assignment.problems import each_seed, optimum, random_problem, tied_requests

WORK = 400_000


@each_seed(20)
def test_small_problems_of_every_kind_are_planned_within_their_bound(seed: int) -> None:
    problem = random_problem(seed)
    found = solve_split(problem, parts=2, time_limit_s=60, seed=seed, workers=1, work_limit=20_000)
    assert check(problem, found.choice, claimed_cost=found.cost).ok
    assert found.lower_bound <= optimum(problem) <= found.cost


@pytest.mark.parametrize("load", ["normal", "overloaded"])
def test_the_seams_cost_little_and_the_bound_is_the_wholes(load: str) -> None:
    problem = generate(1_000, load, 3, sequence_share=0.05, bundle_share=0.02)
    whole = solve(problem, time_limit_s=60, seed=1, workers=1, work_limit=WORK)
    found = solve_split(problem, parts=3, time_limit_s=60, seed=1, workers=1, work_limit=WORK)
    assert check(problem, found.choice, claimed_cost=found.cost).ok
    assert found.lower_bound <= min(whole.cost, found.cost)
    assert found.cost <= 1.02 * whole.cost


class Others:
    """Solve parts as another machine would; of these numbers nothing comes back."""

    def __init__(self, at_once: int, *lost: int) -> None:
        self.at_once, self.lost, self.asked = at_once, lost, list[int]()

    def solved(self, part: Part) -> PartPlan | None:
        self.asked.append(part.number)
        if part.number in self.lost:
            return None
        there = unpack_part(pack_part(part))
        return unpack_part_plan(pack_part_plan(solve_part(there), there), part)


def test_the_same_work_gives_the_same_plan_also_where_others_solve_parts_or_lose_them() -> None:
    problem = generate(200, "normal", 5, sequence_share=0.05)
    others = [None, Others(1), Others(4), Others(4, 0, 1, 2, 3)]
    here, *there = (
        solve_split(
            problem, parts=4, time_limit_s=60, seed=2, workers=1, work_limit=WORK // 5, elsewhere=each
        )
        for each in (None, *others)
    )
    for found, each in zip(there, others, strict=True):
        assert (here.choice == found.choice).all()
        assert (here.cost, here.lower_bound) == (found.cost, found.lower_bound)
        assert each is None or len(set(each.asked)) == len(each.asked) >= each.at_once


def test_who_gave_nothing_once_is_asked_for_one_less_at_a_time() -> None:
    others = Others(1, 0, 1, 2, 3)
    solve_split(generate(200, "normal", 5), parts=4, time_limit_s=60, work_limit=20_000, elsewhere=others)
    assert len(others.asked) == 1


WRONG: dict[str, Callable[[Part, PartPlan], bytes]] = {
    "nothing": lambda part, found: b"",
    "a whole plan": lambda part, found: small({"request": found.choice}),
    "one too few": lambda part, found: pack_part_plan(PartPlan(found.choice[1:], found.prices), part),
    "candidates that are none": lambda part, found: pack_part_plan(
        PartPlan(np.full_like(found.choice, part.problem.columns), found.prices), part
    ),
    "another's candidate": lambda part, found: pack_part_plan(
        PartPlan(np.roll(found.choice, 1), found.prices), part
    ),
    "more than there is": lambda part, found: pack_part_plan(
        PartPlan(np.unique(part.problem.column_request, return_index=True)[1], found.prices), part
    ),
    "prices below nothing": lambda part, found: pack_part_plan(
        PartPlan(found.choice, found.prices - 1), part
    ),
    "prices without end": lambda part, found: pack_part_plan(
        PartPlan(found.choice, found.prices + np.inf), part
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_plan_of_a_part_is_refused(wrong: str) -> None:
    problem = generate(60, "overloaded", 1)
    part = Part(0, problem, np.full(problem.requests, -1), 1, 5.0, 10_000)
    found = solve_part(part)
    assert (unpack_part_plan(pack_part_plan(found, part), part).choice == found.choice).all()
    with pytest.raises(NotSaved):
        unpack_part_plan(WRONG[wrong](part, found), part)


def test_what_is_settled_is_in_the_plan_and_neither_tied_nor_along_a_seam() -> None:
    problem, heard = generate(600, "normal", 2, sequence_share=0.1), list[Ints]()
    found = solve_split(problem, parts=3, time_limit_s=60, workers=2, work_limit=WORK, settled=heard.append)
    settled = np.concatenate(heard)
    assert len(settled) > 200
    assert (found.choice[problem.column_request[settled]] == settled).all()
    tied = tied_requests(problem)
    assert not set(problem.column_request[settled].tolist()) & set(tied)


def test_parts_share_no_vendor_and_who_is_tied_goes_together_or_waits_for_the_seams() -> None:
    problem = generate(800, "normal", 4, sequence_share=0.1, bundle_share=0.05)
    first = solve(problem, time_limit_s=60, seed=1, workers=1, work_limit=WORK)
    split = split_of(problem, 4, first)
    assert sorted(set(split.vendor.tolist())) == [0, 1, 2, 3]
    assert split.sizes.min() > 800 / 8
    pairs = split.request[problem.precedence]
    assert (pairs[:, 0] == pairs[:, 1]).all()
    stands = (first.choice >= 0) & (split.request != NOWHERE)
    there = split.vendor[problem.column_vendor[first.choice[stands]]]
    assert (there == split.request[stands]).all()
    assert split.seam[split.request == NOWHERE].all()


def test_areas_are_cut_between_those_that_have_nothing_in_common() -> None:
    request = np.repeat(np.arange(12), 2)
    vendor = np.array([0, 2, 2, 4, 0, 4, 1, 3, 3, 5, 1, 5] * 2)
    of = areas(best_together(request, vendor, 6), np.full(6, 4), 2)
    assert of[0] == of[2] == of[4] != of[1] == of[3] == of[5]


@pytest.mark.parametrize("parts", [1, 2, 5, 9])
def test_there_are_never_more_areas_than_vendors(parts: int) -> None:
    nobody = np.zeros(0, np.int64)
    of = areas(best_together(nobody, nobody, 5), np.ones(5, np.int64), parts)
    assert len(set(of.tolist())) == min(parts, 5)
