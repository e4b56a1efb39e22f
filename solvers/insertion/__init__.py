"""One request into a standing plan, in milliseconds: `insert` finds, `StandingPlan.apply` books."""

from solvers.insertion.columns import Columns, Entry, Insertion, Move
from solvers.insertion.insert import insert
from solvers.insertion.plan import Booking, NoRoom, StalePlan, StandingPlan
from solvers.insertion.restate import as_problem

__all__ = [
    "Booking",
    "Columns",
    "Entry",
    "Insertion",
    "Move",
    "NoRoom",
    "StalePlan",
    "StandingPlan",
    "as_problem",
    "insert",
]
