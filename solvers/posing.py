"""From a screening to the problem that is solved: which column each standing request holds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from solvers.arrays import Ints
from solvers.assignment.problem import AssignmentProblem
from solvers.candidates import Screened, screen, stood_at
from solvers.checker import check
from solvers.formulation import formulate
from solvers.screening import Screening
from solvers.stability import MOVE_CENTS, with_nothing_moved, with_standing


@dataclass(frozen=True, eq=False)
class Posed:
    """A screening as a problem; column n is candidate n. `held`: R; the standing column, -1 for none."""

    screening: Screening  #: its supply less what stays taken
    screened: Screened
    problem: AssignmentProblem
    held: Ints

    @property
    def move_cents(self) -> int:
        """What moving a standing request costs."""
        return MOVE_CENTS.whole(self.screening.values)

    @property
    def priced(self) -> AssignmentProblem:
        """Standing requests may move, at their price."""
        return with_standing(self.problem, self.held, move_cents=self.move_cents)

    @property
    def unmoved(self) -> AssignmentProblem:
        """Standing requests stay."""
        return with_nothing_moved(self.problem, self.held)

    def places_all(self, choice: Ints) -> bool:
        """Whether the choice (R) leaves no standing request out."""
        return bool((choice[self.held >= 0] >= 0).all())


def pose(screening: Screening) -> Posed:
    """Screen and formulate.

    A standing request whose place is no longer among its candidates is left out: it stays where it is, what
    it holds stays taken. So are all that stand with a vendor for whom the counts do not add up.
    """
    screened = screen(screening)
    held = np.full(screening.requests, -1, np.int64)
    columns = np.flatnonzero(stood_at(screening.standing, screened.candidates))
    held[screened.candidates.request[columns]] = columns
    posed = _posed(screening, screened, held)
    wrong = {-1 if each.vendor is None else each.vendor for each in check(posed.problem, held).violations}
    if wrong:
        at_wrong = np.isin(screened.candidates.vendor[held], list(wrong)) & (held >= 0)
        posed = _posed(screening, screened, np.where(at_wrong, -1, held))
    return posed


def _posed(screening: Screening, screened: Screened, held: Ints) -> Posed:
    standing = screening.standing
    if standing is not None:
        out = np.flatnonzero((standing.vendor >= 0) & (held < 0))
        day = screening.horizon.day_of(standing.start_ms[out])
        where = (standing.vendor[out], standing.resource[out], day, standing.first[out], standing.end[out])
        screening = replace(screening, supply=screening.supply.less(*where))
    return Posed(screening, screened, formulate(screening, screened), held)
