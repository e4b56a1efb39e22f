"""This project's optimiser."""

from __future__ import annotations

import importlib

from benchmarks.peers.contender import Outcome
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.solve import solve as solve_ours
from solvers.kernels.library import library

# As in a solver process of the service, which has these before its first job, and as the peers have theirs:
library()  # in a checkout, the kernels are compiled before the clock starts
for engine in ("exact", "prover"):
    importlib.import_module(f"solvers.assignment.{engine}")


def solve(problem: AssignmentProblem, seconds: float, seed: int, workers: int) -> Outcome:
    """As anyone would call it."""
    result = solve_ours(problem, time_limit_s=seconds, seed=seed, workers=workers)
    return Outcome(result.choice, result.lower_bound, trace=list(result.trace))
