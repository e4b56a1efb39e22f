"""What stands may move, at a price: said in the arrays of `AssignmentProblem`, so that every engine obeys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from contracts.tuning import Parameter
from solvers.arrays import Ints
from solvers.assignment.exactness import COST_LIMIT
from solvers.assignment.problem import AssignmentProblem

MOVE_CENTS = Parameter(
    name="move_offer_cents",
    default=2_000,
    minimum=0,
    maximum=100_000_000,
    unit="cents",
    summary="Moving an unanswered offer costs this: a plan moves it only for a greater gain elsewhere.",
    scope="solvers.stability",
)
PARAMETERS = (MOVE_CENTS,)
_LEFT_OUT = 4  # the place of one is rarely worth more than so many others


def with_standing(
    problem: AssignmentProblem, standing: npt.ArrayLike, *, move_cents: int
) -> AssignmentProblem:
    """The problem as it is once `standing` (R; column or -1) has been offered.

    Every other column of a standing request costs `move_cents` more, and leaving it unmatched several times
    what any other request could be worth: not more, for engines scale their steps by the penalties.
    `capacity` must still count what the standing columns use.
    """
    held = np.asarray(standing, dtype=np.int64)
    _refuse_foreign(problem, held)
    stands = held >= 0
    moves = held[problem.column_request] != np.arange(problem.columns)
    dearer = problem.column_cost + np.where(moves & stands[problem.column_request], move_cents, 0)
    most = _LEFT_OUT * (int(problem.request_penalty.max(initial=0)) + move_cents)
    penalty = np.where(stands, min(most, COST_LIMIT), problem.request_penalty)
    return replace(problem, column_cost=dearer, request_penalty=penalty)


def with_nothing_moved(problem: AssignmentProblem, standing: npt.ArrayLike) -> AssignmentProblem:
    """The problem in which every plan leaves the standing columns where they are."""
    held = np.asarray(standing, dtype=np.int64)
    _refuse_foreign(problem, held)
    return replace(problem, pinned=np.union1d(problem.pinned, held[held >= 0]))


def _refuse_foreign(problem: AssignmentProblem, held: Ints) -> None:
    if held.shape != (problem.requests,):
        raise ValueError(
            f"the standing plan has shape {held.shape}; the problem has {problem.requests} requests"
        )
    matched = np.flatnonzero(held >= 0)
    if len(matched) and held.max() >= problem.columns:
        raise ValueError(f"the standing plan holds column {held.max()}; the problem has {problem.columns}")
    foreign = matched[problem.column_request[held[matched]] != matched]
    if len(foreign):
        raise ValueError(f"request {foreign[0]} holds column {held[foreign[0]]}, which is another request's")
