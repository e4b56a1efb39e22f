"""What matching a request would cost everybody: the problem solved again with the match forced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from solvers.assignment.problem import AssignmentProblem
from solvers.assignment.result import AssignmentResult
from solvers.checker import check

Solver = Callable[[AssignmentProblem], AssignmentResult]


@dataclass(frozen=True, slots=True)
class Forced:
    """The plan's cost with the request matched, against the plan as it is; cents."""

    extra_cents: int | None  #: of the best plan found that matches it; None: none was found
    at_least_cents: int  #: no plan that matches it costs less than this more: a proven bound

    @property
    def left_out_rightly(self) -> bool | None:
        """True: proven, no plan that matches it is cheaper. False: one was found. None: not proven."""
        if self.extra_cents is not None and self.extra_cents < 0:
            return False
        return True if self.at_least_cents >= 0 else None


def price_of_matching(
    problem: AssignmentProblem, choice: npt.ArrayLike, request: int, solve: Solver
) -> Forced:
    """Solve again with a penalty for `request` that nothing else can outweigh."""
    now = check(problem, choice).require().cost
    penalty = problem.request_penalty.copy()
    penalty[request] = _overwhelming(problem)
    forced = replace(problem, request_penalty=penalty)
    result = solve(forced)
    matched = result.choice[request] >= 0
    return Forced(result.cost - now if matched else None, result.lower_bound - now)


def _overwhelming(problem: AssignmentProblem) -> int:
    """More than all that can change hands elsewhere; within what a problem may hold (2**40)."""
    columns = np.zeros(problem.requests, np.int64)
    np.maximum.at(columns, problem.column_request, np.abs(problem.column_cost))
    most = int((columns + np.abs(problem.request_penalty)).sum())
    return min(2**40, most + int(problem.vendor_target.sum()) * problem.shortfall_cost + 1)
