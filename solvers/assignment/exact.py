"""The whole problem given to CP-SAT: exact where it is small."""

from __future__ import annotations

import math
import threading
from typing import Any, Final

import numpy as np
from ortools.sat.python import cp_model

from solvers.assignment.deadline import WORK_PER_SECOND, Deadline
from solvers.assignment.plan import is_feasible
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.validation import Ints

_POLL_S: Final = 0.05


def solve_exactly(
    problem: AssignmentProblem,
    start: Ints,
    deadline: Deadline,
    *,
    seed: int,
    workers: int,
) -> tuple[Ints, int]:
    """The best plan found, `start` if none is better; a proven bound."""
    model, kept = _model(problem)
    for variable, column in enumerate(kept.tolist()):
        model.add_hint(
            model.get_bool_var_from_proto_index(variable),
            bool(start[problem.column_request[column]] == column),
        )
    solver = cp_model.CpSolver()
    solver.parameters.random_seed = seed % 2**31
    solver.parameters.num_workers = workers
    solver.parameters.linearization_level = 2
    solver.parameters.cp_model_probing_level = 0  # a third of the time, and nothing gained here
    solver.parameters.symmetry_level = 0
    if deadline.work_limit is None:
        solver.parameters.max_time_in_seconds = max(0.01, deadline.left_s)
    else:
        left = (deadline.work_limit - deadline.work) / WORK_PER_SECOND
        solver.parameters.max_deterministic_time = max(0.001, left)
    status = _run(solver, model, deadline)
    if deadline.work_limit is not None:
        deadline.work += int(solver.response_proto.deterministic_time * WORK_PER_SECOND) + 1
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return start, -(2**62)
    choice = np.full(problem.requests, -1, np.int64)
    taken = kept[np.array(list(solver.response_proto.solution), np.bool_)[: len(kept)]]
    choice[problem.column_request[taken]] = taken
    bound = math.floor(solver.best_objective_bound + 1e-6)
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


def _model(problem: AssignmentProblem) -> tuple[cp_model.CpModel, Ints]:
    """The model and the column each of its first variables stands for."""
    model = cp_model.CpModel()
    kept = np.flatnonzero(problem.fits_alone)
    taken = np.array([model.new_bool_var("") for _ in range(len(kept))], object)
    request, vendor = problem.column_request[kept], problem.column_vendor[kept]
    for group in _groups(request):
        model.add_at_most_one(taken[group])
    _capacity(model, problem, kept, taken)
    saved = problem.column_cost[kept] - problem.request_penalty[request]
    objective = cp_model.LinearExpr.weighted_sum(taken, saved) + int(problem.request_penalty.sum())
    by_vendor = {int(vendor[group[0]]): taken[group] for group in _groups(vendor)}
    for v, own in by_vendor.items():
        if len(own) > problem.vendor_cap[v]:
            model.add(cp_model.LinearExpr.sum(own) <= int(problem.vendor_cap[v]))
    for v in np.flatnonzero(problem.vendor_target).tolist() if problem.shortfall_cost else ():
        target = int(problem.vendor_target[v])
        short = model.new_int_var(0, target, "")
        model.add(short + cp_model.LinearExpr.sum(by_vendor.get(v, np.array([], object))) >= target)
        objective += problem.shortfall_cost * short
    for at in np.flatnonzero(np.isin(kept, problem.pinned)):
        model.add(taken[at] == 1)
    _precedence(model, problem, kept, taken)
    model.minimize(objective)
    return model, kept


def _groups(key: Ints) -> list[Ints]:
    """Indices of equal keys, together."""
    order = np.argsort(key, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(key[order])) + 1) if len(key) else []


def _capacity(
    model: cp_model.CpModel, problem: AssignmentProblem, kept: Ints, taken: np.ndarray[Any, Any]
) -> None:
    """A row per (vendor, pool, bucket) that can bind; of rows that hold the same columns, the tightest."""
    _, pools, buckets = problem.capacity.shape
    span, units = problem.column_duration[kept], problem.column_units[kept]
    cell = (problem.column_vendor[kept] * pools + problem.column_resource[kept]) * buckets
    cell += problem.column_start[kept]
    ends = np.cumsum(span)
    at = np.repeat(np.arange(len(kept)), span)
    cell = np.repeat(cell, span) + np.arange(len(at)) - np.repeat(ends - span, span)
    capacity, rows = problem.capacity.reshape(-1), dict[bytes, tuple[Ints, int]]()
    for group in _groups(cell):
        own, left = at[group], int(capacity[cell[group[0]]])
        if units[own].sum() > left:
            key = own.tobytes()
            rows[key] = (own, min(left, rows[key][1] if key in rows else left))
    for own, left in rows.values():
        model.add(cp_model.LinearExpr.weighted_sum(taken[own], units[own]) <= left)


def _precedence(
    model: cp_model.CpModel, problem: AssignmentProblem, kept: Ints, taken: np.ndarray[Any, Any]
) -> None:
    """For each t: seconds that start by t <= firsts that have ended, lag and all, by t."""
    request, start = problem.column_request[kept], problem.column_start[kept]
    end = start + problem.column_duration[kept]
    pairs, lags = problem.precedence.tolist(), problem.precedence_lag.tolist()
    for (first, second), lag in zip(pairs, lags, strict=True):
        ones = np.arange(*np.searchsorted(request, [first, first + 1]))
        twos = np.arange(*np.searchsorted(request, [second, second + 1]))
        for t in np.unique(start[twos]):
            late, ready = taken[twos[start[twos] <= t]], taken[ones[end[ones] + lag <= t]]
            model.add(cp_model.LinearExpr.sum(late) <= cp_model.LinearExpr.sum(ready))
