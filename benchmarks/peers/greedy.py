"""Requests by what leaving them costs, each at its cheapest column that still fits: plain Python.

What a team writes first; independent of ours, which is priced and in C. A bundle goes in member by member,
and out again where one of them finds no place.
"""

from __future__ import annotations

import time
from itertools import groupby

import numpy as np

from benchmarks.peers.contender import Outcome
from solvers.assignment.problem import AssignmentProblem


def solve(problem: AssignmentProblem, seconds: float, seed: int, workers: int) -> Outcome:
    """The seed and workers play no part."""
    started, plan = time.monotonic(), _Plan(problem)
    names = np.where(problem.bundle >= 0, problem.bundle, -1 - np.arange(problem.requests)).tolist()
    for _, group in groupby(_order(problem), key=lambda request: names[request]):
        members = list(group)
        if time.monotonic() - started > seconds:
            break
        if not all(plan.place(request, alone=len(members) == 1) for request in members):
            for request in members:
                plan.leave(request)
    return Outcome(plan.choice)


def _order(problem: AssignmentProblem) -> list[int]:
    """Successors after all others, as far as one look goes, and bundles together."""
    second = {two for _, two in problem.precedence.tolist()}
    later = {int(problem.bundle[two]) for two in second} - {-1}

    def key(r: int) -> tuple[bool, bool, int, bool, int]:
        bundle = int(problem.bundle[r])
        return (
            bundle in later,
            r in second and bundle < 0,
            bundle,
            r in second,
            -int(problem.request_penalty[r]),
        )

    return sorted(range(problem.requests), key=key)


class _Plan:
    """Who stands where, and what is left."""

    def __init__(self, problem: AssignmentProblem) -> None:
        self.problem, self.choice = problem, np.full(problem.requests, -1, np.int64)
        self._free, self._room = problem.capacity.copy(), problem.vendor_cap.copy()
        self._first = np.searchsorted(problem.column_request, np.arange(problem.requests + 1))
        self._begin, self._end = problem.work(np.arange(problem.columns))
        self._pairs: dict[int, list[int]] = {}
        for pair, ends in enumerate(problem.precedence.tolist()):
            for request in ends:
                self._pairs.setdefault(request, []).append(pair)

    def place(self, request: int, *, alone: bool) -> bool:
        """At the cheapest column that fits; `alone`: if that costs less than leaving it."""
        problem = self.problem
        columns = np.arange(self._first[request], self._first[request + 1])
        for column in columns[np.argsort(problem.column_cost[columns], kind="stable")].tolist():
            if alone and problem.column_cost[column] >= problem.request_penalty[request]:
                return False
            if self._fits(column) and self._in_order(request, column):
                self._take(column, 1)
                self.choice[request] = column
                return True
        return False

    def leave(self, request: int) -> None:
        """Take it out again, if it is in."""
        if self.choice[request] >= 0:
            self._take(int(self.choice[request]), -1)
            self.choice[request] = -1

    def _window(self, column: int) -> np.ndarray:
        problem, start = self.problem, int(self.problem.column_start[column])
        row = self._free[problem.column_vendor[column], problem.column_resource[column]]
        window: np.ndarray = row[start : start + int(problem.column_duration[column])]
        return window

    def _take(self, column: int, sign: int) -> None:
        window = self._window(column)
        window -= sign * self.problem.column_units[column]
        self._room[self.problem.column_vendor[column]] -= sign

    def _fits(self, column: int) -> bool:
        window, problem = self._window(column), self.problem
        inside = (
            len(window) == problem.column_duration[column] and self._room[problem.column_vendor[column]] > 0
        )
        return bool(inside and (window >= problem.column_units[column]).all())

    def _in_order(self, request: int, column: int) -> bool:
        for pair in self._pairs.get(request, ()):
            first, second = self.problem.precedence[pair].tolist()
            one = column if first == request else int(self.choice[first])
            two = column if second == request else int(self.choice[second])
            if two >= 0 and (one < 0 or not self._apart(pair, one, two)):
                return False
        return True

    def _apart(self, pair: int, one: int, two: int) -> bool:
        problem = self.problem
        after = self._begin[two] - (self._begin if problem.precedence_from_start[pair] else self._end)[one]
        return bool(problem.precedence_lag[pair] <= after <= problem.precedence_most[pair])
