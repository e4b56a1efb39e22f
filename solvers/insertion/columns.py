"""The candidates of one request, and the request itself as it enters a standing plan."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from solvers.arrays import Ints
from solvers.assignment.problem import AssignmentProblem

VENDOR, RESOURCE, START, DURATION, UNITS, COST = range(6)
FIELDS: Final = ("vendor", "resource", "start", "duration", "units", "cost")


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The candidates of one request: `table` is 6 x n (int64), a row for each of `FIELDS`, cost in cents."""

    table: Ints

    def __post_init__(self) -> None:
        if self.table.ndim != 2 or self.table.shape[0] != len(FIELDS) or self.table.dtype != np.int64:
            raise ValueError(
                f"columns have shape {self.table.shape} and type {self.table.dtype}; they need 6 x n of int64"
            )

    @classmethod
    def of(
        cls,
        *,
        vendor: npt.ArrayLike,
        resource: npt.ArrayLike,
        start: npt.ArrayLike,
        duration: npt.ArrayLike,
        units: npt.ArrayLike,
        cost: npt.ArrayLike,
    ) -> Columns:
        """From one array of length n for each field."""
        rows = (vendor, resource, start, duration, units, cost)
        return cls(np.stack([np.asarray(row, dtype=np.int64) for row in rows]))

    @classmethod
    def of_request(cls, problem: AssignmentProblem, request: int) -> Columns:
        """The columns of one request of a problem, in their order there."""
        first, last = np.searchsorted(problem.column_request, (request, request + 1))
        return cls(np.stack([getattr(problem, f"column_{name}")[first:last] for name in FIELDS]))

    def __len__(self) -> int:
        return int(self.table.shape[1])


def all_columns(problem: AssignmentProblem) -> Ints:
    """6 x N: the columns of the whole problem in one table."""
    return np.stack([getattr(problem, f"column_{name}") for name in FIELDS])


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A request in a standing plan, or on its way into it.

    `key` names it (any hashable). A request in a precedence pair or a bundle, and one that is accepted or
    under way, is not `movable`; moving one that is costs `move_cents` on top of the difference between its
    columns.
    """

    key: Hashable
    columns: Columns
    penalty_cents: int | None = None  #: cost of leaving it out; None: place it at any cost
    movable: bool = True
    move_cents: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    """A standing request that steps aside: from one of its columns to another."""

    key: Hashable
    before: int
    after: int
    cents: int  #: what moving costs: difference of the columns' costs + `move_cents`


@dataclass(frozen=True, slots=True, eq=False)
class Insertion:
    """Where a new request goes, and who steps aside for it. Holds for the plan's `version` only."""

    entry: Entry
    column: int
    moves: tuple[Move, ...]
    cents: int  #: of the column, of the moves, less fair-share shortfalls that are filled
    version: int
