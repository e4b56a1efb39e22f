"""What an on-call person asks of the work itself: how long an offer took to be made, how it was answered.

Matchers have no `/metrics` of their own. Each process gathers here what it does and adds it to the store now
and then; the web process tells the sum, so that a restart loses seconds at most. Labels are few and fixed:
never an id, never a vendor, never what somebody wrote.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from contracts.codes import OfferState, RequestState
from dispatcher.domain.decision import Decision
from dispatcher.domain.requests import RequestRecord
from dispatcher.store.connection import StoreError
from dispatcher.store.measures import MeasurePart

SUM, PER_ONE = "sum", 1_000_000  # sums are kept as whole millionths


Histogram = tuple[str, list[tuple[str, float]], float]


class Family(NamedTuple):
    """One metric. `bounds`: the upper ends of a histogram's classes; none: it is a count."""

    name: str
    about: str
    label: str
    values: frozenset[str]  #: all that the label may be
    bounds: tuple[float, ...] = ()


SOON_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)
SOLVE_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 120.0)
ANSWER_S = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0)
GAP = (0.0001, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
SOLVERS = frozenset({"optimiser", "greedy", "insertion"})

OFFER_WAIT = Family(
    "dispatcher_offer_wait_seconds",
    "From when a request waits (came, was freed or declined) to its offer; scarce: no vendor at first.",
    "way",
    frozenset({"imminent", "batch", "scarce"}),
    SOON_S,
)
ANSWERS = Family(
    "dispatcher_offer_answer_seconds",
    "From an offer to its answer or its end without one.",
    "answer",
    frozenset(
        each.value
        for each in (OfferState.ACCEPTED, OfferState.REJECTED, OfferState.EXPIRED, OfferState.CANCELLED)
    ),
    ANSWER_S,
)
ENDED = Family(
    "dispatcher_requests_ended",
    "Requests that came to an end.",
    "state",
    frozenset(
        each.value
        for each in (
            RequestState.COMPLETED,
            RequestState.NO_SHOW,
            RequestState.CANCELLED,
            RequestState.FAILED,
            RequestState.UNMATCHED,
        )
    ),
)
BATCHES = Family(
    "dispatcher_batch_seconds", "A whole batch, from reading to the last commit.", "solver", SOLVERS, SOLVE_S
)
SOLVES = Family("dispatcher_solve_seconds", "Screening and solving of a batch.", "solver", SOLVERS, SOLVE_S)
GAPS = Family(
    "dispatcher_plan_gap_ratio",
    "How much of a batch's cost, at most, a better plan could save: (cost - bound) / cost.",
    "solver",
    SOLVERS,
    GAP,
)
MATCHES = Family(
    "dispatcher_matches",
    "What became of what matchers planned; fell_out: stale, full or late, so planned again.",
    "outcome",
    frozenset({"offered", "moved", "fell_out"}),
)
LEASES = Family(
    "dispatcher_matcher_leases",
    "Markets taken by a matcher, and lost again.",
    "event",
    frozenset({"taken", "lost"}),
)
SOLVED_AT = Family(
    "dispatcher_solved_at",
    "Batches, by where they were solved; only where a broker of workers is set.",
    "place",
    frozenset({"worker", "here"}),
)
REPLY_AGE = Family(
    "dispatcher_reply_age_seconds",
    "From when a vendor wrote its reply on Redis to when it had its effect or its refusal.",
    "outcome",
    frozenset({"done"}),
    SOON_S,
)
FAMILIES = (OFFER_WAIT, ANSWERS, ENDED, BATCHES, SOLVES, GAPS, MATCHES, LEASES, SOLVED_AT, REPLY_AGE)


class Measures:
    """What one process has counted and not added to the store yet, by market."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)

    def count(self, market: str, family: Family, value: str, times: int = 1) -> None:
        """Some more of `value`; one that the family does not know is not told."""
        if times and value in family.values:
            self._counts[market][f"{family.name}:{value}"] += times

    def observe(self, market: str, family: Family, value: str, amount: float) -> None:
        """One more that took so long, or is so much."""
        if value not in family.values:
            return
        bound = bisect_left(family.bounds, amount)
        prefix = f"{family.name}:{value}:"
        self._counts[market][f"{prefix}{bound}"] += 1
        self._counts[market][prefix + SUM] += round(max(0.0, amount) * PER_ONE)

    def decided(self, market: str, decisions: Sequence[Decision], now_ms: int) -> None:
        """What committed decisions made of offers and requests."""
        for decision in decisions:
            for change in decision.changes:
                before, after = change.before, change.after
                if isinstance(before, RequestRecord) and isinstance(after, RequestRecord):
                    self._request(market, before, after, now_ms)

    def _request(self, market: str, before: RequestRecord, after: RequestRecord, now_ms: int) -> None:
        if before.state is not after.state:
            self.count(market, ENDED, after.state.value)
        if before.offers is after.offers:
            return
        waited = {each.attempt: each for each in before.offers if each.unanswered}
        for offer in after.offers:
            if not offer.unanswered and offer.attempt in waited:
                self.observe(market, ANSWERS, offer.state.value, (now_ms - offer.made_ms) / 1000)

    async def tell(self, market: str, part: MeasurePart) -> None:
        """Add it to the store; what could not be added is kept for the next time. Raises Unavailable.

        Raises StoreError where the key is of another type; that is not kept, for it would only grow.
        """
        counts = self._counts.pop(market, None)
        if not counts:
            return
        try:
            await part.add(counts)
        except StoreError:
            raise
        except BaseException:
            self._counts[market].update(counts)
            raise


def histograms(family: Family, counts: Mapping[str, int]) -> Iterator[Histogram]:
    """Of each value of the label that ever came: its classes, each with all below it, and its sum."""
    for value in sorted(family.values):
        prefix, total, classes = f"{family.name}:{value}:", 0, list[tuple[str, float]]()
        for place, bound in enumerate((*family.bounds, float("inf"))):
            total += counts.get(f"{prefix}{place}", 0)
            classes.append(("+Inf" if bound == float("inf") else str(bound), total))
        if total:
            yield value, classes, counts.get(prefix + SUM, 0) / PER_ONE
