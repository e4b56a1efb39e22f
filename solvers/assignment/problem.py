"""The assignment problem: integer arrays and indices, nothing that names a patient.

Choose at most one column (candidate: vendor, pool, first bucket) per request, so that no vendor's pool is
over-booked in any bucket, no vendor takes more than its cap, and precedence and bundles hold; minimise the
cost of the columns chosen, the penalties of the requests left unmatched and the shortfalls from the vendors'
targets.

*Precedence*: the second of a pair may be matched only if the first is; it then begins so long after the first
ends (or, from its start, begins) as the pair's lag says at the least, and its most at the most. *Bundle*: its
requests are matched all or none.

Stability is expressed in the same arrays. *Moving costs*: add the cost of moving to `column_cost` of every
column of an agreed request but the standing one. *Pinned*: `pinned` lists columns that every plan must hold;
`capacity` and `vendor_cap` count them (they are what is left before any column of this problem is taken).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np

from solvers.arrays import Flags, Ints, arrays_of
from solvers.assignment.exactness import worst_total
from solvers.assignment.reading import read_arrays
from solvers.assignment.validation import validate

OPTIONAL: Final = (
    *("vendor_cap", "vendor_target", "shortfall_cost", "precedence", "precedence_lag", "precedence_most"),
    *("precedence_from_start", "column_begin", "column_end", "bundle", "pinned"),
)


_ABSENT: Any = None  # filled in by __post_init__


def _none() -> Ints:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class AssignmentProblem:
    """R requests, N columns, V vendors with K pools over B buckets, P precedence pairs; every array int64.

    Raises `MalformedProblem` (a ValueError) that names the array, the index and the value.
    """

    request_penalty: Ints  #: R; cost of leaving the request unmatched, cents
    column_request: Ints  #: N; sorted
    column_vendor: Ints  #: N
    column_resource: Ints  #: N; the vendor's pool
    column_start: Ints  #: N; first bucket it occupies
    column_duration: Ints  #: N; buckets it occupies, at least 1
    column_units: Ints  #: N; units it takes in each of them
    column_cost: Ints  #: N; cents
    capacity: Ints  #: V x K x B; units left
    vendor_cap: Ints = _ABSENT  #: V; most requests a vendor may take. Absent: no limit
    vendor_target: Ints = _ABSENT  #: V; fair share, requests. Absent: 0
    shortfall_cost: int = 0  #: cents for each request short of a target
    precedence: Ints = field(default_factory=lambda: np.zeros((0, 2), np.int64))  #: P x 2; (first, second)
    precedence_lag: Ints = _ABSENT  #: P; least from the first's end to the second's start. Absent: 0
    precedence_most: Ints = _ABSENT  #: P; most; below the lag, no second fits. Absent: no limit
    precedence_from_start: Ints = _ABSENT  #: P; 1: both count from the first's start instead. Absent: 0
    column_begin: Ints = field(default_factory=_none)  #: N; when the work begins, in the unit of lags ...
    column_end: Ints = field(default_factory=_none)  #: ... and ends. Both empty: buckets, as it is taken
    bundle: Ints = _ABSENT  #: R; which bundle it is in, -1 for none. Absent: none
    pinned: Ints = field(default_factory=_none)  #: columns every plan must hold

    def __post_init__(self) -> None:
        """Fill in what is absent, hold everything as int64 and refuse what is malformed."""
        for name, value in validate(arrays_of(self)).items():
            object.__setattr__(self, name, value)

    @property
    def requests(self) -> int:
        """R."""
        return len(self.request_penalty)

    @cached_property
    def worst_total(self) -> int:
        """Cents that no plan costs more than, or less than with the sign turned."""
        costs = self.request_penalty, self.column_request, self.column_cost
        return worst_total(*costs, self.shortfall_cost, self.vendor_target)

    @property
    def columns(self) -> int:
        """N."""
        return len(self.column_request)

    @cached_property
    def fits_alone(self) -> Flags:
        """N; whether the column could be chosen if it were the only one. The others are set aside."""
        end = self.column_start + self.column_duration
        fits: Flags = (end <= self.capacity.shape[2]) & (self.vendor_cap[self.column_vendor] > 0)
        where = np.flatnonzero(fits)
        tightest = _window_minimum(self, where)
        fits[where] = tightest >= self.column_units[where]
        return fits

    def work(self, columns: Ints) -> tuple[Ints, Ints]:
        """When the columns' work begins and ends, in the unit of the lags."""
        if len(self.column_begin):
            return self.column_begin[columns], self.column_end[columns]
        start = self.column_start[columns]
        return start, start + self.column_duration[columns]

    def save(self, path: str | Path) -> None:
        """Write `.npz` with exactly the names of the fields."""
        with Path(path).open("wb") as file:
            np.savez_compressed(file, **arrays_of(self))

    @classmethod
    def load(cls, path: str | Path) -> AssignmentProblem:
        """Read `.npz`; the arrays in `OPTIONAL` may be absent. What it may hold at most: see `reading`."""
        arrays = read_arrays(path, [each.name for each in fields(cls)], OPTIONAL)
        return cls(**arrays)  # type: ignore[arg-type]


def _window_minimum(problem: AssignmentProblem, columns: Ints) -> Ints:
    """Least capacity over each column's buckets, by a sparse table of minima (doubling), O(1) a column."""
    _, pools, buckets = problem.capacity.shape
    row = (problem.column_vendor[columns] * pools + problem.column_resource[columns]) * buckets
    start, duration = row + problem.column_start[columns], problem.column_duration[columns]
    least = np.zeros(len(columns), np.int64)
    level = problem.capacity.reshape(-1)
    width = 1
    while width <= min(buckets, int(problem.column_duration[columns].max(initial=0))):
        here = np.flatnonzero((duration >= width) & (duration < 2 * width))
        first = start[here]
        least[here] = np.minimum(level[first], level[first + duration[here] - width])
        level = np.minimum(level[: len(level) - width], level[width:]) if len(level) > width else level
        width *= 2
    return least
