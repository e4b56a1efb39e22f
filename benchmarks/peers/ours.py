"""This project's optimiser."""

from __future__ import annotations

from benchmarks.peers.contender import Outcome
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.solve import solve as solve_ours
from solvers.kernels.library import library

library()  # in a checkout, the kernels are compiled before the clock starts


def solve(problem: AssignmentProblem, seconds: float, seed: int, workers: int) -> Outcome:
    """As anyone would call it."""
    result = solve_ours(problem, time_limit_s=seconds, seed=seed, workers=workers)
    return Outcome(result.choice, result.lower_bound, trace=list(result.trace))
