"""The smallest change that matches a request: rules that yield, units or room that a vendor adds, a weight.

Every option is ranked by what stands in its way, all at once, with other requests where they stand; then
those are looked through that could be a smaller change if one neighbour stepped aside. What is found is
applied to a copy of what is left and put before the checker: what fails there is not told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from solvers.arrays import Flags, Ints
from solvers.explain.aside import ways_aside
from solvers.explain.missing import Missing, missing
from solvers.explain.reasons import Relaxation, Step, What
from solvers.explain.verdicts import Verdicts
from solvers.explain.verify import holds
from solvers.insertion import Columns, Entry, Insertion, StandingPlan
from solvers.insertion.columns import COST, RESOURCE, START, VENDOR
from solvers.insertion.direct import shortfall_saved
from solvers.insertion.eject import move_of

#: steps; whether weights change; rules lifted whole; who moves; amounts by which rules yield; units and room
#: added; cents: compared in this order, which is what "smallest" means
Key = tuple[int, bool, int, int, int, int, int]
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
    #: of a bundle: whether the others have places once this one has that option, and the steps are made
    others_fit: Callable[[int, tuple[Step, ...]], bool] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """n options and what stands in the way of each."""

    lacks: Missing
    rules: Ints  #: n; how many are against it
    lifted: Ints  #: n; how many of them would have to be lifted whole: yes or no, not yielding by some
    amount: Ints  #: n; by how much the others would have to yield
    cents: Ints  #: n; cost less a shortfall filled
    dear: Flags  #: n; costs more than leaving the request out
    order: Ints  #: the options that may be considered, smallest change first

    def key(self, option: int) -> Key:
        """How large a change the option is, all others standing still."""
        steps = int(self.rules[option] + self.lacks.steps[option] + self.dear[option])
        lifted, amount, total = (int(part[option]) for part in (self.lifted, self.amount, self.lacks.total))
        return (steps, bool(self.dear[option]), lifted, 0, amount, total, int(self.cents[option]))

    def least_key(self, option: int) -> Key:
        """The smallest change that it may be with a neighbour stepping aside, but for units and cents."""
        steps, lifted = int(self.rules[option] + self.dear[option]), int(self.lifted[option])
        return (steps, bool(self.dear[option]), lifted, 1, int(self.amount[option]), 0, 0)


def rank(question: Question) -> Ranking:
    """Fewest steps, then no change of weights, no rule lifted whole, least amounts, cheapest: see `Key`."""
    verdicts, table = question.verdicts, question.verdicts.columns.table
    lacks, rules = missing(question.plan, table), verdicts.removes.sum(axis=0)
    amount = np.where(verdicts.removes, verdicts.short, 0).sum(axis=0)
    cents = table[COST] - shortfall_saved(question.plan, table[VENDOR])
    dear = cents > question.penalty_cents
    lifted = (verdicts.removes & (verdicts.short == 0)).sum(axis=0)
    order = np.lexsort((cents, lacks.total, amount, lifted, dear, rules + lacks.steps + dear))
    may = question.in_order & lacks.inside & ~verdicts.removes[~verdicts.relaxable].any(axis=0)
    return Ranking(lacks, rules, lifted, amount, cents, dear, order[may[order]])


def has_place(question: Question, ranking: Ranking, options: Ints, budget: Budget) -> bool | None:
    """Whether an option has a place now, one neighbour stepping aside if need be; None: not proven."""
    if not len(options):
        return False
    if not budget.take(len(options)):
        return None
    worth = options[ranking.lacks.inside[options] & ~ranking.dear[options]]
    if (ranking.lacks.steps[worth] == 0).any():
        return True
    for option in worth.tolist():
        found = _aside(question, ranking, option)
        if found is not None and not (found.added or found.dear):
            return True
    return False


def relaxations(question: Question, budget: Budget, most: int) -> list[Relaxation]:
    """Up to `most` changes of different kinds, the smallest first; each one verified."""
    ranking = rank(question)
    found = list(_standing_still(question, ranking, most))
    if not found:
        return []
    moved = _with_a_move(question, ranking, ranking.key(found[0].option), budget)
    return found[:most] if moved is None else [moved, *found][:most]


def _standing_still(question: Question, ranking: Ranking, most: int) -> Iterator[Relaxation]:
    """The first of each kind (rules, units, another weight), but none that holds a smaller one."""
    seen: list[frozenset[int]] = []
    for option in _first_of_each_kind(question, ranking).tolist():
        kind = _kind(question, ranking, option)
        if any(smaller <= kind for smaller in seen):
            continue
        seen.append(kind)
        entry = Entry(_NEW, Columns(question.verdicts.columns.table[:, option : option + 1]))
        added = ranking.lacks.of(question.plan, question.verdicts.columns.table, option)
        still = Insertion(entry, 0, (), int(ranking.cents[option]), question.plan.version)
        if holds(question.plan, still, added):
            yield _relaxation(question, option, still, added, still.cents)
        if len(seen) >= most:
            return


def _first_of_each_kind(question: Question, ranking: Ranking) -> Ints:
    """Of hundreds of options, those few that are the first of their kind, in their order."""
    order, removes = ranking.order, question.verdicts.removes
    flags = np.vstack([removes[:, order], ranking.lacks.steps[order] > 0, ranking.dear[order]])
    kinds = np.ascontiguousarray(np.packbits(flags, axis=0).T)
    _, first = np.unique(kinds.view(f"V{kinds.shape[1]}").reshape(-1), return_index=True)
    return order[np.sort(first)]


def _kind(question: Question, ranking: Ranking, option: int) -> frozenset[int]:
    """The rules that yield, -1 for units added, -2 for another weight."""
    rules = np.flatnonzero(question.verdicts.removes[:, option]).tolist()
    return frozenset(rules + [-1] * bool(ranking.lacks.steps[option]) + [-2] * bool(ranking.dear[option]))


@dataclass(frozen=True, slots=True, eq=False)
class _Moved:
    """The smallest change of one option with a neighbour stepping aside."""

    key: Key
    insertion: Insertion
    added: tuple[Step, ...]
    weight: int  #: cents that leaving the request out must cost for it
    dear: bool


def _with_a_move(question: Question, ranking: Ranking, best: Key, budget: Budget) -> Relaxation | None:
    """A smaller change than `best` that is one because a neighbour steps aside.

    Options are taken in the order of what they would come to at the least, until none can be smaller.
    """
    if not len(question.plan):
        return None
    found: tuple[int, _Moved] | None = None
    lacking = ranking.order[ranking.lacks.steps[ranking.order] > 0].tolist()
    for option in sorted(lacking, key=ranking.least_key):
        if ranking.least_key(option)[:5] > best[:5] or not budget.take(1):
            break
        moved = _aside(question, ranking, option)
        if moved is not None and moved.key < best and holds(question.plan, moved.insertion, moved.added):
            best, found = moved.key, (option, moved)
    if found is None:
        return None
    option, moved = found
    return _relaxation(question, option, moved.insertion, moved.added, moved.weight)


def _aside(question: Question, ranking: Ranking, option: int) -> _Moved | None:
    """The neighbour whose stepping aside makes this option the smallest change, if any makes it smaller."""
    taken = question.verdicts.columns.table[:, option]
    lacks = ranking.lacks
    ways = ways_aside(question.plan, taken, int(lacks.steps[option]), int(lacks.total[option]))
    if ways is None or not len(ways.who):
        return None
    weight = np.maximum(ways.own, ways.cents)
    dear = weight > question.penalty_cents
    at = int(np.lexsort((ways.cents, ways.total, dear, ways.steps + dear))[0])
    booking = ways.bookings[int(ways.who[at])]
    entry = Entry(_NEW, Columns(question.verdicts.columns.table[:, option : option + 1]))
    move = move_of(booking, int(ways.after[at]))
    steps, lifted = int(ranking.rules[option] + ways.steps[at] + dear[at]), int(ranking.lifted[option])
    amounts = int(ranking.amount[option]), int(ways.total[at]), int(ways.cents[at])
    return _Moved(
        (steps, bool(dear[at]), lifted, 1, *amounts),
        Insertion(entry, 0, (move,), int(ways.cents[at]), question.plan.version),
        ways.lacks(at).steps(taken),
        int(weight[at]),
        bool(dear[at]),
    )


def _relaxation(
    question: Question, option: int, found: Insertion, added: tuple[Step, ...], weight: int
) -> Relaxation:
    verdicts = question.verdicts
    vendor, resource, start = verdicts.columns.table[[VENDOR, RESOURCE, START], option].tolist()
    against = np.flatnonzero(verdicts.removes[:, option]).tolist()
    steps = [_rule_step(verdicts, rule, option, vendor) for rule in against]
    if weight > question.penalty_cents:
        more = weight - question.penalty_cents
        steps.append(Step(What.PENALTY, vendor=-1, amount=more, unit="cents"))
    return Relaxation((*steps, *added), option, vendor, resource, start, found.cents, len(found.moves))


def _rule_step(verdicts: Verdicts, rule: int, option: int, vendor: int) -> Step:
    amount = int(verdicts.short[rule, option])
    return Step(What.RULE, vendor=vendor, amount=amount, unit=verdicts.units[rule], code=verdicts.codes[rule])
