"""What is exact, and up to where: the one place that knows.

A problem within these limits is summed in 64 bits without wrapping around, and what is refused on entry names
the value and the limit. What proves a bound in less than that (an engine in floating point, a table of 64
bits) is asked here whether it may, and by how much it may err.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from solvers.arrays import Ints

if TYPE_CHECKING:
    from solvers.assignment.problem import AssignmentProblem
    from solvers.assignment.program import Program

REQUESTS_LIMIT: Final = 2**20
COST_LIMIT: Final = 2**40  #: |cost| and penalty, cents: all requests together stay within 2**60
AMOUNT_LIMIT: Final = 2**40  #: units a column takes, buckets it lasts: together within 2**60, too
TARGET_LIMIT: Final = 2**20  #: requests
SHORTFALL_LIMIT: Final = 2**30  #: cents
HUGE: Final = 2**62  #: capacity, cap: anything up to here may stand for "no limit"
TOTAL_LIMIT: Final = 2**63 - 1  #: cents that a plan may cost, at the worst
INDEX_LIMIT: Final = 2**31 - 1  #: columns, and cells of capacity with one more bucket a row: indices in C

SCALE: Final = 1024  #: fixed point of prices when they prove, as in dual.h

_DOUBLES_TOTAL: Final = 2**32  #: cents of a whole problem up to which HiGHS is believed at all
_DOUBLES_UNITS: Final = 2**16  #: units of a column: its tolerance is 1e-6 of the largest in a row
_MARGIN: Final = 0.5  #: cents that a bound in doubles may err by, whatever the costs ...
_MARGIN_OF_TOTAL: Final = 2.0**-33  #: ... and this share of the whole
_ENGINE_LIMIT: Final = 2**60  #: CP-SAT works in 64 bits and refuses what might not fit


def worst_total(penalty: Ints, request: Ints, cost: Ints, shortfall: int, target: Ints) -> int:
    """Cents that no plan's cost, and no bound worth telling, exceeds in either direction."""
    most = np.abs(penalty)
    np.maximum.at(most, request, np.abs(cost))
    return int(most.sum()) + shortfall * int(target.sum())


def believed_margin(problem: AssignmentProblem) -> float | None:
    """How far above the truth a bound in floating point may lie, cents; None where it cannot be believed.

    What a double loses grows with the costs, what a tolerance hides with the largest coefficient of a row.
    """
    total, units = problem.worst_total, problem.column_units[problem.fits_alone].max(initial=0)
    if total > _DOUBLES_TOTAL or units > _DOUBLES_UNITS:
        return None
    return _MARGIN + total * _MARGIN_OF_TOTAL


def fits_engine(program: Program) -> bool:
    """Whether every sum that CP-SAT may form of this fits into 64 bits, with room to spare."""
    objective = np.abs(program.objective.astype(float) * program.most).sum()
    sums = np.zeros(max(1, len(program.upper)))
    rows = np.repeat(np.arange(len(program.upper)), np.diff(program.start))
    np.add.at(sums, rows, np.abs(program.value.astype(float) * program.most[program.index]))
    return bool(max(objective, sums.max()) < _ENGINE_LIMIT)


def most_value(costs: Ints, longest: int) -> int:
    """Largest value of a request, cents, that a table of knapsacks proves exactly; 0: none, do without.

    `longest`: columns in the longest row, each of which may add its cost and its value, in fixed point.
    """
    return max(0, HUGE // (SCALE * max(1, longest)) - int(np.abs(costs).max(initial=0)))


def sizes(held: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """What is counted of a problem: (how many, at most)."""
    vendors, pools, buckets = held["capacity"].shape
    return {
        "request_penalty": (len(held["request_penalty"]), REQUESTS_LIMIT),
        "column_request": (len(held["column_request"]), INDEX_LIMIT),
        "capacity": (max(vendors, pools, vendors * pools * (buckets + 1)), INDEX_LIMIT),
    }
