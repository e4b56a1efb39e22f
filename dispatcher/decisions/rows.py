"""A saved decision as it is told: its figures, and a row for each request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from contracts.decisions import Chosen, Decision, Excluded, LimitedBy, Row
from contracts.instants import to_instant
from contracts.matches import CostTerm, RunnerUp
from contracts.unmatched import RuleCount
from dispatcher.decisions.record import Header, SavedPlan
from dispatcher.store.decisions import Entry
from solvers.arrays import Ints
from solvers.candidates import Screened
from solvers.explain.decided import Terms, costed, excluded
from solvers.rules import acceptance
from solvers.rules.fairness import behind


def named(digest: str, nth: int) -> str:
    """As a decision is called."""
    return f"{digest}-{nth}" if nth else digest


def parted(name: str) -> tuple[str, int]:
    """Digest and number."""
    digest, _, nth = name.partition("-")
    return digest, int(nth or 0)


def told(one: Entry | Header) -> Decision:
    """The figures of a decision."""
    requests = one.requests if isinstance(one, Entry) else len(one.requests)
    return Decision(
        digest=named(one.digest, one.nth),
        kind=one.kind,
        solver=one.solver,
        at=to_instant(one.at_ms),
        day=np.datetime64(one.day).astype(object),
        requests=requests,
        matched=one.matched,
        cost_cents=one.cost,
        bound_cents=one.bound,
        place=one.seq,
    )


def limited_by(header: Header) -> LimitedBy:
    """What ended the solve."""
    if header.work_limit is not None:
        return "work"
    return "time" if header.solver == "optimiser" else "nothing"


def rows(saved: SavedPlan, wanted: Sequence[int], *, by_name: bool = False) -> list[Row]:
    """Of these requests (ascending); `by_name`: with the vendors that each rule excluded."""
    at = np.array(wanted, np.int64)
    screened, terms = costed(saved.screening, at)
    look = _Look(
        saved, screened, terms, {row: nth for nth, row in enumerate(saved.plan.chosen.request.tolist())}
    )
    return [look.row(row, place, by_name=by_name) for place, row in enumerate(wanted)]


class _Look(NamedTuple):
    saved: SavedPlan
    screened: Screened
    terms: Terms
    matches: Mapping[int, int]  #: by request: which match is its

    def row(self, row: int, place: int, *, by_name: bool) -> Row:
        header, plan = self.saved.header, self.saved.plan
        removed = zip(plan.codes, plan.removed[row].tolist(), strict=True)
        nth, holds, gave_way = self.matches.get(row), int(plan.held_back_by[row]), plan.gave_way_to
        return Row(
            request_id=header.requests[row],
            candidates=int(plan.candidate_counts[row]),
            vendors=self.saved.screening.vendors,
            stood=row >= header.waiting,
            chosen=None if nth is None else self._chosen(nth, place),
            runners_up=() if nth is None else self._runners_up(nth, place),
            removed=tuple(RuleCount(rule=code, vendors=each) for code, each in removed if each),
            excluded=self._excluded(row) if by_name else (),
            held_back_by=header.requests[holds] if holds >= 0 else "",
            behind=round(float(behind(self.saved.screening)[row]), 3),
            put_before=tuple(header.requests[each] for each in np.flatnonzero(gave_way == row).tolist()),
            for_share=bool((plan.for_share == row).any()),
            gave_way_to=header.requests[gave_way[row]] if len(gave_way) and gave_way[row] >= 0 else "",
        )

    def _chosen(self, nth: int, place: int) -> Chosen:
        header, plan, one = self.saved.header, self.saved.plan, self.saved.plan.chosen.at(nth)
        return Chosen(
            vendor_id=header.vendors[one.vendor],
            pool_id=header.pools[nth],
            start_at=to_instant(one.start_ms),
            end_at=to_instant(one.start_ms + one.service_ms),
            cost_cents=int(plan.cents[nth]),
            terms=self._terms(self._at(place, nth)),
            became=header.became[nth],
        )

    def _terms(self, found: int) -> tuple[CostTerm, ...]:
        cents = {code: int(each[found]) for code, each in self.terms.items()} if found >= 0 else {}
        return tuple(CostTerm(rule=code, cost_cents=each) for code, each in cents.items() if each)

    def _at(self, place: int, nth: int) -> int:
        """The candidate that a match is; -1: screening keeps none such, or not at that cost.

        So it is where another version of the service decided by other rules: their terms are not known here.
        """
        all_, one = self.screened.candidates, self.saved.plan.chosen.at(nth)
        same: Ints = np.flatnonzero(
            (all_.request == place)
            & (all_.vendor == one.vendor)
            & (all_.resource == one.resource)
            & (all_.start_ms == one.start_ms)
            & (self.screened.cents == self.saved.plan.cents[nth])
        )
        return int(same[0]) if len(same) else -1

    def _runners_up(self, nth: int, place: int) -> tuple[RunnerUp, ...]:
        vendors, plan = self.saved.header.vendors, self.saved.plan
        total, extra = int(plan.cents[nth]), self._acceptance(self._at(place, nth))

        def but_for(vendor: int, start_ms: int, cents: int) -> str:
            more = self._acceptance(self._priced(place, vendor, start_ms, cents))
            return acceptance.RULE.code if cents >= total and cents - more < total - extra else ""

        return tuple(
            RunnerUp(
                vendor_id=vendors[vendor],
                start_at=to_instant(start_ms),
                cost_cents=cents,
                but_for=but_for(vendor, start_ms, cents),
            )
            for vendor, start_ms, cents in plan.next_best[nth].tolist()
            if vendor >= 0
        )

    def _acceptance(self, found: int) -> int:
        """What it adds to a candidate's cost that its vendor may not accept."""
        cents = self.terms.get(acceptance.RULE.code)
        return int(cents[found]) if cents is not None and found >= 0 else 0

    def _priced(self, place: int, vendor: int, start_ms: int, cents: int) -> int:
        """A candidate of which no resource is named; -1 for none."""
        all_ = self.screened.candidates
        same = (all_.request == place) & (all_.vendor == vendor) & (all_.start_ms == start_ms)
        found: Ints = np.flatnonzero(same & (self.screened.cents == cents))
        return int(found[0]) if len(found) else -1

    def _excluded(self, row: int) -> tuple[Excluded, ...]:
        vendors = self.saved.header.vendors
        found = excluded(self.saved.screening, row)
        return tuple(
            Excluded(rule=code, vendors=tuple(vendors[each] for each in some.tolist()))
            for code, some in found.items()
        )
