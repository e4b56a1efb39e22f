"""CP-SAT given the whole model, its protocol buffer filled in bulk."""

from __future__ import annotations

import time

import numpy as np
from ortools.sat.python import cp_model

from benchmarks.peers.contender import Outcome
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.program import NO_LIMIT, program_of


class _Trace(cp_model.CpSolverSolutionCallback):
    """(seconds since the start, cost) of each better plan."""

    def __init__(self, started: float, offset: int) -> None:
        super().__init__()
        self.offset, self.started, self.points = offset, started, list[tuple[float, int]]()

    def on_solution_callback(self) -> None:
        self.points.append(
            (round(time.monotonic() - self.started, 3), int(self.objective_value) + self.offset)
        )


def solve(problem: AssignmentProblem, seconds: float, seed: int, workers: int) -> Outcome:
    """Within what is left of the limit once the model is built."""
    started = time.monotonic()
    program = program_of(problem)
    model = cp_model.CpModel()
    variables = [
        model.new_int_var(least, most, "")
        for least, most in zip(program.least.tolist(), program.most.tolist(), strict=True)
    ]
    start, index, value = program.start.tolist(), program.index.tolist(), program.value.tolist()
    for row, upper in enumerate(program.upper.tolist()):
        linear = model.proto.constraints.add().linear
        linear.vars.extend(index[start[row] : start[row + 1]])
        linear.coeffs.extend(value[start[row] : start[row + 1]])
        linear.domain.extend([-NO_LIMIT, upper])
    model.minimize(cp_model.LinearExpr.weighted_sum(variables, program.objective.tolist()))
    solver, trace = cp_model.CpSolver(), _Trace(started, program.offset)
    solver.parameters.num_workers, solver.parameters.random_seed = workers, seed
    build_s = time.monotonic() - started
    solver.parameters.max_time_in_seconds = max(0.1, seconds - build_s)
    status = solver.solve(model, trace)
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    choice = program.choice(problem, np.array(list(solver.response_proto.solution))) if found else None
    bound = int(solver.response_proto.inner_objective_lower_bound) + program.offset if found else None
    return Outcome(choice, bound, build_s, trace.points)
