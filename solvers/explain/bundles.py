"""What else must hold for a request to be matched: those before it, and those matched only with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from solvers.arrays import Flags, Ints
from solvers.assignment.greedy import greedy
from solvers.assignment.plan import cost_of
from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.subproblem import Subproblem, restrict
from solvers.checker import check
from solvers.explain.reasons import Step, What
from solvers.explain.verdicts import Verdicts
from solvers.insertion import Columns


def columns_of(problem: AssignmentProblem, request: int) -> Verdicts:
    """The columns of a problem, as options that no rule is against."""
    verdicts = Verdicts.none(Columns.of_request(problem, request))
    return replace(verdicts, work=problem.work(_own(problem, request)))


def in_order(problem: AssignmentProblem, held: Ints, request: int, verdicts: Verdicts) -> Flags:
    """n; options that begin when the requests that must come before them allow it.

    Of its own bundle nobody is matched: that is looked at with the others.
    """
    begin, _ = verdicts.times
    good = np.ones(len(begin), np.bool_)
    for pair in np.flatnonzero(problem.precedence[:, 1] == request).tolist():
        first = int(problem.precedence[pair, 0])
        if problem.bundle[first] >= 0 and problem.bundle[first] == problem.bundle[request]:
            continue
        if held[first] < 0:
            return np.zeros(len(begin), np.bool_)
        since = problem.work(held[first : first + 1])[0 if problem.precedence_from_start[pair] else 1]
        good &= problem.precedence_lag[pair] <= begin - since
        good &= begin - since <= problem.precedence_most[pair]
    return good


def others_fit(
    problem: AssignmentProblem, held: Ints, request: int, verdicts: Verdicts
) -> Callable[[int, tuple[Step, ...]], bool] | None:
    """Of a bundle, whether all of it has places once the request has an option; None where there is none.

    Sound, not complete: the others are placed greedily. An option that is no column of the problem does not
    count.
    """
    bundle = problem.bundle[request]
    members = np.flatnonzero(problem.bundle == bundle) if bundle >= 0 else np.zeros(0, np.int64)
    if len(members) < 2:
        return None
    table = Columns.of_request(problem, request).table

    def fit(option: int, steps: tuple[Step, ...]) -> bool:
        same = np.flatnonzero((table == verdicts.columns.table[:, [option]]).all(axis=0))
        if not len(same):
            return False
        own = _own(problem, request)[same[:1]]
        columns = [own if each == request else _open(problem, held, each) for each in members.tolist()]
        part = restrict(problem, held, members, np.concatenate(columns))
        return whole(part.problem, tuple(_within(part, step) for step in steps))

    return fit


def whole(bundle: AssignmentProblem, steps: tuple[Step, ...]) -> bool:
    """Whether, once the steps are made, all requests find places that cost no more than leaving them."""
    changed, spare = _with(bundle, steps)
    choice = greedy(changed)
    left_out = cost_of(changed, np.full_like(choice, -1))
    report = check(changed, choice)
    return report.ok and bool((choice >= 0).all()) and report.cost <= left_out + spare


def _within(part: Subproblem, step: Step) -> Step:
    """A step as the part counts its vendors."""
    return replace(step, vendor=int(np.searchsorted(part.vendors, step.vendor)))


def _open(problem: AssignmentProblem, held: Ints, request: int) -> Ints:
    """The columns of a request that those which stand before it allow."""
    return _own(problem, request)[in_order(problem, held, request, columns_of(problem, request))]


def _own(problem: AssignmentProblem, request: int) -> Ints:
    first, last = np.searchsorted(problem.column_request, (request, request + 1))
    return np.arange(first, last)


def _with(problem: AssignmentProblem, steps: tuple[Step, ...]) -> tuple[AssignmentProblem, int]:
    """The problem once the steps are made, and by how much more it weighs then to leave its requests out."""
    capacity, cap, spare = problem.capacity.copy(), problem.vendor_cap.copy(), 0
    for step in steps:
        if step.what is What.UNITS:
            capacity[step.vendor, step.resource, step.bucket : step.bucket + step.buckets] += step.amount
        elif step.what is What.VENDOR_CAP:
            cap[step.vendor] += step.amount
        elif step.what is What.PENALTY:
            spare += step.amount
    return replace(problem, capacity=capacity, vendor_cap=cap), spare
