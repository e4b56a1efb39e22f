"""How a solve divides its time: what annealing needs, what is left for CP-SAT, whether HiGHS may close it."""

from __future__ import annotations

from typing import Final

import numpy as np

from solvers.assignment.deadline import Deadline
from solvers.assignment.engines import LOADING_S, loaded
from solvers.assignment.exactness import believed_margin
from solvers.assignment.instance import Instance
from solvers.assignment.problem import AssignmentProblem

PACKING: Final = 0.2  #: share of the time that blocks of rows may take
_EXACT: Final = 200  #: requests up to which CP-SAT is given the whole problem
_ANNEALING: Final = 0.35  #: share of the time that annealing takes ...
_ROUGH_S, _SETTLED_S = 0.00035, 0.0035  #: ... within these of a request: before, it gains most; after, little
_TIED: Final = (
    1.8  #: times the former where requests are in sequence or in bundles: their moves gain more slowly
)
_FIRST_S: Final = 0.1  #: of annealing before CP-SAT is given the whole
_POLISH_S: Final = 1.0  #: of what is left, below which polishing is not begun
_PACKED_S: Final = 2e-5  #: of a request: about what blocks take at the least
_PROOF_S: Final = 3e-5  #: by requests squared: about what HiGHS needs to close a day


def is_small(problem: AssignmentProblem) -> bool:
    """Whether CP-SAT is given the whole."""
    return problem.requests <= _EXACT


def is_provable(problem: AssignmentProblem, deadline: Deadline, workers: int) -> bool:
    """Whether HiGHS may close the whole in the time there is, and there is a thread for it."""
    enough = deadline.budget_s >= _PROOF_S * problem.requests**2
    believed = believed_margin(problem) is not None
    return enough and workers > 1 and deadline.work_limit is None and believed


def annealed(instance: Instance, deadline: Deadline) -> float:
    """How much of a deadline annealing gets: all of it where little would be left for what follows."""
    requests, budget_s, small = instance.requests, deadline.budget_s, is_small(instance.problem)
    rough_s = _ROUGH_S * requests * (_TIED if instance.is_tied else 1.0)
    needed_s = float(np.clip(_ANNEALING * budget_s, rough_s, _SETTLED_S * requests))
    if small:
        needed_s = min(_FIRST_S, 0.2 * budget_s)
    loading_s = 0.0 if deadline.work_limit is not None or loaded() else LOADING_S
    needed_s = max(needed_s, loading_s)
    if budget_s - needed_s > (0 if small else _POLISH_S):
        return needed_s / budget_s
    there = (1.0 - PACKING) * budget_s > 2 * loading_s
    packs = there and not small and PACKING * budget_s > _PACKED_S * requests
    return 1.0 - PACKING if packs else 1.0
