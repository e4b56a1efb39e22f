"""An assignment problem as the kernels read it: columns that can never serve dropped, cells flattened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from solvers.arrays import Flags, Ints
from solvers.assignment.exactness import HUGE
from solvers.assignment.problem import AssignmentProblem
from solvers.kernels.layouts import INSTANCE
from solvers.kernels.library import Struct

Small = npt.NDArray[np.int32]
PINNED_PENALTY: Final = 2**44  #: above any |cost|: a plan without the pinned column is never better


@dataclass(frozen=True, eq=False)
class Instance:
    """Arrays of common.h's `Instance`; `original`: index of each kept column in the problem as given."""

    problem: AssignmentProblem
    original: Ints
    first: Small
    vendor: Small
    cell: Small
    span: Small
    units: Ints
    cost: Ints
    penalty: Ints
    capacity: Ints
    cap: Ints
    target: Ints
    before: Small
    after: Small
    lag: Ints
    most: Ints
    from_start: Small
    both: Small
    tied: Small
    begin: Ints
    end: Ints
    link_first: Small
    link: Small
    struct: Struct = field(init=False)

    def __post_init__(self) -> None:
        """Point the C struct at the arrays, which live as long as this object."""
        rows, stride = self.capacity.shape
        numbers = {"requests": len(self.penalty), "columns": len(self.cost), "vendors": len(self.cap)}
        numbers |= {"rows": rows, "stride": stride, "pairs": len(self.lag)}
        numbers["shortfall"] = self.problem.shortfall_cost
        arrays = {name: getattr(self, name) for name in INSTANCE.names or () if name not in numbers}
        object.__setattr__(self, "struct", Struct(INSTANCE, **numbers, **arrays))

    @property
    def requests(self) -> int:
        """R."""
        return len(self.penalty)

    @property
    def columns(self) -> int:
        """Kept of those given."""
        return len(self.cost)

    @property
    def is_tied(self) -> bool:
        """Whether any request is in sequence or in a bundle."""
        return len(self.link) > 0

    def to_given(self, choice: npt.NDArray[Any]) -> Ints:
        """A choice among the kept columns as a choice among those given."""
        given = np.full(len(choice), -1, np.int64)
        given[choice >= 0] = self.original[choice[choice >= 0]]
        return given

    def from_given(self, choice: Ints) -> Small:
        """The other way; a column that was dropped counts as unmatched."""
        where = np.searchsorted(self.original, choice)
        where[where == len(self.original)] = 0
        if not len(self.original):
            return np.full(len(choice), -1, np.int32)
        known = (choice >= 0) & (self.original[where] == choice)
        return np.where(known, where, -1).astype(np.int32)


def instance_of(problem: AssignmentProblem) -> Instance:
    """Flatten, clip "no limit" to what could ever be used, drop columns that cannot serve."""
    kept = np.flatnonzero(_useful(problem))
    request = problem.column_request[kept]
    penalty = problem.request_penalty.copy()
    penalty[problem.column_request[problem.pinned]] = PINNED_PENALTY
    first = np.searchsorted(request, np.arange(problem.requests + 1))
    columns: dict[str, Any] = {
        "vendor": problem.column_vendor[kept].astype(np.int32),
        "span": problem.column_duration[kept].astype(np.int32),
        "units": problem.column_units[kept],
        "cost": problem.column_cost[kept],
    }
    return Instance(
        problem,
        original=kept,
        first=first.astype(np.int32),
        penalty=penalty,
        cap=np.minimum(problem.vendor_cap, problem.requests),
        target=problem.vendor_target,
        **columns,
        **_cells(problem, kept),
        **_ties(problem, kept, first),
    )


def _cells(problem: AssignmentProblem, kept: Ints) -> dict[str, Any]:
    """Where the columns begin, and what each cell holds that they could use."""
    vendors, pools, buckets = problem.capacity.shape
    request, units = problem.column_request[kept], problem.column_units[kept]
    row = problem.column_vendor[kept] * pools + problem.column_resource[kept]
    most = np.zeros(problem.requests, np.int64)
    np.maximum.at(most, request, units)
    capacity = np.zeros((vendors * pools, buckets + 1), np.int64)
    np.minimum(problem.capacity.reshape(vendors * pools, buckets), most.sum(), out=capacity[:, :buckets])
    step = np.zeros(vendors * pools, np.int64)
    np.gcd.at(step, row, units)
    capacity -= capacity % np.maximum(step, 1)[:, None]  # what is left below one more step no column can use
    cell = row * (buckets + 1) + problem.column_start[kept]
    return {"cell": cell.astype(np.int32), "capacity": capacity}


def _ties(problem: AssignmentProblem, kept: Ints, first: Ints) -> dict[str, Any]:
    """The pairs, who is in them, and when the columns of those begin and end."""
    pairs = _pairs(problem)
    link_first, link = _links(pairs, problem.requests)
    tied, begin, end = _work(problem, kept, first, np.diff(link_first) > 0)
    return {
        "before": pairs.before.astype(np.int32),
        "after": pairs.after.astype(np.int32),
        "lag": pairs.lag,
        "most": pairs.most,
        "from_start": pairs.from_start.astype(np.int32),
        "both": pairs.both.astype(np.int32),
        "tied": tied,
        "begin": begin,
        "end": end,
        "link_first": link_first,
        "link": link,
    }


def _useful(problem: AssignmentProblem) -> Flags:
    """Columns that fit alone, are not beside a pinned one, and can be worth more than leaving the request."""
    useful = problem.fits_alone.copy()
    request = problem.column_request
    worth = problem.column_cost < problem.request_penalty[request]
    if problem.shortfall_cost:
        worth |= problem.vendor_target[problem.column_vendor] > 0
    if len(problem.precedence):
        first = np.zeros(problem.requests, np.bool_)
        first[problem.precedence[:, 0]] = True
        worth |= first[request]
    worth |= (problem.bundle >= 0)[request]
    useful &= worth
    if len(problem.pinned):
        decided = np.zeros(problem.requests, np.bool_)
        decided[request[problem.pinned]] = True
        useful &= ~decided[request]
        useful[problem.pinned] = True
    return useful


@dataclass(frozen=True)
class _Pairs:
    """Pairs tied by precedence, then neighbours in a bundle, which may begin whenever they like."""

    before: Ints
    after: Ints
    lag: Ints
    most: Ints
    from_start: Ints
    both: Ints  #: 1: neither is matched without the other


def _pairs(problem: AssignmentProblem) -> _Pairs:
    bundle, (before, after) = problem.bundle, problem.precedence.T
    members = np.argsort(bundle, kind="stable")[int((bundle < 0).sum()) :]
    beside = np.flatnonzero(bundle[members[1:]] == bundle[members[:-1]])
    one, two, size = members[beside], members[beside + 1], len(beside)
    together = (bundle[before] >= 0) & (bundle[before] == bundle[after])
    return _Pairs(
        np.concatenate([before, one]),
        np.concatenate([after, two]),
        np.concatenate([problem.precedence_lag, np.full(size, -HUGE)]),
        np.concatenate([problem.precedence_most, np.full(size, HUGE)]),
        np.concatenate([problem.precedence_from_start, np.zeros(size, np.int64)]),
        np.concatenate([together, np.ones(size, np.bool_)]).astype(np.int64),
    )


def _links(pairs: _Pairs, requests: int) -> tuple[Small, Small]:
    """Pairs by request, as offsets and a list: each pair appears under both of its requests."""
    ends = np.concatenate([pairs.before, pairs.after])
    pair = np.tile(np.arange(len(pairs.before)), 2)
    order = np.argsort(ends, kind="stable")
    first = np.searchsorted(ends[order], np.arange(requests + 1))
    return first.astype(np.int32), pair[order].astype(np.int32)


def _work(problem: AssignmentProblem, kept: Ints, first: Ints, tied: Flags) -> tuple[Small, Ints, Ints]:
    """Where the columns of each tied request stand in two lists, and these: when their work begins, ends."""
    sizes = np.where(tied, np.diff(first), 0)
    request = problem.column_request[kept]
    return (np.cumsum(sizes) - sizes).astype(np.int32), *problem.work(kept[tied[request]])
