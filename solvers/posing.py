"""From a screening to the problem that is solved: which column each standing request holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from solvers.arrays import Flags, Ints
from solvers.assignment.problem import AssignmentProblem
from solvers.candidates import Screened, screen, stood_at
from solvers.checker import check
from solvers.formulation import formulate
from solvers.screening import Screening
from solvers.sequence import beside_standing
from solvers.stability import MOVE_CENTS, with_nothing_moved, with_standing


@dataclass(frozen=True, eq=False)
class Posed:
    """A screening as a problem; column n is candidate n. `held`: R; the standing column, -1 for none."""

    screening: Screening  #: its supply less what stays taken
    screened: Screened
    problem: AssignmentProblem
    held: Ints

    @property
    def stands(self) -> Flags:
        """R; whether the request stands and may move."""
        return np.asarray(self.held >= 0)

    @property
    def move_cents(self) -> int:
        """What moving a standing request costs."""
        return MOVE_CENTS.whole(self.screening.values)

    @cached_property
    def priced(self) -> AssignmentProblem:
        """Standing requests may move, at their price."""
        if not self.stands.any():
            return self.problem
        return with_standing(self.problem, self.held, move_cents=self.move_cents)

    @property
    def unmoved(self) -> AssignmentProblem:
        """Standing requests stay."""
        return with_nothing_moved(self.problem, self.held) if self.stands.any() else self.problem

    def places_all(self, choice: Ints) -> bool:
        """Whether the choice (R) leaves no standing request out."""
        return bool((choice[self.stands] >= 0).all())


def pose(screening: Screening, screened: Screened | None = None) -> Posed:
    """Screen, unless that was done, and formulate.

    A standing request whose place is no longer among its candidates is left out: it stays where it is, what
    it holds stays taken. So are those in a sequence or a bundle, of which others then know where they stand,
    and all that stand with a vendor for whom the counts do not add up.
    """
    screened = screened or screen(screening)
    if screening.standing is None:
        return _posed(screening, screened, np.zeros(0, np.int64))
    stands = screening.standing.vendor >= 0
    stands[screened.candidates.request[stood_at(screening.standing, screened.candidates)]] = False
    if screening.sequence is not None:
        tied = screening.sequence.tied
        stands[tied] = screening.standing.vendor[tied] >= 0
    posed = _posed(screening, screened, np.flatnonzero(stands))
    wrong = [each.vendor for each in check(posed.problem, posed.held).violations if each.vendor is not None]
    if wrong:
        stands |= np.isin(screening.standing.vendor, wrong)
        posed = _posed(screening, screened, np.flatnonzero(stands))
    return posed


def _posed(screening: Screening, screened: Screened, out: Ints) -> Posed:
    """With the standing requests `out` left out: no candidates, and what they hold is taken."""
    left = ~np.isin(screened.candidates.request, out) & beside_standing(screening, screened, out)
    screening = _taken_by(screening, out)
    if not left.all():  # else a second copy of all candidates would lie beside the first
        screened = replace(screened, candidates=screened.candidates.only(left), cents=screened.cents[left])
    held = np.full(screening.requests, -1, np.int64)
    columns = np.flatnonzero(stood_at(screening.standing, screened.candidates))
    held[screened.candidates.request[columns]] = columns
    return Posed(screening, screened, formulate(screening, screened), held)


def _taken_by(screening: Screening, out: Ints) -> Screening:
    standing = screening.standing
    if standing is None or not len(out):
        return screening
    day = screening.horizon.day_of(standing.start_ms[out])
    where = (standing.vendor[out], standing.resource[out], day, standing.first[out], standing.end[out])
    sequence = screening.sequence.without(out) if screening.sequence is not None else None
    return replace(screening, supply=screening.supply.less(*where), sequence=sequence)
