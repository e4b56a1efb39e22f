"""The last look at a planned match: every rule's scalar check on the messages, capacity as it adds up, cost.

It reads messages where screening read arrays, by code of its own; lengths and distances are the plan's. What
does not pass is not committed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from contracts.instants import to_instant
from contracts.matches import CostTerm, RunnerUp
from dispatcher.domain.proposal import Proposal
from dispatcher.matching.snapshot import Snapshot
from solvers.arrays import Ints
from solvers.planning import BatchPlan
from solvers.rules import acceptance, registry
from solvers.rules.base import Candidate, Candidates
from solvers.rules.capacity import UNITS
from solvers.rules.price import price_lines, price_of

COST: Final = "cost"  # said in place of a rule where plan and terms disagree


class BrokenRule(Exception):
    """A planned match that a rule does not allow: a defect, to be reported; the match is dropped."""

    def __init__(self, rule: str, one: Candidate, detail: str = "") -> None:
        self.rule, self.vendor_id, self.request_id = rule, one.vendor.id, one.asked.request.id
        super().__init__(detail or f"{rule} does not allow {self.vendor_id} for {self.request_id}")


def proposal(snapshot: Snapshot, plan: BatchPlan, row: int) -> Proposal:
    """The proposal of a plan's match `row`, checked; its units are taken from the snapshot's capacity.

    Raises BrokenRule with the rule's code.
    """
    made = untaken(snapshot, plan.chosen, plan.cents, row, plan.digest)
    snapshot.take(made.bookings)
    return replace(made, runners_up=_runners_up(snapshot, plan, row))


def untaken(snapshot: Snapshot, candidates: Candidates, cents: Ints, row: int, digest: str) -> Proposal:
    """Candidate `row` as a proposal, checked; nothing is taken for it. Raises BrokenRule."""
    chosen, one = candidates.at(row), candidate(snapshot, candidates, row)
    if rule := refusing(one):
        raise BrokenRule(rule, one)
    terms = _terms(one, int(cents[row]))
    bookings = snapshot.capacity.bookings(one.vendor.id, chosen.resource, one.start_ms, one.free_ms)
    return Proposal(
        vendor=one.vendor,
        pool_id=snapshot.capacity.resource_id(chosen.vendor, chosen.resource),
        start_ms=one.start_ms,
        end_ms=one.end_ms,
        units=UNITS,
        bookings=bookings,
        price_cents=price_of(one),
        distance_m=round(one.metres),
        terms=terms,
        tuning_version=snapshot.reading.tuning.version,
        snapshot=digest,
        changed_ms=snapshot.reading.changes.since_ms(one.vendor.id, snapshot.records[chosen.request]),
        preconditions=snapshot.reading.preconditions(one.vendor.id, [booking.day for booking in bookings]),
        price_lines=price_lines(one),
        accepts=acceptance.share_of(one) or 0.0,
    )


def refusing(one: Candidate) -> str:
    """The first rule whose scalar check does not allow it; "" if all do."""
    return next((rule.code for rule in registry.hard_rules() if not rule.permits(one)), "")


def candidate(snapshot: Snapshot, candidates: Candidates, row: int) -> Candidate:
    """Candidate `row` in the words of the messages, beside what is left now where it would be booked."""
    one, horizon = candidates.at(row), snapshot.capacity.horizon
    vendor = snapshot.vendors[one.vendor]
    return Candidate(
        asked=snapshot.asked[one.request],
        vendor=vendor,
        start_ms=one.start_ms,
        end_ms=one.start_ms + one.service_ms,
        free_ms=one.start_ms + one.taken_ms,
        metres=one.metres,
        room=snapshot.capacity.supply.room(one.vendor, one.resource, horizon.day_at(one.start_ms)),
        known=snapshot.reading.book.known_of(vendor.id),
        now_ms=snapshot.now_ms,
        horizon=horizon,
        values=snapshot.values,
        resource=one.resource,
    )


def _terms(one: Candidate, planned_cents: int) -> tuple[CostTerm, ...]:
    """Every cost term that is not zero; together they are the planned cost, to a cent of rounding each."""
    cents = cents_of(one)
    if abs(sum(cents.values()) - planned_cents) > len(cents):
        detail = f"cost of {one.asked.request.id}: planned {planned_cents}, but the terms say {cents}"
        raise BrokenRule(COST, one, detail)
    return told(cents)


def cents_of(one: Candidate) -> dict[str, int]:
    """Each cost term of a candidate, by its code."""
    return {term.code: term.cents_of(one) for term in registry.cost_terms()}


def told(cents: Mapping[str, int]) -> tuple[CostTerm, ...]:
    """As messages have it: without those that are zero."""
    return tuple(CostTerm(rule=code, cost_cents=value) for code, value in cents.items() if value)


def _runners_up(snapshot: Snapshot, plan: BatchPlan, row: int) -> tuple[RunnerUp, ...]:
    cents = {each: _acceptance_cents(snapshot, plan, row, each) for each in _rivals(plan, row)}
    chosen = int(plan.chosen.vendor[row])
    total = int(plan.cents[row])

    def but_for(vendor: int, cost: int) -> str:
        less = cost - cents[vendor] < total - cents[chosen]
        return acceptance.RULE.code if less and cost >= total else ""

    return tuple(
        RunnerUp(
            vendor_id=snapshot.vendors[vendor].id,
            start_at=to_instant(start_ms),
            cost_cents=cost,
            but_for=but_for(vendor, cost),
        )
        for vendor, start_ms, cost in plan.next_best[row].tolist()
        if vendor >= 0
    )


def _rivals(plan: BatchPlan, row: int) -> list[int]:
    """The vendor that was chosen, and those that came next."""
    return [each for each in (int(plan.chosen.vendor[row]), *plan.next_best[row, :, 0].tolist()) if each >= 0]


def _acceptance_cents(snapshot: Snapshot, plan: BatchPlan, row: int, vendor: int) -> int:
    """What it adds to a vendor's cost that it may not accept."""
    known = snapshot.reading.book.known_of(snapshot.vendors[vendor].id)
    asked = snapshot.asked[int(plan.chosen.request[row])]
    horizon = snapshot.capacity.horizon
    return acceptance.cents_of_known(known, asked, snapshot.now_ms, horizon, snapshot.values)
