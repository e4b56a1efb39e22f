"""The smallest change that matches a request: rules that yield, units or room that a vendor adds, a weight.

Every option is ranked by what stands in its way, all at once, with other requests where they stand; then the
fewer steps that one neighbour stepping aside would save are looked for. What is found is applied to a copy of
what is left and put before the checker: what fails there is not told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from solvers.arrays import Flags, Ints
from solvers.explain.missing import Missing, missing
from solvers.explain.reasons import Relaxation, Step, What
from solvers.explain.verdicts import Verdicts
from solvers.explain.verify import holds
from solvers.insertion import Columns, Entry, Insertion, StandingPlan, insert
from solvers.insertion.columns import COST, RESOURCE, START, VENDOR
from solvers.insertion.direct import shortfall_saved

EFFORT = 500  #: blocked options for which neighbours are asked; insertion itself uses far fewer
_NEW = "the request in question"


@dataclass(slots=True)
class Budget:
    """How many options may still be tried; `proven` turns False once something was left untried."""

    left: int
    proven: bool = True

    def take(self, options: int) -> bool:
        """Whether so many may be tried."""
        self.proven = self.proven and options <= self.left
        self.left -= options if self.proven else 0
        return self.proven


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One request, its options, and the plan in which it has no place."""

    plan: StandingPlan
    verdicts: Verdicts
    penalty_cents: int
    in_order: Flags  #: n; options that keep precedence. The others are not looked at


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """n options and what stands in the way of each."""

    lacks: Missing
    rules: Ints  #: n; how many are against it
    amount: Ints  #: n; by how much they would have to yield
    cents: Ints  #: n; cost less a shortfall filled
    dear: Flags  #: n; costs more than leaving the request out
    order: Ints  #: the options that may be considered, smallest change first

    def steps(self, option: int) -> int:
        """How many changes the option needs."""
        return int(self.rules[option] + self.lacks.steps[option] + self.dear[option])


def rank(question: Question) -> Ranking:
    """Fewest steps, then no change of weights, no rule lifted whole, least amounts, cheapest."""
    verdicts, table = question.verdicts, question.verdicts.columns.table
    lacks, rules = missing(question.plan, table), verdicts.removes.sum(axis=0)
    amount = np.where(verdicts.removes, verdicts.short, 0).sum(axis=0)
    cents = table[COST] - shortfall_saved(question.plan, table[VENDOR])
    dear = cents > question.penalty_cents
    lifted = (verdicts.removes & (verdicts.short == 0)).sum(axis=0)  # yes or no: more than yielding by some
    order = np.lexsort((cents, lacks.total, amount, lifted, dear, rules + lacks.steps + dear))
    may = question.in_order & lacks.inside & ~verdicts.removes[~verdicts.relaxable].any(axis=0)
    return Ranking(lacks, rules, amount, cents, dear, order[may[order]])


def place(question: Question, options: Ints, budget: Budget) -> Insertion | None:
    """The cheapest of the options that has a place now, one neighbour stepping aside if need be."""
    if not len(options) or not budget.take(len(options)):
        return None
    entry = Entry(_NEW, Columns(question.verdicts.columns.table[:, options]), question.penalty_cents)
    found = insert(question.plan, entry, effort=EFFORT, most_moves=1)
    return found if found is not None and holds(question.plan, found) else None


def relaxations(question: Question, budget: Budget, most: int) -> list[Relaxation]:
    """Up to `most` changes of different kinds, the smallest first; each one verified."""
    ranking = rank(question)
    found = list(_standing_still(question, ranking, most))
    fewest = len(found[0].steps) if found else len(question.verdicts.codes) + 1
    moved = next(_with_a_move(question, ranking, fewest, budget), None)
    return found[:most] if moved is None else [moved, *found][:most]


def _standing_still(question: Question, ranking: Ranking, most: int) -> Iterator[Relaxation]:
    """The first of each kind (rules, units, another weight), but none that holds a smaller one."""
    seen: list[frozenset[int]] = []
    for option in ranking.order.tolist():
        kind = _kind(question, ranking, option)
        if any(smaller <= kind for smaller in seen):
            continue
        seen.append(kind)
        entry = Entry(_NEW, Columns(question.verdicts.columns.table[:, option : option + 1]))
        added = ranking.lacks.of(question.plan, question.verdicts.columns.table, option)
        still = Insertion(entry, 0, (), int(ranking.cents[option]), question.plan.version)
        if holds(question.plan, still, added):
            yield _relaxation(question, option, still, added)
        if len(seen) >= most:
            return


def _kind(question: Question, ranking: Ranking, option: int) -> frozenset[int]:
    """The rules that yield, -1 for units added, -2 for another weight."""
    rules = np.flatnonzero(question.verdicts.removes[:, option]).tolist()
    return frozenset(rules + [-1] * bool(ranking.lacks.steps[option]) + [-2] * bool(ranking.dear[option]))


def _with_a_move(question: Question, ranking: Ranking, fewest: int, budget: Budget) -> Iterator[Relaxation]:
    """Options with fewer rules against them than `fewest`, that have a place if a neighbour steps aside."""
    if not len(question.plan):
        return
    worth = ranking.order[ranking.rules[ranking.order] < fewest]
    least_first = worth[np.lexsort((ranking.amount[worth], ranking.rules[worth]))]
    change = np.stack([ranking.rules[least_first], ranking.amount[least_first]])
    edges = np.flatnonzero((change[:, 1:] != change[:, :-1]).any(axis=0)) + 1
    for options in np.split(least_first, edges):
        found = place(question, options, budget)
        if found is not None and found.moves:
            yield _relaxation(question, int(options[found.column]), found)


def _relaxation(
    question: Question, option: int, found: Insertion, added: tuple[Step, ...] = ()
) -> Relaxation:
    verdicts = question.verdicts
    vendor, resource, start = verdicts.columns.table[[VENDOR, RESOURCE, START], option].tolist()
    against = np.flatnonzero(verdicts.removes[:, option]).tolist()
    steps = [_rule_step(verdicts, rule, option, vendor) for rule in against]
    if found.cents > question.penalty_cents:
        more = found.cents - question.penalty_cents
        steps.append(Step(What.PENALTY, vendor=-1, amount=more, unit="cents"))
    return Relaxation((*steps, *added), option, vendor, resource, start, found.cents, len(found.moves))


def _rule_step(verdicts: Verdicts, rule: int, option: int, vendor: int) -> Step:
    amount = int(verdicts.short[rule, option])
    return Step(What.RULE, vendor=vendor, amount=amount, unit=verdicts.units[rule], code=verdicts.codes[rule])
