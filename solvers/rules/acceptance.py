"""A vendor that is less likely to take an offer costs more: while it is asked in vain, somebody waits.

The cost is that of the offers made in vain until one is taken, were all as likely: `1 / share - 1` of them.
So whoever asks one vendor after another, the cheapest first, asks in the order that costs least: with c for a
vendor's other costs, w for asking, and share p, no two neighbours in the order of c + w / p are better
exchanged.

What a vendor declined stands on its scorecard, too: of the two costs the larger counts, not both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from contracts.tuning import Number, Parameter
from contracts.vendors import Vendor
from solvers.acceptance import WHOLE, as_array, cell_of, in_vain, places, share_in
from solvers.arrays import Arrays, Ints
from solvers.horizon import Horizon
from solvers.rules import registry, scorecard
from solvers.rules.base import Candidate, Candidates, CostTerm, View, whole, whole_cents
from solvers.screening import OpenRequest

CENTS = Parameter(
    name="acceptance_cents",
    default=700,
    minimum=0,
    maximum=100_000,
    unit="cents",
    summary="Cost of each offer that is expected in vain before one is accepted; the scorecard's is in it.",
    scope="rules.acceptance",
)
PARAMETERS = (CENTS,)
BEYOND: Final = "beyond"  # not in what was saved while both were charged


class Acceptance(CostTerm):
    """Offers in vain x cents, beyond what the scorecard costs; nothing while nobody has answered any."""

    code = "acceptance"
    order = 87
    parameters = PARAMETERS
    reads = "acceptance"

    def of_known(self, vendors: Sequence[Vendor], known: Mapping[str, bytes]) -> Arrays:
        """`expected`: V x cells, per mille; -1: nothing is known, of anybody. `beyond`: the scorecard."""
        told = {"expected": as_array(known, [each.id for each in vendors])}
        return told | ({BEYOND: np.ones(1, np.int64)} if known else {})

    def cents(self, view: View, candidates: Candidates) -> Ints:
        """(n)."""
        was_encoded = self.code in view.screening.of_vendors  # not in what was saved before there was this
        if not CENTS.whole(view.values) or not was_encoded:
            return np.zeros(len(candidates), np.int64)
        return np.asarray(_cents(view)[candidates.vendor, candidates.request], np.int64)

    def cents_of(self, one: Candidate) -> int:
        """For one."""
        return cents_at(share_of(one), one.values, one.known.get(scorecard.RULE.reads))


def share_of(one: Candidate) -> float | None:
    """How likely its vendor is to take a candidate; None where nothing is known, of anybody."""
    return share_with(one.known.get(Acceptance.reads), one.asked, one.now_ms, one.horizon)


def share_with(table: bytes | None, asked: OpenRequest, now_ms: int, horizon: Horizon) -> float | None:
    """How likely a vendor of this table is to take a request that it is asked for now."""
    if table is None:
        return None
    opens_ms = min(max(asked.earliest_ms, horizon.start_ms), horizon.end_ms - 1)
    hour, weekday = horizon.minute_at(opens_ms) // 60, horizon.weekday_at(opens_ms)
    level, lead_ms = asked.request.service_class.value, asked.earliest_ms - now_ms
    return share_in(table, cell_of(level, lead_ms, hour, weekday))


def cents_at(share: float | None, values: Mapping[str, Number], score: float | None = None) -> int:
    """What it costs that a vendor is that likely to take it, beyond what its scorecard does."""
    if share is None:
        return 0
    beside = scorecard.cents_at(score, values) if registry.is_on(scorecard.RULE.code) else 0
    return max(0, whole_cents(in_vain(share) * CENTS.whole(values)) - beside)


def _cents(view: View) -> Ints:
    """V x r; nothing where nothing is known."""
    told = view.vendor["expected"][:, _places(view)]
    share = np.where(told < 0, 1.0, told / WHOLE)
    cents = whole((1.0 / share - 1.0) * CENTS.whole(view.values))
    if BEYOND not in view.vendor or not registry.is_on(scorecard.RULE.code):
        return cents
    score = view.seen_by(scorecard.RULE.code).vendor["share"]
    return np.asarray(np.maximum(0, cents - scorecard.by_vendor(score, view.values)[:, None]), np.int64)


def _places(view: View) -> Ints:
    """r; the cell of each request."""
    horizon: Horizon = view.screening.horizon
    facts = view.facts
    opens_ms = np.clip(facts.earliest_ms, horizon.start_ms, horizon.end_ms - 1)
    lead_ms = facts.earliest_ms - view.screening.now_ms
    return places(facts.service_class, lead_ms, horizon.minute_of_day(opens_ms), horizon.weekday_of(opens_ms))


RULE = Acceptance()
