"""A problem's program given to CP-SAT: exact where it is small."""

from __future__ import annotations

import threading
from typing import Any, Final

import numpy as np
from ortools.sat.python import cp_model

from solvers.arrays import Ints
from solvers.assignment.deadline import WORK_PER_SECOND, Deadline
from solvers.assignment.exactness import HUGE, fits_engine
from solvers.assignment.plan import is_feasible
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.program import NO_LIMIT, Program, program_of

_POLL_S: Final = 0.05
_CALL_WORK: Final = 4_000  #: steps of work that stand for a call, whatever it is about: 1.3 ms ...
_ENTRY_WORK: Final = 12  #: ... and for each variable and entry of its model: 4 us


def solve_exactly(
    problem: AssignmentProblem,
    start: Ints,
    deadline: Deadline,
    *,
    seed: int,
    workers: int,
    enough_cents: int = 0,
) -> tuple[Ints, int]:
    """The best plan found, `start` if none is better; a proven bound, in integers throughout.

    It ends once these lie `enough_cents` apart.
    """
    program = program_of(problem)
    deadline.work += _CALL_WORK + _ENTRY_WORK * (len(program.objective) + len(program.index))
    if not fits_engine(program):
        return start, -HUGE
    if not len(program.objective):
        return start, program.offset  # nobody fits anywhere: there is nothing to choose
    model = _model(program, program.values(problem, start))
    solver = cp_model.CpSolver()
    solver.parameters.random_seed = seed % 2**31
    solver.parameters.num_workers = workers
    solver.parameters.linearization_level = 2
    solver.parameters.cp_model_probing_level = 0  # a third of the time, and nothing gained here
    solver.parameters.symmetry_level = 0
    solver.parameters.absolute_gap_limit = enough_cents
    if deadline.work_limit is None:
        solver.parameters.max_time_in_seconds = max(0.01, deadline.left_s)
    else:
        left = (deadline.work_limit - deadline.work) / WORK_PER_SECOND
        solver.parameters.max_deterministic_time = max(0.001, left)
    status = _run(solver, model, deadline)
    if deadline.work_limit is not None:
        deadline.work += int(solver.response_proto.deterministic_time * WORK_PER_SECOND) + 1
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return start, -HUGE
    choice = program.choice(problem, np.array(list(solver.response_proto.solution)))
    bound = int(solver.response_proto.inner_objective_lower_bound) + program.offset
    return (choice if is_feasible(problem, choice) else start), bound


def _run(solver: cp_model.CpSolver, model: cp_model.CpModel, deadline: Deadline) -> Any:
    """Solve, with a watcher that stops it when the caller asks."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_POLL_S):
            if deadline.stopped:
                solver.stop_search()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        return solver.solve(model)
    finally:
        done.set()
        watcher.join()


def _model(program: Program, start: Ints) -> cp_model.CpModel:
    """The program, filled in bulk, with a point to begin at."""
    model = cp_model.CpModel()
    variables = [
        model.new_int_var(least, most, "")
        for least, most in zip(program.least.tolist(), program.most.tolist(), strict=True)
    ]
    _rows(model, program)
    model.minimize(cp_model.LinearExpr.weighted_sum(variables, program.objective.tolist()))
    for variable, value in zip(variables, start.tolist(), strict=True):
        model.add_hint(variable, value)
    return model


def _rows(model: cp_model.CpModel, program: Program) -> None:
    begin, index, value = program.start.tolist(), program.index.tolist(), program.value.tolist()
    for row, upper in enumerate(program.upper.tolist()):
        here = slice(begin[row], begin[row + 1])
        linear = model.proto.constraints.add().linear
        linear.vars.extend(index[here])
        linear.coeffs.extend(value[here])
        linear.domain.extend([-NO_LIMIT, upper])
