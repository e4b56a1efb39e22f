"""What runs in the process of a shadow: three plans of one batch, and what differs. It gives way to all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

import numpy as np

from contracts.tuning import Number
from contracts.tuning_shadow import EXAMPLES
from dispatcher.matching.low_priority import give_way
from dispatcher.runtime.unforeseen import told_of
from solvers.arrays import Ints
from solvers.assignment.problem import AssignmentProblem
from solvers.compare import Asked, Difference, Kind, Side, diff
from solvers.planning import plan
from solvers.rules import registry
from solvers.rules.base import View
from solvers.rules.price import price_cents
from solvers.screening import Screening

STEPS, LIMIT_S = 400_000, 30.0  # steps of work of each plan; the limit is for what hangs


@dataclass(frozen=True, eq=False)
class Beside:
    """One batch as it was planned, and the candidate's numbers. Goes to another process as it is."""

    screening: Screening
    values: Mapping[str, Number]
    seed: int = 1
    again: int = 2
    steps: int = STEPS
    plugins: tuple[str, ...] = ()


@dataclass(frozen=True)
class Differs:
    """What differs, and of the first rows which: row, kind, vendor before and after (-1: none), and so on."""

    moved: int
    gained: int
    lost: int
    anyway: int
    cents: int
    rows: Sequence[tuple[int, int, int, int, int, int, str, bool]]


def work(line: Connection, beside: Beside) -> None:
    """Plan, compare, say what was found on the line; or what went wrong, as a text."""
    give_way()
    try:
        registry.load(*beside.plugins)
        planned = Planned(beside.screening, beside.seed, beside.again, beside.steps)
        line.send(planned.against(beside.values))
    except Exception as error:
        line.send(told_of(error))


class Planned:
    """A batch under the tuning that it came with, and the same with another seed: as many steps of work."""

    def __init__(self, screening: Screening, seed: int = 1, again: int = 2, steps: int = STEPS) -> None:
        self.screening, self.seed, self.steps = screening, seed, steps
        self.terms = tuple(each.code for each in registry.cost_terms())
        self.asked, self.before = _asked(screening), _side(screening, seed, steps, self.terms)
        self.chance = diff(self.asked, self.before, _side(screening, again, steps, self.terms), self.terms)

    def against(self, values: Mapping[str, Number]) -> Differs:
        """What these numbers would change."""
        after = _side(replace(self.screening, values={**values}), self.seed, self.steps, self.terms)
        found, chance = diff(self.asked, self.before, after, self.terms), self.chance
        return Differs(
            moved=found.count(Kind.MOVED),
            gained=found.count(Kind.GAINED),
            lost=found.count(Kind.LOST),
            anyway=int((found.changed & chance.changed).sum()),
            cents=int(found.cents[found.kind == Kind.MOVED].sum()),
            rows=[_row(each, found, chance, self.before, after) for each in _first(found)],
        )


def _first(found: Difference) -> list[int]:
    """Who loses a vendor comes first, then who gains one."""
    changed = np.flatnonzero(found.changed)
    order = np.argsort(-found.kind[changed], kind="stable")
    rows: list[int] = changed[order][:EXAMPLES].tolist()
    return rows


def _row(
    row: int, found: Difference, chance: Difference, before: Side, after: Side
) -> tuple[int, int, int, int, int, int, str, bool]:
    return (
        row,
        int(found.kind[row]),
        int(before.vendor[row]),
        int(after.vendor[row]),
        int(found.cents[row]),
        int(found.minutes[row]),
        found.reason[row],
        bool(chance.changed[row]),
    )


def _side(screening: Screening, seed: int, steps: int, terms: Sequence[str]) -> Side:
    """Where each request stands under one plan: what was offered before and does not move stays there."""
    from solvers.assignment.solve import solve  # noqa: PLC0415  (OR-Tools: 94 MB that the matcher can do without)

    def optimise(problem: AssignmentProblem) -> Ints:
        return solve(problem, time_limit_s=LIMIT_S, seed=seed, workers=1, work_limit=steps).choice

    made, size = plan(screening, optimise), screening.requests
    stands = screening.standing
    vendor = np.full(size, -1, np.int64) if stands is None else stands.vendor.copy()
    start_ms = np.zeros(size, np.int64) if stands is None else stands.start_ms.copy()
    rows, none = made.chosen.request, np.zeros(size, np.int64)
    vendor[rows], start_ms[rows] = made.chosen.vendor, made.chosen.start_ms
    view = View(screening, slice(0, size), "")
    price, paid = none.copy(), np.zeros((size, len(terms)), np.int64)
    price[rows] = price_cents(view, made.chosen)
    for term in registry.cost_terms():
        paid[rows, terms.index(term.code)] = term.cents(view.seen_by(term.code), made.chosen)
    last = [[code for code, by in zip(made.codes, each, strict=True) if by] for each in made.removed.tolist()]
    why = [
        "competition" if count else codes[-1] if codes else "nobody"
        for count, codes in zip(made.candidate_counts.tolist(), last, strict=True)
    ]
    return Side(
        vendor, start_ms, price, paid,
        declined=np.zeros(size), late_min=none, why=why, posted=none, used=none, slack=0,
    )  # fmt: skip


def _asked(screening: Screening) -> Asked:
    facts = screening.facts
    return Asked(facts.earliest_ms, facts.latest_ms, np.zeros(screening.requests, np.bool_), {})
