"""What the matcher asks of those who solve for it, wherever they run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol

from contracts.unmatched import Unmatched
from solvers.planning import BatchPlan
from solvers.screening import Screening


class Whose(NamedTuple):
    """Whose batch it is: a plan that comes under another fence is nobody's."""

    market: str
    fence: str


Settled = Callable[[BatchPlan], Awaitable[None]]


class Solvers(Protocol):
    """For what is late, breaks or is refused by the checker they give what simpler means give."""

    async def plan(
        self,
        screening: Screening,
        most_s: float = 3600.0,
        whose: Whose | None = None,
        settled: Settled | None = None,
    ) -> BatchPlan:
        """A checked plan, in some more than `most_s` seconds (real time) at the latest.

        `whose`: for solvers on other machines; None: nobody's, it is solved here. `settled`: given checked
        parts of the plan, one after the other, while the rest is solved; all are in the plan again. Raises
        what it raises.
        """
        ...

    async def relax(
        self, screening: Screening, vendors: Sequence[str], whys: Sequence[Unmatched]
    ) -> Sequence[Unmatched]:
        """The reasons of the screening's requests, each with the smallest changes where they are found.

        `vendors`: their ids, in the order of the screening.
        """
        ...
