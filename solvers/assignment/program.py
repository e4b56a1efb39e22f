"""The problem as a sparse integer program: what both CP-SAT (`exact`) and HiGHS (`prover`) are given.

Variables: one per column that fits alone (0 or 1), then one per vendor with a target (its shortfall). Nothing
is left out but rows that cannot bind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from solvers.arrays import Ints
from solvers.assignment.exactness import HUGE
from solvers.assignment.problem import AssignmentProblem


@dataclass(frozen=True)
class Program:
    """Minimise `objective` x + `offset`, A x <= upper, least <= x <= most, x whole; A by rows."""

    kept: Ints  #: the column each variable stands for
    objective: Ints
    least: Ints
    most: Ints
    offset: int
    start: Ints  #: rows + 1
    index: Ints
    value: Ints
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


NO_LIMIT: Final = 2**60  #: for an engine that wants a lower limit of a row, too


def program_of(problem: AssignmentProblem) -> Program:
    """A row per request, pool and span of buckets, vendor, target, pair and time, and bundled request."""
    kept = np.flatnonzero(problem.fits_alone)
    request, vendor = problem.column_request[kept], problem.column_vendor[kept]
    targeted = np.flatnonzero(problem.vendor_target * problem.shortfall_cost)
    n, one = np.arange(len(kept)), np.ones(len(kept), np.int64)
    parts = [
        _Rows(request, n, one, np.ones(problem.requests, np.int64)),
        _capacity(problem, kept),
        _Rows(vendor, n, one, problem.vendor_cap),
        _targets(problem, vendor, targeted),
        *_precedence(problem, kept),
        *_bundles(problem, kept),
    ]
    most = np.concatenate([np.ones(len(kept), np.int64), problem.vendor_target[targeted]])
    rows = _binding(_stack(parts), most)
    order = np.lexsort((rows.index, rows.row))
    saved = problem.column_cost[kept] - problem.request_penalty[request]
    return Program(
        kept=kept,
        objective=np.concatenate([saved, np.full(len(targeted), problem.shortfall_cost)]),
        least=np.concatenate([np.isin(kept, problem.pinned), np.zeros(len(targeted))]).astype(np.int64),
        most=most,
        offset=int(problem.request_penalty.sum()),
        start=np.searchsorted(rows.row[order], np.arange(len(rows.upper) + 1)),
        index=rows.index[order],
        value=rows.value[order],
        upper=rows.upper,
    )


@dataclass(frozen=True)
class _Rows:
    """Entries (row, variable, coefficient) and each row's upper limit."""

    row: Ints
    index: Ints
    value: Ints
    upper: Ints


def _capacity(problem: AssignmentProblem, kept: Ints) -> _Rows:
    """Buckets of a pool between which no column begins or ends hold the same columns: the tightest stands."""
    _, pools, buckets = problem.capacity.shape
    begin = (problem.column_vendor[kept] * pools + problem.column_resource[kept]) * buckets
    begin += problem.column_start[kept]
    end, capacity = begin + problem.column_duration[kept], problem.capacity.reshape(-1)
    edge = np.zeros(len(capacity) + 1, np.bool_)
    edge[begin] = edge[end] = edge[: -1 : max(1, buckets)] = True
    span = np.cumsum(edge) - 1
    size = span[end] - span[begin]
    ends = np.cumsum(size)
    within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - size, size)
    return _Rows(
        np.repeat(span[begin], size) + within,
        np.repeat(np.arange(len(kept)), size),
        np.repeat(problem.column_units[kept], size),
        np.minimum.reduceat(capacity, np.flatnonzero(edge[:-1])) if len(capacity) else capacity,
    )


def _targets(problem: AssignmentProblem, vendor: Ints, targeted: Ints) -> _Rows:
    """What a vendor has and its shortfall together reach its target; `vendor`: of each kept column."""
    own = np.flatnonzero(np.isin(vendor, targeted))
    row = np.concatenate([np.searchsorted(targeted, vendor[own]), np.arange(len(targeted))])
    index = np.concatenate([own, len(vendor) + np.arange(len(targeted))])
    return _Rows(row, index, np.full(len(index), -1), -problem.vendor_target[targeted])


def _precedence(problem: AssignmentProblem, kept: Ints) -> list[_Rows]:
    """For each t: seconds that begin by t <= firsts that allow it by t; with a most, the same from t on."""
    request, (begin, end), found = problem.column_request[kept], problem.work(kept), list[_Rows]()
    lags = (problem.precedence_lag, problem.precedence_most, problem.precedence_from_start)
    for (one, two), least, most, from_start in zip(problem.precedence.tolist(), *lags, strict=True):
        firsts, seconds = (_own(request, each) for each in (one, two))
        since = (begin if from_start else end)[firsts]
        times = np.unique(begin[seconds])
        for t in _last_of_each((since + least <= times[:, None]).sum(axis=1), times):
            found.append(_at_most(seconds[begin[seconds] <= t], firsts[since + least <= t]))
        for t in _last_of_each((since + most >= times[::-1, None]).sum(axis=1), times[::-1]):
            if most < HUGE:
                found.append(_at_most(seconds[begin[seconds] >= t], firsts[since + most >= t]))
    return found


def _last_of_each(allowing: Ints, times: Ints) -> Ints:
    """Times by how many firsts allow them: of those that the same ones do, the last row holds the others'."""
    last: Ints = times[np.append(np.diff(allowing) != 0, np.ones(min(1, len(times)), np.bool_))]
    return last


def _bundles(problem: AssignmentProblem, kept: Ints) -> list[_Rows]:
    """Round each bundle, one is matched only if the next is: all are, or none."""
    request, found = problem.column_request[kept], list[_Rows]()
    for bundle in np.unique(problem.bundle[problem.bundle >= 0]):
        members = [_own(request, each) for each in np.flatnonzero(problem.bundle == bundle).tolist()]
        found += [_at_most(members[at - 1], members[at]) for at in range(len(members)) if len(members) > 1]
    return found


def _own(request: Ints, one: int) -> Ints:
    """The variables of a request; `request`: of each."""
    return np.arange(np.searchsorted(request, one), np.searchsorted(request, one + 1))


def _at_most(these: Ints, those: Ints) -> _Rows:
    """A row: no more of these than of those."""
    index, value = np.concatenate([these, those]), np.repeat([1, -1], (len(these), len(those)))
    return _Rows(np.zeros(len(index), np.int64), index, value, np.zeros(1, np.int64))


def _stack(parts: list[_Rows]) -> _Rows:
    base = np.cumsum([0, *(len(part.upper) for part in parts)])
    return _Rows(
        np.concatenate([part.row + at for part, at in zip(parts, base, strict=False)]),
        np.concatenate([part.index for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.upper for part in parts]),
    )


def _binding(rows: _Rows, most: Ints) -> _Rows:
    """Without those that hold whatever the variables are; in integers, which large units need."""
    greatest = np.zeros(len(rows.upper), np.int64)
    np.add.at(greatest, rows.row, np.maximum(rows.value, 0) * most[rows.index])
    binds = greatest > rows.upper
    here = binds[rows.row]
    return _Rows(
        (np.cumsum(binds) - 1)[rows.row[here]], rows.index[here], rows.value[here], rows.upper[binds]
    )
