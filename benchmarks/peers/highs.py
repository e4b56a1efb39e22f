"""HiGHS given the whole model."""

from __future__ import annotations

import math
import time

import highspy
import numpy as np

from benchmarks.peers.contender import Outcome
from benchmarks.peers.rows import NO_LIMIT, program_of
from solvers.assignment.problem import AssignmentProblem


def solve(problem: AssignmentProblem, seconds: float, seed: int, workers: int) -> Outcome:
    """Within what is left of the limit once the model is built."""
    started = time.monotonic()
    program = program_of(problem)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(program.objective), len(program.upper)
    model.col_cost_, model.offset_ = program.objective.astype(float), float(program.offset)
    model.col_lower_, model.col_upper_ = np.zeros(len(program.most)), program.most.astype(float)
    model.row_lower_ = np.where(program.lower <= -NO_LIMIT, -np.inf, program.lower)
    model.row_upper_ = program.upper.astype(float)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_, model.a_matrix_.index_ = program.start, program.index
    model.a_matrix_.value_ = program.value.astype(float)
    model.integrality_ = [highspy.HighsVarType.kInteger] * len(program.objective)
    highs = highspy.Highs()
    for name, value in (
        ("output_flag", False),
        ("random_seed", seed),
        ("threads", workers),
        ("mip_rel_gap", 0.0),
    ):
        highs.setOptionValue(name, value)
    highs.passModel(model)
    build_s = time.monotonic() - started
    highs.setOptionValue("time_limit", max(0.1, seconds - build_s))
    highs.run()
    info = highs.getInfo()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    choice = program.choice(problem, np.array(highs.getSolution().col_value)) if found else None
    proven = math.isfinite(info.mip_dual_bound)
    return Outcome(choice, math.ceil(info.mip_dual_bound - 1e-3) if proven else None, build_s)
