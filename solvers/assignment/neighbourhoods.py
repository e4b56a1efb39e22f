"""Fix and optimise: most of a plan stays, the rest is solved by CP-SAT; again and again, a thread per worker."""

from __future__ import annotations

import threading
from typing import Final

import numpy as np
import numpy.typing as npt

from solvers.assignment.deadline import Deadline
from solvers.assignment.exact import solve_exactly
from solvers.assignment.plan import cost_of, is_feasible
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.validation import COST_LIMIT, Ints

_FIRST_SIZE: Final = 60  #: requests; adapted so that sub-problems close
_LEAST_SIZE, _MOST_SIZE = 12, 400
_LIMIT_S: Final = 1.0  #: for one sub-problem


class Neighbourhoods:
    """Improves `choice` (R; columns as given) over the columns listed as worth trying (by request, ascending)."""

    def __init__(
        self, problem: AssignmentProblem, choice: Ints, columns: Ints, rng: np.random.Generator
    ) -> None:
        self.problem, self.choice, self.columns, self.rng = problem, choice, columns, rng
        self.cost, self.size = cost_of(problem, choice), float(_FIRST_SIZE)
        pools = problem.capacity.shape[1]
        self._row = problem.column_vendor * pools + problem.column_resource
        self._near = _affinity(problem, self._row[columns], columns, problem.capacity.shape[0] * pools)
        self._seeds = np.flatnonzero(self._near.diagonal())
        self._lock = threading.Lock()

    def run(self, deadline: Deadline, bound: int, workers: int) -> None:
        """Until the deadline is over or the cost meets the bound."""

        def work() -> None:
            while not deadline.over and self.cost > bound:
                self._one(deadline)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(workers - 1)]
        for thread in threads:
            thread.start()
        work()
        for thread in threads:
            thread.join()

    def _one(self, deadline: Deadline) -> None:
        with self._lock:
            choice, seed = self.choice.copy(), int(self.rng.integers(2**31))
            chosen = self._pick()
        sub, columns = sub_problem(self.problem, choice, chosen, self.columns)
        own = np.searchsorted(columns, choice[chosen])
        start = np.where(choice[chosen] >= 0, own, -1)
        found, _, closed = solve_exactly(sub, start, deadline, seed=seed, workers=1, limit_s=_LIMIT_S)
        with self._lock:
            self.size = float(np.clip(self.size * (1.08 if closed else 0.9), _LEAST_SIZE, _MOST_SIZE))
            merged = self.choice.copy()
            merged[chosen] = np.where(found >= 0, columns[found], -1)
            cost = cost_of(self.problem, merged)
            if cost <= self.cost and is_feasible(self.problem, merged):
                self.choice, self.cost = merged, cost

    def _pick(self) -> Ints:
        """Requests that compete: those standing in related (vendor, pool) rows, and unmatched ones that could."""
        row = np.where(self.choice >= 0, self._row[self.choice], -1)
        seed = self._seeds[self.rng.integers(len(self._seeds))]
        noise = self.rng.random(len(self._near))
        order = np.argsort(-self._near[seed] * noise, kind="stable")
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        rank[seed] = -1
        stands = np.flatnonzero(row >= 0)
        stands = stands[np.lexsort((self.rng.random(len(stands)), rank[row[stands]]))][: int(self.size)]
        loose = np.flatnonzero(row < 0)
        if len(loose):
            rows = np.unique(row[stands])
            fits = self.columns[np.isin(self._row[self.columns], rows)]
            loose = np.intersect1d(loose, self.problem.column_request[fits])
            loose = self.rng.permutation(loose)[: int(self.size / 3) + 1]
        return np.union1d(stands, loose)


def _affinity(problem: AssignmentProblem, row: Ints, columns: Ints, rows: int) -> npt.NDArray[np.float32]:
    """rows x rows: how many requests could stand in both."""
    seen = np.zeros((problem.requests, rows), np.float32)
    seen[problem.column_request[columns], row] = 1
    return seen.T @ seen


def sub_problem(
    problem: AssignmentProblem, choice: Ints, chosen: Ints, columns: Ints
) -> tuple[AssignmentProblem, Ints]:
    """The problem of the `chosen` requests (ascending) when all others stay, and its columns as given."""
    inside = np.zeros(problem.requests, np.bool_)
    inside[chosen] = True
    free = np.union1d(columns[inside[problem.column_request[columns]]], choice[chosen][choice[chosen] >= 0])
    stay = choice[(choice >= 0) & ~inside]
    left, room, target = _left(problem, stay)
    penalty = problem.request_penalty[chosen].copy()
    allowed, ties, lags = np.ones(len(free), np.bool_), [], []
    start, end = problem.column_start, problem.column_start + problem.column_duration
    request = problem.column_request[free]
    number = np.cumsum(inside) - 1
    for (a, b), lag in zip(problem.precedence.tolist(), problem.precedence_lag.tolist(), strict=True):
        if inside[a] and inside[b]:
            ties.append((number[a], number[b]))
            lags.append(lag)
        elif inside[a] and choice[b] >= 0:
            allowed &= (request != a) | (end[free] + lag <= start[choice[b]])
            penalty[number[a]] = COST_LIMIT
        elif inside[b]:
            ready = end[choice[a]] + lag if choice[a] >= 0 else np.iinfo(np.int64).max
            allowed &= (request != b) | (start[free] >= ready)
    free = free[allowed]
    sub = AssignmentProblem(
        request_penalty=penalty,
        column_request=number[problem.column_request[free]],
        **{
            f"column_{part}": getattr(problem, f"column_{part}")[free]
            for part in ("vendor", "resource", "start", "duration", "units", "cost")
        },
        capacity=left,
        vendor_cap=room,
        vendor_target=target,
        shortfall_cost=problem.shortfall_cost,
        precedence=np.array(ties, np.int64).reshape(-1, 2),
        precedence_lag=np.array(lags, np.int64),
        pinned=np.flatnonzero(np.isin(free, problem.pinned)),
    )
    return sub, free


def _left(problem: AssignmentProblem, stay: Ints) -> tuple[Ints, Ints, Ints]:
    """Capacity, caps and targets once the columns in `stay` are taken."""
    vendors, pools, buckets = problem.capacity.shape
    change = np.zeros((vendors, pools, buckets + 1), np.int64)
    where = problem.column_vendor[stay], problem.column_resource[stay]
    start, units = problem.column_start[stay], problem.column_units[stay]
    np.add.at(change, (*where, start), units)
    np.subtract.at(change, (*where, start + problem.column_duration[stay]), units)
    count = np.bincount(problem.column_vendor[stay], minlength=vendors)
    left = problem.capacity - change.cumsum(axis=2)[:, :, :buckets]
    return left, problem.vendor_cap - count, np.maximum(problem.vendor_target - count, 0)
