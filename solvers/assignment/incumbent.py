"""The best plan so far and what is proven of any: what the stages of a solve, and its threads, share."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

import numpy as np

from solvers.arrays import Ints
from solvers.assignment.deadline import Deadline
from solvers.assignment.plan import cost_of, is_feasible, least_of
from solvers.assignment.problem import AssignmentProblem

Trace = list[tuple[float, int]]  #: (seconds since the start, cents)


class Incumbent:
    """`choice`: R, columns as given; cost and bound in cents; `trace`: each better plan that was met."""

    def __init__(self, problem: AssignmentProblem, deadline: Deadline, enough: float = 0.0) -> None:
        """Begins above what any plan costs, and below. `enough`: see `solve`."""
        self._problem, self._deadline, self._lock = problem, deadline, Lock()
        self._enough, self._nowhere = enough, _penalties_of_nowhere(problem) if enough else 0
        self.choice = np.full(problem.requests, -1, np.int64)
        self.cost, self.bound = problem.worst_total + 1, least_of(problem)
        self.trace: Trace = []

    @property
    def done(self) -> bool:
        """Whether nothing better exists, or nothing that is worth a search."""
        return self.is_enough(self.cost)

    @property
    def aim(self) -> int:
        """Cents: a bound that is no lower ends the search."""
        return self._aim(self.cost)

    def is_enough(self, cost: int) -> bool:
        """Whether a plan that costs so much ends the search."""
        return self._aim(cost) <= self.bound

    def _aim(self, cost: int) -> int:
        return cost - int(self._enough * abs(cost - self._nowhere))

    def offer(self, choice: Ints) -> bool:
        """Keep a choice if it is feasible and cheaper; whether it was."""
        cost = cost_of(self._problem, choice)
        with self._lock:
            better = cost < self.cost and is_feasible(self._problem, choice)
            if better:
                self.choice, self.cost = choice.copy(), cost
                self._met(self._deadline.elapsed_s, cost)
        return better

    def prove(self, bound: int) -> None:
        """No plan costs less."""
        with self._lock:
            self.bound = max(self.bound, bound)

    def follow(self, traces: Iterable[Trace]) -> None:
        """Put what replicas met on their way into the trace."""
        with self._lock:
            met = sorted([*self.trace, *(point for trace in traces for point in trace)])
            self.trace = []
            for seconds, cost in met:
                self._met(seconds, cost)

    def _met(self, seconds: float, cost: int) -> None:
        if not self.trace or cost < self.trace[-1][1]:
            self.trace.append((seconds, cost))


def _penalties_of_nowhere(problem: AssignmentProblem) -> int:
    """Cents that every plan pays for requests that fit nowhere: no plan is judged by them."""
    nowhere = np.ones(problem.requests, np.bool_)
    nowhere[problem.column_request[problem.fits_alone]] = False
    return int(problem.request_penalty[nowhere].sum())
