"""The whole problem as a sparse integer program; nothing left out but rows that cannot bind.

Variables: one per column that fits alone (0 or 1), then one per vendor with a target (its shortfall).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.validation import Ints


@dataclass(frozen=True)
class Program:
    """Minimise `objective` x + `offset`, lower <= A x <= upper, least <= x <= most, x whole; A by rows."""

    kept: Ints  #: the column each variable stands for
    objective: Ints
    least: Ints
    most: Ints
    offset: int
    start: Ints  #: rows + 1
    index: Ints
    value: Ints
    lower: Ints
    upper: Ints

    def choice(self, problem: AssignmentProblem, values: npt.NDArray[Any]) -> Ints:
        """R; the plan that the variables' values stand for."""
        choice = np.full(problem.requests, -1, np.int64)
        taken = self.kept[np.asarray(values)[: len(self.kept)] > 0.5]
        choice[problem.column_request[taken]] = taken
        return choice

    def values(self, problem: AssignmentProblem, choice: Ints) -> Ints:
        """The other way."""
        taken = choice[problem.column_request[self.kept]] == self.kept
        counts = np.bincount(problem.column_vendor[choice[choice >= 0]], minlength=len(problem.vendor_cap))
        short = np.maximum(problem.vendor_target - counts, 0)[
            problem.vendor_target * problem.shortfall_cost > 0
        ]
        return np.concatenate([taken.astype(np.int64), short])


NO_LIMIT = 2**60


def program_of(problem: AssignmentProblem) -> Program:
    """One row per request, per (vendor, pool, bucket), per vendor, per pair and time."""
    kept = np.flatnonzero(problem.fits_alone)
    n = np.arange(len(kept))
    request, vendor = problem.column_request[kept], problem.column_vendor[kept]
    targeted = np.flatnonzero(problem.vendor_target * problem.shortfall_cost)
    short = np.full(len(problem.vendor_cap), -1)
    short[targeted] = len(kept) + np.arange(len(targeted))
    parts = [_Rows(request, n, np.ones(len(n), np.int64), np.full(problem.requests, 1))]
    parts.append(_capacity(problem, kept))
    parts.append(_Rows(vendor, n, np.ones(len(n), np.int64), problem.vendor_cap))
    aimed = short[vendor] >= 0
    rank = short - len(kept)
    parts.append(
        _Rows(
            np.concatenate([rank[vendor[aimed]], np.arange(len(targeted))]),
            np.concatenate([n[aimed], short[targeted]]),
            np.full(int(aimed.sum()) + len(targeted), -1),
            -problem.vendor_target[targeted],
        )
    )
    parts += list(_precedence(problem, kept))
    row, index, value, upper = _stack(parts)
    order = np.lexsort((index, row))
    saved = problem.column_cost[kept] - problem.request_penalty[request]
    return Program(
        kept=kept,
        objective=np.concatenate([saved, np.full(len(targeted), problem.shortfall_cost)]),
        least=np.concatenate([np.isin(kept, problem.pinned), np.zeros(len(targeted))]).astype(np.int64),
        most=np.concatenate([np.ones(len(kept), np.int64), problem.vendor_target[targeted]]),
        offset=int(problem.request_penalty.sum()),
        start=np.searchsorted(row[order], np.arange(len(upper) + 1)),
        index=index[order],
        value=value[order],
        lower=np.full(len(upper), -NO_LIMIT),
        upper=upper,
    )


@dataclass(frozen=True)
class _Rows:
    """Entries (row, variable, coefficient) and each row's upper limit."""

    row: Ints
    index: Ints
    value: Ints
    upper: Ints


def _capacity(problem: AssignmentProblem, kept: Ints) -> _Rows:
    _, pools, buckets = problem.capacity.shape
    span = problem.column_duration[kept]
    cell = (problem.column_vendor[kept] * pools + problem.column_resource[kept]) * buckets
    cell += problem.column_start[kept]
    ends = np.cumsum(span)
    within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - span, span)
    row, index = np.repeat(cell, span) + within, np.repeat(np.arange(len(kept)), span)
    value, capacity = np.repeat(problem.column_units[kept], span), problem.capacity.reshape(-1)
    binds = np.bincount(row, value, len(capacity)) > capacity
    here = binds[row]
    return _Rows((np.cumsum(binds) - 1)[row[here]], index[here], value[here], capacity[binds])


def _precedence(problem: AssignmentProblem, kept: Ints) -> list[_Rows]:
    """For each t: seconds that start by t <= firsts that have ended, lag and all, by t."""
    request, start = problem.column_request[kept], problem.column_start[kept]
    end, found = start + problem.column_duration[kept], []
    for (one, two), lag in zip(problem.precedence.tolist(), problem.precedence_lag.tolist(), strict=True):
        firsts = np.arange(np.searchsorted(request, one), np.searchsorted(request, one + 1))
        seconds = np.arange(np.searchsorted(request, two), np.searchsorted(request, two + 1))
        for t in np.unique(start[seconds]):
            plus, minus = seconds[start[seconds] <= t], firsts[end[firsts] + lag <= t]
            index = np.concatenate([plus, minus])
            value = np.concatenate([np.ones(len(plus), np.int64), -np.ones(len(minus), np.int64)])
            found.append(_Rows(np.zeros(len(index), np.int64), index, value, np.zeros(1, np.int64)))
    return found


def _stack(parts: list[_Rows]) -> tuple[Ints, Ints, Ints, Ints]:
    base = np.cumsum([0, *(len(part.upper) for part in parts)])
    row = np.concatenate([part.row + at for part, at in zip(parts, base, strict=False)])
    index = np.concatenate([part.index for part in parts])
    value = np.concatenate([part.value for part in parts])
    return row, index, value, np.concatenate([part.upper for part in parts])
