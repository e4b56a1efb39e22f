"""HiGHS given the whole model."""

from __future__ import annotations

import math
import time

import highspy
import numpy as np

from benchmarks.peers.contender import Outcome
from solvers.assignment.exactness import believed_margin
from solvers.assignment.highs import model_of
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.program import program_of


def solve(problem: AssignmentProblem, seconds: float, seed: int, workers: int) -> Outcome:
    """Within what is left of the limit once the model is built."""
    started = time.monotonic()
    program = program_of(problem)
    highs = highspy.Highs()
    for name, value in (
        ("output_flag", False),
        ("random_seed", seed),
        ("threads", workers),
        ("mip_rel_gap", 0.0),
    ):
        highs.setOptionValue(name, value)
    highs.passModel(model_of(program))
    build_s = time.monotonic() - started
    highs.setOptionValue("time_limit", max(0.1, seconds - build_s))
    highs.run()
    info = highs.getInfo()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    choice = program.choice(problem, np.array(highs.getSolution().col_value)) if found else None
    margin, bound = believed_margin(problem), info.mip_dual_bound
    proven = None if margin is None or not math.isfinite(bound) else math.ceil(bound - margin)
    return Outcome(choice, proven, build_s)
