"""What waits at one moment, planned under today's settings, with another seed, and under changed ones.

What is offered or agreed is pinned: it holds its units on both sides, and is not among the requests.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.what_if import WhatIfAnswer, WhatIfChange
from dispatcher.what_if.answer import Compared, answer_of
from dispatcher.what_if.change import rules_of
from dispatcher.what_if.play import Told
from dispatcher.what_if.solving import STEPS, Solved, Solver
from solvers.arrays import Floats, Ints
from solvers.compare import Asked, Side, proven
from solvers.horizon import LEDGER_MS
from solvers.planning import BatchPlan
from solvers.rules import registry
from solvers.rules.base import View
from solvers.rules.price import price_cents
from solvers.screening import Screening

AHEAD_MS = 2 * HOUR_MS
STEPS_A_REQUEST = 2_000  # above some hundred requests


@dataclass(frozen=True, eq=False)
class Moment:
    """One side of it: the screening, and which requests and vendors its rows are."""

    screening: Screening
    requests: Sequence[str]
    vendors: Sequence[str]
    posted: Ints  #: V; unit buckets that each has from now on
    left: Ints  #: V; of these, not taken
    ahead: int  #: unit minutes that are free in the next two hours
    declines: Floats  #: V; the share of its offers that a vendor declines or does not answer


@dataclass(frozen=True, eq=False)
class MomentAsked:
    """Both sides of a moment; `asked` is of all requests of both. Goes to another process as it is."""

    before: Moment
    after: Moment
    ids: Sequence[str]
    asked: Asked
    change: WhatIfChange
    seed: int = 1
    again: int = 2
    steps: int = STEPS
    against: str = "now"
    pinned: int = 0  #: so many are offered or agreed: not among these
    terms: tuple[str, ...] = field(default_factory=lambda: tuple(e.code for e in registry.cost_terms()))

    def solver(self, seed: int) -> Solver:
        """One that has as much work as so many requests need."""
        return Solver(seed, max(self.steps, STEPS_A_REQUEST * len(self.ids)))


def compare_moment(wanted: MomentAsked, told: Told = lambda share: None) -> WhatIfAnswer:
    """Three solves, and what differs."""
    began_s, sides = time.process_time(), list[Side]()
    vendors = sorted({*wanted.before.vendors, *wanted.after.vendors})
    for nth, (moment, seed, change) in enumerate(_turns(wanted)):
        with rules_of(change):
            made = wanted.solver(seed).plan(moment.screening)
            sides.append(side_of(wanted, moment, made, vendors))
        told((nth + 1) / 3)
    before, again, after = sides
    compared = Compared(wanted.ids, vendors, wanted.terms, wanted.asked, before, again, after)
    same_cents = len(wanted.ids) and not wanted.change.values and before.vendor.shape == after.vendor.shape
    proof_of = proven((before.cost, before.bound), (after.cost, after.bound)) if same_cents else None
    cpu_s = time.process_time() - began_s
    return answer_of(compared, wanted.against, cpu_s, proof_of, pinned=wanted.pinned)


def _turns(wanted: MomentAsked) -> list[tuple[Moment, int, WhatIfChange]]:
    today = WhatIfChange()
    return [
        (wanted.before, wanted.seed, today),
        (wanted.before, wanted.again, today),
        (wanted.after, wanted.seed, wanted.change),
    ]


def side_of(
    wanted: MomentAsked, moment: Moment, made: tuple[BatchPlan, Solved], vendors: Sequence[str]
) -> Side:
    """A plan as one side of the comparison."""
    (plan, proof), terms = made, wanted.terms
    row_of, column_of = ({name: at for at, name in enumerate(names)} for names in (wanted.ids, vendors))
    rows = np.array([row_of[moment.requests[each]] for each in plan.chosen.request.tolist()], np.int64)
    columns = np.array([column_of[each] for each in moment.vendors], np.int64)
    size, spread = len(wanted.ids), np.zeros(len(vendors), np.int64)
    declined = np.zeros(size)
    declined[rows] = moment.declines[plan.chosen.vendor]
    vendor, start_ms, price = np.full(size, -1, np.int64), np.zeros(size, np.int64), np.zeros(size, np.int64)
    vendor[rows], start_ms[rows] = columns[plan.chosen.vendor], plan.chosen.start_ms
    view = View(moment.screening, slice(0, moment.screening.requests), "")
    price[rows] = price_cents(view, plan.chosen)
    paid = np.zeros((size, len(terms)), np.int64)
    for term in registry.cost_terms():
        paid[rows, terms.index(term.code)] = term.cents(view.seen_by(term.code), plan.chosen)
    posted, used = spread.copy(), spread.copy()
    posted[columns], used[columns] = moment.posted, moment.posted - moment.left
    np.add.at(used, columns[plan.chosen.vendor], -(-plan.chosen.taken_ms // LEDGER_MS))
    return Side(
        vendor, start_ms, price, paid,
        declined=declined, late_min=np.zeros(size, np.int64),
        why=_whys(wanted, moment, plan), posted=posted, used=used,
        slack=moment.ahead - _within_ms(plan, moment.screening.now_ms) // MINUTE_MS,
        cost=proof.cost, bound=proof.bound, solve_ms=round(1000 * proof.seconds),
    )  # fmt: skip


def _within_ms(plan: BatchPlan, now_ms: int) -> int:
    """How much of the next two hours the plan takes, of all units together."""
    first = np.clip(plan.chosen.start_ms, now_ms, now_ms + AHEAD_MS)
    last = np.clip(plan.chosen.start_ms + plan.chosen.taken_ms, now_ms, now_ms + AHEAD_MS)
    return int((last - first).sum())


def _whys(wanted: MomentAsked, moment: Moment, plan: BatchPlan) -> list[str]:
    """The rule that left a request nobody; that others took the capacity; that it is not planned now."""
    whys = dict.fromkeys(wanted.ids, "out_of_reach")
    for row, name in enumerate(moment.requests):
        last = [code for code, by in zip(plan.codes, plan.removed[row].tolist(), strict=True) if by]
        whys[name] = "competition" if plan.candidate_counts[row] else last[-1] if last else "nobody"
    return [whys[each] for each in wanted.ids]
