"""Independent check of a plan: recomputes its cost and every constraint straight from the problem's arrays.

Shares no code with the optimiser (a test holds this): a defect there cannot hide here. Vectorised, a few
milliseconds at 50,000 requests, so that every plan in production passes it before it is published.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from solvers.assignment.problem import AssignmentProblem

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken constraint; indices that do not apply are None.

    `value` is what the plan does, `limit` what the problem allows, both in the unit of the constraint:
    units (capacity), requests (vendor_cap, bundle_broken), buckets (horizon), cents (cost), the unit of the
    lags (precedence, precedence_late), indices otherwise.
    """

    constraint: str
    value: int
    limit: int
    request: int | None = None
    vendor: int | None = None
    resource: int | None = None
    bucket: int | None = None

    def __str__(self) -> str:
        parts = ("request", "vendor", "resource", "bucket")
        at = ", ".join(f"{name} {getattr(self, name)}" for name in parts if getattr(self, name) is not None)
        return f"{self.constraint}: {at or 'plan'}: {self.value} against a limit of {self.limit}"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the checker found: the true cost in cents (of the columns it could follow) and all violations."""

    cost: int
    matched: int
    violations: tuple[Violation, ...]

    @property
    def ok(self) -> bool:
        """True when the plan breaks nothing."""
        return not self.violations

    def require(self) -> CheckReport:
        """Itself, or a ValueError that names the first violations."""
        if self.violations:
            first = "; ".join(str(violation) for violation in self.violations[:5])
            raise ValueError(f"the plan breaks {len(self.violations)} constraints: {first}")
        return self


def check(
    problem: AssignmentProblem, choice: npt.ArrayLike, *, claimed_cost: int | None = None
) -> CheckReport:
    """Check `choice` (R; column index or -1 for unmatched) against `problem`.

    Pure; never raises for a bad plan: everything wrong with it is a `Violation` in the report.
    """
    plan = np.asarray(choice)
    requests = len(problem.request_penalty)
    if plan.shape != (requests,):
        shape = Violation("shape", value=plan.shape[0] if plan.ndim == 1 else -1, limit=requests)
        return CheckReport(cost=0, matched=0, violations=(shape,))
    if not np.issubdtype(plan.dtype, np.integer):
        return CheckReport(cost=0, matched=0, violations=(Violation("type", value=-1, limit=-1),))
    plan = plan.astype(np.int64)
    followed, violations = _follow(problem, plan)
    chosen = followed[followed >= 0]
    violations += _capacity(problem, chosen)
    violations += _vendor_cap(problem, chosen)
    violations += _broken_pairs(problem, followed)
    violations += _broken_bundles(problem, followed)
    violations += _pinned(problem, followed)
    cost = _cost(problem, followed)
    if claimed_cost is not None and claimed_cost != cost:
        violations.append(Violation("cost", value=int(claimed_cost), limit=cost))
    return CheckReport(cost=cost, matched=len(chosen), violations=tuple(violations))


def _ints(array: Any) -> Ints:
    return np.asarray(array).astype(np.int64)


def _follow(problem: AssignmentProblem, plan: Ints) -> tuple[Ints, list[Violation]]:
    """The plan with every choice that cannot be followed taken out, and why it was."""
    columns, buckets = len(problem.column_request), problem.capacity.shape[2]
    followed, found = plan.copy(), []
    for request in np.flatnonzero((plan < -1) | (plan >= columns)).tolist():
        found.append(Violation("column", int(plan[request]), columns - 1, request=request))
        followed[request] = -1
    matched = np.flatnonzero(followed >= 0)
    owner = _ints(problem.column_request)[followed[matched]]
    for request in matched[owner != matched].tolist():
        found.append(Violation("owner", int(problem.column_request[plan[request]]), request, request=request))
        followed[request] = -1
    matched = np.flatnonzero(followed >= 0)
    start = _ints(problem.column_start)[followed[matched]]
    end = start + _ints(problem.column_duration)[followed[matched]]
    for at in np.flatnonzero((start < 0) | (end > buckets)).tolist():
        request, vendor = int(matched[at]), int(problem.column_vendor[followed[matched[at]]])
        found.append(Violation("horizon", int(end[at]), buckets, request=request, vendor=vendor))
        followed[request] = -1
    return followed, found


def _use(problem: AssignmentProblem, chosen: Ints) -> Ints:
    """Units in use, V x K x B: a difference array summed along the buckets."""
    vendors, resources, buckets = problem.capacity.shape
    change = np.zeros((vendors, resources, buckets + 1), dtype=np.int64)
    vendor, resource = problem.column_vendor[chosen], problem.column_resource[chosen]
    start, units = _ints(problem.column_start)[chosen], _ints(problem.column_units)[chosen]
    np.add.at(change, (vendor, resource, start), units)
    np.subtract.at(change, (vendor, resource, start + _ints(problem.column_duration)[chosen]), units)
    return change.cumsum(axis=2)[:, :, :buckets]


def _capacity(problem: AssignmentProblem, chosen: Ints) -> Iterator[Violation]:
    """Buckets used beyond what is left; the request named is one of those that use the bucket."""
    use, capacity = _use(problem, chosen), _ints(problem.capacity)
    over = np.argwhere((use > capacity) & (use > 0)).tolist()
    user = _users(problem, chosen) if over else use
    for v, k, b in over:
        value, limit, request = (int(each[v, k, b]) for each in (use, capacity, user))
        yield Violation("capacity", value, limit, request=request, vendor=v, resource=k, bucket=b)


def _users(problem: AssignmentProblem, chosen: Ints) -> Ints:
    """V x K x B: the last request in each bucket, -1 where there is none."""
    _, resources, buckets = problem.capacity.shape
    user = np.full(problem.capacity.size, -1, dtype=np.int64)
    duration = _ints(problem.column_duration)[chosen]
    row = _ints(problem.column_vendor)[chosen] * resources + problem.column_resource[chosen]
    first = row * buckets + problem.column_start[chosen]
    step = np.arange(duration.sum()) - np.repeat(duration.cumsum() - duration, duration)
    user[np.repeat(first, duration) + step] = np.repeat(_ints(problem.column_request)[chosen], duration)
    return user.reshape(problem.capacity.shape)


def _counts(problem: AssignmentProblem, chosen: Ints) -> Ints:
    return np.bincount(_ints(problem.column_vendor)[chosen], minlength=problem.capacity.shape[0])


def _vendor_cap(problem: AssignmentProblem, chosen: Ints) -> list[Violation]:
    counts, cap = _counts(problem, chosen), _ints(problem.vendor_cap)
    over = np.flatnonzero((counts > cap) & (counts > 0)).tolist()
    return [Violation("vendor_cap", int(counts[v]), int(cap[v]), vendor=v) for v in over]


def _broken_pairs(problem: AssignmentProblem, followed: Ints) -> Iterator[Violation]:
    """Seconds without their firsts, before their time (precedence) or after it (precedence_late)."""
    start, begin, end = _ints(problem.column_start), *_work(problem)
    lags = (problem.precedence_lag, problem.precedence_most, problem.precedence_from_start)
    limits = zip(*(_ints(each).tolist() for each in lags), strict=True)
    pairs = _ints(problem.precedence).reshape(-1, 2).tolist()
    for (first, second), (least, most, from_start) in zip(pairs, limits, strict=True):
        one, two = int(followed[first]), int(followed[second])
        if two < 0:
            continue
        begins, bucket = int(begin[two]), int(start[two])
        if one < 0:
            yield Violation("precedence_unmatched", value=-1, limit=begins - least, request=second)
            continue
        since = int(begin[one]) if from_start else int(end[one])
        if begins < since + least:
            yield Violation("precedence", begins, since + least, request=second, bucket=bucket)
        if begins > since + most:
            yield Violation("precedence_late", begins, since + most, request=second, bucket=bucket)


def _work(problem: AssignmentProblem) -> tuple[Ints, Ints]:
    """When the work of each column begins and ends, in the unit of the lags."""
    if len(problem.column_begin):
        return _ints(problem.column_begin), _ints(problem.column_end)
    start = _ints(problem.column_start)
    return start, start + _ints(problem.column_duration)


def _broken_bundles(problem: AssignmentProblem, followed: Ints) -> Iterator[Violation]:
    """Some of a bundle matched and some not; names one that is not."""
    bundle = _ints(problem.bundle)
    inside = np.flatnonzero(bundle >= 0)
    _, which = np.unique(bundle[inside], return_inverse=True)
    size, matched = np.bincount(which), np.bincount(which, weights=followed[inside] >= 0).astype(np.int64)
    for each in np.flatnonzero((matched > 0) & (matched < size)).tolist():
        members = inside[which == each]
        left_out = int(members[followed[members] < 0][0])
        yield Violation("bundle_broken", int(matched[each]), int(size[each]), request=left_out)


def _pinned(problem: AssignmentProblem, followed: Ints) -> Iterator[Violation]:
    """A pinned column stands in every plan, whatever it costs."""
    for column in _ints(problem.pinned).tolist():
        request = int(problem.column_request[column])
        if followed[request] != column:
            yield Violation("pinned", value=int(followed[request]), limit=column, request=request)


def _cost(problem: AssignmentProblem, followed: Ints) -> int:
    """Columns + penalties of the unmatched + shortfalls below the vendors' targets, in cents."""
    chosen = followed[followed >= 0]
    shortfall = np.maximum(_ints(problem.vendor_target) - _counts(problem, chosen), 0).sum()
    columns = _ints(problem.column_cost)[chosen].sum()
    penalties = _ints(problem.request_penalty)[followed < 0].sum()
    return int(columns) + int(penalties) + int(shortfall) * int(problem.shortfall_cost)
