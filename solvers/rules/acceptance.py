"""A vendor that is less likely to take an offer costs more: while it is asked in vain, somebody waits.

The cost is that of the offers made in vain until one is taken, were all as likely: `1 / share - 1` of them.
So whoever asks one vendor after another, the cheapest first, asks in the order that costs least: with c for a
vendor's other costs, w for asking, and share p, no two neighbours in the order of c + w / p are better
exchanged.

What a vendor declined stands on its scorecard, too. Where both say that it is so much dearer, or cheaper,
than others, what they say alike counts once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from contracts.tuning import Number, Parameter
from contracts.vendors import Vendor
from solvers.acceptance import WHOLE, Cell, as_array, cell_of, in_vain, places, share_in, taken_in
from solvers.arrays import Arrays, Ints
from solvers.horizon import Horizon
from solvers.rules import registry, scorecard
from solvers.rules.base import Candidate, Candidates, CostTerm, View, whole, whole_cents
from solvers.screening import ALL_OTHERS, OpenRequest

CENTS = Parameter(
    name="acceptance_cents",
    default=500,
    minimum=0,
    maximum=100_000,
    unit="cents",
    summary="Cost of each offer that is expected in vain; what the scorecard says, too, counts once.",
    scope="rules.acceptance",
)
PARAMETERS = (CENTS,)
OTHERS: Final = "others"  # not in what was saved before it was known who the others are
BEYOND: Final = "beyond"  # in what was saved while the larger of the two costs counted


class Acceptance(CostTerm):
    """Offers in vain x cents, beyond what the scorecard costs; nothing while nobody has answered any."""

    code = "acceptance"
    order = 87
    parameters = PARAMETERS
    reads = "acceptance"

    def of_known(self, vendors: Sequence[Vendor], known: Mapping[str, bytes]) -> Arrays:
        """`expected`: V x cells, per mille; -1: nothing is known, of anybody. `others`: cells; of whoever."""
        told = {"expected": as_array(known, [each.id for each in vendors])}
        return told | ({OTHERS: as_array(known, [ALL_OTHERS])[0]} if known else {})

    def cents(self, view: View, candidates: Candidates) -> Ints:
        """(n)."""
        was_encoded = self.code in view.screening.of_vendors  # not in what was saved before there was this
        if not CENTS.whole(view.values) or not was_encoded or not _any_known(view):
            return np.zeros(len(candidates), np.int64)
        return np.asarray(_cents(view)[candidates.vendor, candidates.request], np.int64)

    def cents_of(self, one: Candidate) -> int:
        """For one."""
        return cents_of_known(one.known, one.asked, one.now_ms, one.horizon, one.values)


def share_of(one: Candidate) -> float | None:
    """How likely its vendor is to take a candidate; None where nothing is known, of anybody."""
    table = one.known.get(Acceptance.reads)
    return None if table is None else share_in(table, _cell(one.asked, one.now_ms, one.horizon))


def cents_of_known(
    known: Mapping[str, Any], asked: OpenRequest, now_ms: int, horizon: Horizon, values: Mapping[str, Number]
) -> int:
    """What it costs that a vendor of which this is known (`VendorBook.known_of`) may not take it."""
    market = known.get(ALL_OTHERS, {})
    tables = known.get(Acceptance.reads), market.get(Acceptance.reads)
    if tables == (None, None):  # nobody has answered any yet: asked of each match and of all that came next
        return 0
    cell = _cell(asked, now_ms, horizon)
    cents, usual = (_cents_in(each, cell, values) for each in tables)
    if not registry.is_on(scorecard.RULE.code):
        return cents
    own, mean = (scorecard.cents_at(each.get(scorecard.RULE.reads), values) for each in (known, market))
    return cents - sorted((0, cents - usual, own - mean))[1]


def _cents_in(table: bytes | None, cell: Cell, values: Mapping[str, Number]) -> int:
    return 0 if table is None else whole_cents(in_vain(taken_in(table, cell)) * CENTS.whole(values))


def _cell(asked: OpenRequest, now_ms: int, horizon: Horizon) -> Cell:
    opens_ms = min(max(asked.earliest_ms, horizon.start_ms), horizon.end_ms - 1)
    hour, weekday = horizon.minute_at(opens_ms) // 60, horizon.weekday_at(opens_ms)
    return cell_of(asked.request.service_class.value, asked.earliest_ms - now_ms, hour, weekday)


def _any_known(view: View) -> bool:
    """Whether anybody has answered any yet."""
    return view.once_for_all("acceptance", lambda: bool((view.vendor["expected"] >= 0).any()))


def _cents(view: View) -> Ints:
    """V x r; nothing where nothing is known."""
    places = _places(view)
    cents = _in_vain(view.vendor["expected"][:, places], view.values)
    if not registry.is_on(scorecard.RULE.code):
        return cents
    scores = view.seen_by(scorecard.RULE.code).vendor
    own = scorecard.by_vendor(scores["share"], view.values)[:, None]
    if OTHERS in view.vendor:
        dearer = cents - _in_vain(view.vendor[OTHERS][places], view.values)
        return cents - _told_by_both(dearer, own - scorecard.by_vendor(scores[OTHERS], view.values))
    return np.maximum(0, cents - own) if BEYOND in view.vendor else cents


def _told_by_both(dearer: Ints, badly: Ints) -> Ints:
    """What two reasons to be so much dearer than others (or cheaper) say alike: the median of both and 0."""
    return np.maximum(np.minimum(dearer, badly), np.minimum(np.maximum(dearer, badly), 0))


def _in_vain(told: Ints, values: Mapping[str, Number]) -> Ints:
    """Cents, of shares per mille; 0 where nothing is known."""
    share = np.where(told < 0, 1.0, told / WHOLE)
    return whole((1.0 / share - 1.0) * CENTS.whole(values))


def _places(view: View) -> Ints:
    """r; the cell of each request."""
    horizon: Horizon = view.screening.horizon
    facts = view.facts
    opens_ms = np.clip(facts.earliest_ms, horizon.start_ms, horizon.end_ms - 1)
    lead_ms = facts.earliest_ms - view.screening.now_ms
    return places(facts.service_class, lead_ms, horizon.minute_of_day(opens_ms), horizon.weekday_of(opens_ms))


RULE = Acceptance()
