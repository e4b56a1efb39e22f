"""Some requests as a problem of their own: as large as what concerns them, and worth what the whole is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.generator import generate
from solvers.assignment.greedy import greedy
from solvers.assignment.plan import cost_of, is_feasible
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.subproblem import restrict
from solvers.checker import check


def targeted() -> AssignmentProblem:
    """200 requests; every fifth vendor has a target."""
    problem = generate(200, "overloaded", 3, sequence_share=0.1)
    target = np.where(np.arange(len(problem.vendor_cap)) % 5 == 0, 6, 0)
    return replace(problem, vendor_target=target, shortfall_cost=700)


def test_a_part_has_the_vendors_of_its_columns_and_of_targets_that_count() -> None:
    problem, inside, nobody = targeted(), np.arange(4), np.full(200, -1)
    columns = np.flatnonzero(problem.column_request < 4)
    its = set(problem.column_vendor[columns].tolist())
    counting = np.zeros(len(problem.vendor_cap), np.bool_)
    assert set(restrict(problem, nobody, inside, columns, counting).vendors.tolist()) == its
    counting[5] = True
    assert set(restrict(problem, nobody, inside, columns, counting).vendors.tolist()) == its | {5}
    every = restrict(problem, nobody, inside, columns)
    assert set(every.vendors.tolist()) == its | set(np.flatnonzero(problem.vendor_target).tolist())
    assert len(every.problem.capacity) == len(every.problem.vendor_cap) == len(every.vendors)


def test_a_part_costs_less_by_what_the_whole_costs_less() -> None:
    problem = targeted()
    choice = greedy(problem)
    inside = np.union1d(np.arange(0, 200, 3), problem.precedence)
    columns = np.flatnonzero(np.isin(problem.column_request, inside) & (problem.column_vendor % 3 > 0))
    part = restrict(problem, choice, inside, columns)
    assert 0 < len(part.vendors) < len(problem.vendor_cap)
    assert is_feasible(part.problem, part.start)
    found = greedy(part.problem)
    whole = part.merged(choice, found)
    assert check(problem, whole).ok
    assert cost_of(problem, choice) - cost_of(problem, whole) == cost_of(part.problem, part.start) - cost_of(
        part.problem, found
    )
