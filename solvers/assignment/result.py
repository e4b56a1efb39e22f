"""What a solve hands back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from solvers.arrays import Floats, Ints


class Status(StrEnum):
    """How much is known about the plan."""

    OPTIMAL = "optimal"  #: cost equals the proven bound
    FEASIBLE = "feasible"  #: checked; the bound leaves a gap


@dataclass(frozen=True, eq=False)
class AssignmentResult:
    """A checked plan, a proven bound and the way there."""

    choice: Ints  #: R; column as given in the problem, or -1 for unmatched
    cost: int  #: columns + penalties + shortfalls, cents
    lower_bound: int  #: no plan costs less, cents
    status: Status
    trace: tuple[tuple[float, int], ...]  #: (seconds since the start, cost) of each better plan
    prices: (
        Floats  #: V x K x B; what a unit in a bucket is worth to this plan, cents (the duals of the bound)
    )
    lacking: tuple[str, ...] = ()  #: engines that could not help, and why: less may be proven than otherwise

    @property
    def gap(self) -> float:
        """(cost - lower bound) / max(1, |cost|): the share of the cost that is not proven necessary."""
        return (self.cost - self.lower_bound) / max(1, abs(self.cost))
