"""What a matcher tells of its work, for who watches it."""

from __future__ import annotations

from dispatcher.matching.commits import Done, Ownership
from dispatcher.service.measures import BATCHES, GAPS, MATCHES, OFFER_WAIT, SOLVES
from solvers.planning import BatchPlan


def batched(own: Ownership, market: str, plan: BatchPlan, done: Done, seconds: float) -> None:
    """A batch has ended, after so many seconds (real time)."""
    measures = own.executor.measures
    measures.observe(market, BATCHES, plan.solver, seconds)
    measures.observe(market, SOLVES, plan.solver, plan.seconds)
    if plan.cost > 0:
        measures.observe(market, GAPS, plan.solver, (plan.cost - plan.bound) / plan.cost)
    _offered(own, market, done, "batch")


def matched_at_once(own: Ownership, market: str, done: Done) -> None:
    """Imminent requests were looked at."""
    _offered(own, market, done, "imminent")


def _offered(own: Ownership, market: str, done: Done, way: str) -> None:
    measures = own.executor.measures
    for was_scarce, seconds in done.waits:
        measures.observe(market, OFFER_WAIT, "scarce" if was_scarce else way, seconds)
    measures.count(market, MATCHES, "offered", len(done.offered))
    measures.count(market, MATCHES, "moved", len(done.moved))
    measures.count(market, MATCHES, "fell_out", done.fell_out)
