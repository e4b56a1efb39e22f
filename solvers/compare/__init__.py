"""Two outcomes for the same requests: what differs, for whom, and whether it is more than chance."""

from solvers.compare.difference import Difference, Kind, diff
from solvers.compare.figures import Figure, figures
from solvers.compare.groups import Group, groups
from solvers.compare.proof import Proof, proven
from solvers.compare.side import Asked, Side

__all__ = [
    "Asked",
    "Difference",
    "Figure",
    "Group",
    "Kind",
    "Proof",
    "Side",
    "diff",
    "figures",
    "groups",
    "proven",
]
