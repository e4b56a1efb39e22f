"""One request into a standing plan, in milliseconds: `insert` finds, `StandingPlan.apply` books."""

from solvers.insertion.columns import Columns, Entry, Insertion, Move
from solvers.insertion.insert import insert
from solvers.insertion.plan import Booking, NoRoom, StalePlan, StandingPlan

__all__ = [
    "Booking",
    "Columns",
    "Entry",
    "Insertion",
    "Move",
    "NoRoom",
    "StalePlan",
    "StandingPlan",
    "insert",
]
