"""One solve by steps of work, on one core: the same input gives the same plan; and what was proven of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NamedTuple

from solvers.arrays import Ints
from solvers.assignment.problem import AssignmentProblem
from solvers.planning import BatchPlan, plan
from solvers.screening import Screening

STEPS, LIMIT_S = 400_000, 60.0  # about a tenth of a second; the limit is for what hangs


class Solved(NamedTuple):
    """What a solve came to: cents, and what no plan can be below."""

    cost: int
    bound: int
    seconds: float


@dataclass(frozen=True)
class Solver:
    """The optimiser with a seed."""

    seed: int
    steps: int = STEPS

    def plan(self, screening: Screening) -> tuple[BatchPlan, Solved]:
        """A checked plan. Raises ValueError when it breaks a rule."""
        from solvers.assignment.solve import solve  # noqa: PLC0415  (OR-Tools: 94 MB)

        proof, began_s = Solved(0, 0, 0.0), time.perf_counter()

        def optimise(problem: AssignmentProblem) -> Ints:
            nonlocal proof
            found = solve(problem, time_limit_s=LIMIT_S, seed=self.seed, workers=1, work_limit=self.steps)
            proof = Solved(int(found.cost), int(found.lower_bound), 0.0)
            return found.choice

        made = plan(screening, optimise)
        return made, proof._replace(seconds=time.perf_counter() - began_s)
