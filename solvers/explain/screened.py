"""From what the matcher screened to a question: every rule of the registry, asked about one request.

Options are all vendors, resources and starts, in a window made wider on both sides. Each rule judges each
option by itself. A vendor with nothing to offer still appears, with an option that no plan can hold, so that
the rule that removed it is counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from contracts.instants import MINUTE_MS
from solvers.arrays import Flags, Ints
from solvers.candidates import Screened, expand, screen
from solvers.explain.bundles import whole
from solvers.explain.reasons import Step
from solvers.explain.search import Question
from solvers.explain.verdicts import Verdicts
from solvers.formulation import PENALTIES, formulate
from solvers.horizon import LEDGER_MS
from solvers.insertion import Columns, StandingPlan
from solvers.insertion.columns import COST, START, all_columns
from solvers.rules import registry
from solvers.rules.base import CandidateRule, Candidates, PairRule, View
from solvers.rules.capacity import Capacity, ledger_buckets
from solvers.screening import PRIORITIES, Screening
from solvers.slots import NOTICE, STEP

WIDER_MIN: Final = 120  #: window looked at beyond the request's own, on either side


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A question, and what is needed to say its answer in clock times."""

    question: Question
    candidates: (
        Candidates  #: the first of the question's options; phantoms of vendors without any come after them
    )
    first_ms: int  #: start of bucket 0
    bucket_ms: int

    def bucket_start_ms(self, bucket: int) -> int:
        """When a bucket of the answer begins, epoch milliseconds."""
        return self.first_ms + bucket * self.bucket_ms


def question_of(screening: Screening, request: int, *, wider_min: int = WIDER_MIN) -> Asked:
    """What may be asked about request number `request` of a screening; capacity is what is left in it."""
    registry.load(*screening.plugins)
    view = View(screening, slice(request, request + 1), "")
    candidates = _options(screening, request, wider_min)
    alone = screening.only(np.array([request]))
    nothing = np.zeros((1, 0), np.int64)
    problem = formulate(alone, Screened(candidates, _cents(view, candidates), (), nothing))
    plan = StandingPlan(_with_a_resource(problem.capacity), problem.vendor_cap)
    verdicts = _verdicts(view, candidates, Columns(all_columns(problem)), problem.capacity.shape[2])
    order = np.full(len(verdicts.columns), not _follows(screening, request))
    rest = _others_fit(screening, request, candidates, verdicts)
    question = Question(plan, verdicts, _penalty(view, verdicts), order, rest)
    bucket_ms = ledger_buckets(screening.values) * LEDGER_MS
    start = candidates.start_ms.min(initial=screening.horizon.end_ms)
    first = (int(start) - screening.horizon.start_ms) // bucket_ms if len(candidates) else 0
    return Asked(question, candidates, screening.horizon.start_ms + first * bucket_ms, bucket_ms)


def _follows(screening: Screening, request: int) -> bool:
    """Whether it is to follow another that waits in the same screening, but for those of its own bundle."""
    sequence = screening.sequence
    if sequence is None:
        return False
    first = sequence.first[sequence.second == request]
    return bool((~np.isin(first, _bundle(screening, request))).any())


def _bundle(screening: Screening, request: int) -> Ints:
    """The rows that are matched with it or not at all, its own among them; none where it is in no bundle."""
    of = screening.sequence.bundle if screening.sequence is not None else np.zeros(0, np.int64)
    return np.flatnonzero(of == of[request]) if len(of) and of[request] >= 0 else np.zeros(0, np.int64)


def _others_fit(
    screening: Screening, request: int, candidates: Candidates, verdicts: Verdicts
) -> Callable[[int, tuple[Step, ...]], bool] | None:
    """Of a bundle, whether all of it has places once the request has an option; None where there is none."""
    members = _bundle(screening, request)
    if len(members) < 2:
        return None
    together = screening.only(members)
    row, screened = int(np.searchsorted(members, request)), screen(together)

    def fit(option: int, steps: tuple[Step, ...]) -> bool:
        if option >= len(candidates):
            return False  # of a vendor that has nothing to offer
        own = replace(candidates.only(np.array([option])), request=np.array([row]))
        problem = formulate(
            together, _with_only(screened, row, own, int(verdicts.columns.table[COST, option]))
        )
        at = int(np.searchsorted(problem.column_request, row))
        later = int(problem.column_start[at] - verdicts.columns.table[START, option])
        return whole(problem, tuple(replace(step, bucket=step.bucket + later) for step in steps))

    return fit


def _with_only(screened: Screened, row: int, own: Candidates, cents: int) -> Screened:
    """What was screened, with one candidate of the row in place of all that it has."""
    others = screened.candidates
    at, left = int(np.searchsorted(others.request, row)), others.request != row
    before = int(left[:at].sum())
    parts = {
        name: np.insert(getattr(others, name)[left], before, getattr(own, name))
        for name in Candidates.__dataclass_fields__
    }
    return replace(
        screened, candidates=Candidates(**parts), cents=np.insert(screened.cents[left], before, cents)
    )


def _with_a_resource(capacity: Ints) -> Ints:
    """V x max(1, K) x buckets: where nobody has posted any, phantoms need one to stand in; it is empty."""
    vendors, resources, buckets = capacity.shape
    return capacity if resources else np.zeros((vendors, 1, buckets), np.int64)


def _options(screening: Screening, request: int, wider_min: int) -> Candidates:
    """Every vendor, resource and start, in a window wider by whole steps, so that starts stay aligned."""
    alone = screening.only(np.array([request]))
    facts = alone.facts
    step_ms = STEP.whole(screening.values) * MINUTE_MS
    soonest_ms = screening.now_ms + NOTICE.whole(screening.values) * MINUTE_MS
    steps = wider_min * MINUTE_MS // step_ms
    before = np.clip((facts.earliest_ms - soonest_ms) // step_ms, 0, steps)
    wide = replace(
        facts, earliest_ms=facts.earliest_ms - before * step_ms, latest_ms=facts.latest_ms + steps * step_ms
    )
    view = View(replace(alone, facts=wide), slice(0, 1), "")
    return expand(view, np.ones((1, screening.vendors), np.bool_))


def _cents(view: View, candidates: Candidates) -> Ints:
    terms = (term.cents(view.seen_by(term.code), candidates) for term in registry.cost_terms())
    return sum(terms, start=np.zeros(len(candidates), np.int64))


def _verdicts(view: View, candidates: Candidates, columns: Columns, buckets: int) -> Verdicts:
    """Pair rules, then candidate rules, in the registry's order."""
    absent = np.setdiff1d(np.arange(view.vendors), candidates.vendor)
    rules: list[PairRule | CandidateRule] = [*registry.pair_rules(), *registry.candidate_rules()]
    removes = np.zeros((len(rules), len(candidates) + len(absent)), np.bool_)
    short = np.zeros(removes.shape, np.int64)
    for row, rule in enumerate(rules):
        seen = view.seen_by(rule.code)
        short[row, : len(candidates)] = rule.short_by(seen, candidates)
        if isinstance(rule, PairRule):
            against = ~np.broadcast_to(rule.mask(seen), (1, view.vendors))[0]
            removes[row] = against[np.concatenate([candidates.vendor, absent])]
        elif rule.code == Capacity.code:
            removes[row, : len(candidates)] = ~_posted(view, candidates)
        else:
            removes[row, : len(candidates)] = ~rule.mask(seen, candidates)
    nowhere = np.stack([absent, *(np.full(len(absent), value) for value in (0, buckets, 1, 1, 0))])
    return Verdicts(
        view.vendors, tuple(rule.code for rule in rules), removes | (short > 0),
        Columns(np.concatenate([columns.table, nowhere], axis=1)), short,
        tuple(rule.unit for rule in rules), np.array([rule.relaxable for rule in rules]),
    )  # fmt: skip


def _posted(view: View, candidates: Candidates) -> Flags:
    """Whether the resource serves the class that day at all. Units that others took are the plan's affair."""
    service_class = view.facts.service_class[candidates.request]
    day = view.screening.horizon.day_of(candidates.start_ms)
    return view.screening.supply.takes(candidates.vendor, candidates.resource, day, service_class)


def _penalty(view: View, verdicts: Verdicts) -> int:
    """As the batch has it: by priority, beyond the cheapest option (of the allowed ones, if there are)."""
    cost, allowed = verdicts.columns.table[COST], verdicts.allowed()
    cheapest = cost[allowed].min() if allowed.any() else cost.max(initial=0)
    priority = PRIORITIES[int(view.facts.priority[0])]
    return int(PENALTIES[priority].whole(view.values) + cheapest)
