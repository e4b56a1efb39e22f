"""What is promised stays: pinned matches never move, moving an agreed one costs what tuning says.

Both are said in the arrays of `AssignmentProblem` itself: every engine, every peer and the checker obey them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from solvers.assignment.problem import AssignmentProblem

Ints = npt.NDArray[np.int64]


def with_standing(
    problem: AssignmentProblem,
    standing: npt.ArrayLike,
    *,
    move_cents: npt.ArrayLike,
    pinned: npt.ArrayLike = (),
) -> AssignmentProblem:
    """The problem as it is once `standing` (R; column or -1) has been offered or agreed.

    Every other column of a standing request, and leaving it unmatched, costs `move_cents` more (scalar, or
    R for what each is worth: little for an offer, much for an agreement). Requests in `pinned` hold their
    column in every plan. `capacity` must still count what the standing columns use: they are part of it.
    """
    held = np.asarray(standing, dtype=np.int64)
    _refuse_foreign(problem, held)
    cents = np.broadcast_to(np.asarray(move_cents, dtype=np.int64), held.shape)
    extra = np.where(held >= 0, cents, 0)
    moves = held[problem.column_request] != np.arange(problem.columns)
    pin = np.asarray(pinned, dtype=np.int64)
    loose = pin[held[pin] < 0]
    if len(loose):
        raise ValueError(f"request {loose[0]} is pinned, but the standing plan leaves it unmatched")
    return replace(
        problem,
        column_cost=problem.column_cost + np.where(moves, extra[problem.column_request], 0),
        request_penalty=problem.request_penalty + extra,
        pinned=np.union1d(problem.pinned, held[pin]),
    )


@dataclass(frozen=True, slots=True)
class Moved:
    """How a re-solve differs from the plan before it; requests, ascending."""

    moved: tuple[int, ...]  #: matched before and after, by another column
    dropped: tuple[int, ...]  #: matched before, unmatched now
    added: tuple[int, ...]  #: unmatched before, matched now
    kept: int  #: matched by the same column


def moved(before: npt.ArrayLike, after: npt.ArrayLike) -> Moved:
    """Compare two plans (R; column or -1) of one problem."""
    old, new = np.asarray(before, dtype=np.int64), np.asarray(after, dtype=np.int64)
    if old.shape != new.shape:
        raise ValueError(f"the plans have {old.shape} and {new.shape} requests; they must be of one problem")
    both, differ = (old >= 0) & (new >= 0), old != new
    return Moved(
        moved=_where(both & differ),
        dropped=_where((old >= 0) & (new < 0)),
        added=_where((old < 0) & (new >= 0)),
        kept=int((both & ~differ).sum()),
    )


def _where(flags: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(np.flatnonzero(flags).tolist())


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
