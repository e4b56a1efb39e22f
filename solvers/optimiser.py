"""The optimiser as `solvers.planning.plan` calls it: within its limits, and it remembers what was proven."""

from __future__ import annotations

import warnings
from dataclasses import replace

from solvers.arrays import Ints
from solvers.assignment.problem import AssignmentProblem
from solvers.planning import BatchPlan, Limits, plan
from solvers.screening import Screening


class Optimiser:
    """A solver for `plan`. `cost` and `bound` (cents) of its last solve; None before."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.cost: int | None = None
        self.bound: int | None = None

    def __call__(self, problem: AssignmentProblem) -> Ints:
        """The choice."""
        from solvers.assignment.solve import solve  # noqa: PLC0415  (OR-Tools: 94 MB that the matcher can do without)

        limits = self.limits
        found = solve(
            problem,
            time_limit_s=limits.time_limit_s,
            seed=limits.seed,
            workers=limits.workers,
            work_limit=limits.work_limit,
        )
        for why in getattr(
            found, "lacking", ()
        ):  # another solver has its own result, and need not know of any
            warnings.warn(f"planned without an engine, less well than it could be: {why}", stacklevel=2)
        self.cost, self.bound = getattr(found, "cost", None), getattr(found, "lower_bound", None)
        return found.choice


def optimised(screening: Screening, limits: Limits) -> BatchPlan:
    """Screen, solve within the limits, check."""
    optimiser = Optimiser(limits)
    made = plan(screening, optimiser)
    bound = made.bound if optimiser.bound is None else max(made.bound, optimiser.bound)
    return replace(made, bound=bound, limits=limits)
