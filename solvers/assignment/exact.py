"""The whole problem given to CP-SAT: exact where it is small."""

from __future__ import annotations

import threading

import numpy as np
from ortools.sat.python import cp_model

from solvers.assignment.deadline import Deadline
from solvers.assignment.plan import is_feasible
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.validation import Ints

_POLL_S = 0.05


def solve_exactly(
    problem: AssignmentProblem, start: Ints, deadline: Deadline, seed: int, workers: int
) -> tuple[Ints, int]:
    """The best plan found, `start` if none is better, and a proven bound."""
    model, taken = _model(problem)
    for column, variable in taken.items():
        model.add_hint(variable, bool(start[problem.column_request[column]] == column))
    solver = cp_model.CpSolver()
    solver.parameters.random_seed = seed % 2**31
    solver.parameters.num_workers = workers
    if deadline.work_limit is None:
        solver.parameters.max_time_in_seconds = max(deadline.left_s, 0.01)
    else:
        solver.parameters.max_deterministic_time = deadline.work_limit / 1e6
    status = _run(solver, model, deadline)
    bound = -(2**62) if status == cp_model.UNKNOWN else int(np.floor(solver.best_objective_bound + 1e-6))
    choice = start
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        choice = np.full(problem.requests, -1, np.int64)
        for column, variable in taken.items():
            if solver.boolean_value(variable):
                choice[problem.column_request[column]] = column
        choice = choice if is_feasible(problem, choice) else start
    return choice, bound


def _run(solver: cp_model.CpSolver, model: cp_model.CpModel, deadline: Deadline) -> object:
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


def _model(problem: AssignmentProblem) -> tuple[cp_model.CpModel, dict[int, cp_model.IntVar]]:
    model = cp_model.CpModel()
    taken = {int(c): model.new_bool_var("") for c in np.flatnonzero(problem.fits_alone)}
    of_request: list[list[int]] = [[] for _ in range(problem.requests)]
    of_vendor: list[list[int]] = [[] for _ in problem.vendor_cap]
    of_cell: dict[tuple[int, int, int], list[int]] = {}
    for column in taken:
        of_request[problem.column_request[column]].append(column)
        vendor = int(problem.column_vendor[column])
        of_vendor[vendor].append(column)
        start = int(problem.column_start[column])
        for bucket in range(start, start + int(problem.column_duration[column])):
            of_cell.setdefault((vendor, int(problem.column_resource[column]), bucket), []).append(column)
    for columns in of_request:
        model.add_at_most_one(taken[c] for c in columns)
    for cell, columns in of_cell.items():
        units = [int(problem.column_units[c]) for c in columns]
        if sum(units) > problem.capacity[cell]:
            model.add(
                sum(u * taken[c] for u, c in zip(units, columns, strict=True)) <= int(problem.capacity[cell])
            )
    objective: list[cp_model.LinearExprT] = [int(problem.request_penalty.sum())]
    objective += [
        int(problem.column_cost[c] - problem.request_penalty[problem.column_request[c]]) * taken[c]
        for c in taken
    ]
    for vendor, columns in enumerate(of_vendor):
        count = sum(taken[c] for c in columns)
        if len(columns) > problem.vendor_cap[vendor]:
            model.add(count <= int(problem.vendor_cap[vendor]))
        if problem.shortfall_cost and problem.vendor_target[vendor]:
            short = model.new_int_var(0, int(problem.vendor_target[vendor]), "")
            model.add(short + count >= int(problem.vendor_target[vendor]))
            objective.append(problem.shortfall_cost * short)
    for column in problem.pinned.tolist():
        model.add(taken[column] == 1)
    for (first, second), lag in zip(
        problem.precedence.tolist(), problem.precedence_lag.tolist(), strict=True
    ):
        _precede(model, problem, taken, of_request[first], of_request[second], lag)
    model.minimize(sum(objective))
    return model, taken


def _precede(  # noqa: PLR0917
    model: cp_model.CpModel,
    problem: AssignmentProblem,
    taken: dict[int, cp_model.IntVar],
    first: list[int],
    second: list[int],
    lag: int,
) -> None:
    """For each t: seconds that start by t <= firsts that end (plus lag) by t."""
    ready = {c: int(problem.column_start[c] + problem.column_duration[c]) + lag for c in first}
    begins = {c: int(problem.column_start[c]) for c in second}
    for t in sorted(set(begins.values())):
        model.add(
            sum(taken[c] for c in second if begins[c] <= t) <= sum(taken[c] for c in first if ready[c] <= t)
        )
