"""What became of the matcher's offers, by the quarter of an hour in which each was made.

By this tunings are told apart. Counted beside the commits, not in them: no promise rests on these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from contracts.codes import OfferState, Priority, RequestState
from contracts.instants import MINUTE_MS
from dispatcher.domain.decision import Decision
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.scorecards import Outcome

SLOT_MS = 15 * MINUTE_MS  # every zone's hours begin with one


class What(StrEnum):
    """What is counted."""

    OFFERED = "offered"  # and not taken back to be moved
    CENTS = "cents"  # the prices of these
    URGENT_OFFERED = "urgent_offered"  # of priority urgent or above
    ACCEPTED = "accepted"
    DECLINED = "declined"  # refused, expired or turned back
    ON_TIME = "on_time"
    LATE = "late"
    URGENT_UNMATCHED = "urgent_unmatched"  # in the quarter in which its time was over


class Cell(NamedTuple):
    """One count: a quarter of an hour (its beginning) and what."""

    slot_ms: int
    what: What


Quarters = Counter[Cell]


def counted_in(decisions: Iterable[Decision]) -> Quarters:
    """What these decisions add to the counts."""
    found: Quarters = Counter()
    for decision in decisions:
        for change in decision.changes:
            before, after = change.before, change.after
            if isinstance(before, RequestRecord) and isinstance(after, RequestRecord):
                _add(found, before, after, decision)
    return found


def slot_of(at_ms: int) -> int:
    """The beginning of a moment's quarter of an hour."""
    return at_ms - at_ms % SLOT_MS


def _add(found: Quarters, before: RequestRecord, after: RequestRecord, decision: Decision) -> None:
    known = {each.attempt: each for each in before.offers}
    for each in after.offers:
        was = known.get(each.attempt)
        if was is not each and not each.chosen_by and (was is None or was.state is not each.state):
            _add_offer(found, was, each, after, decision)
    ends = after.state is RequestState.UNMATCHED and before.state is not after.state
    if ends and _is_urgent(after):
        found[Cell(slot_of(decision.at_ms), What.URGENT_UNMATCHED)] += 1


def _add_offer(
    found: Quarters, was: OfferRecord | None, now: OfferRecord, of: RequestRecord, decision: Decision
) -> None:
    slot_ms = slot_of(now.made_ms)
    if was is None or now.withdrawn or now.lost:
        by = 1 if was is None else -1
        found[Cell(slot_ms, What.OFFERED)] += by
        found[Cell(slot_ms, What.CENTS)] += by * (was or now).price_cents
        found[Cell(slot_ms, What.URGENT_OFFERED)] += by * _is_urgent(of)
    elif now.declined:
        found[Cell(slot_ms, What.DECLINED)] += 1
    elif now.state is OfferState.ACCEPTED:
        found[Cell(slot_ms, What.ACCEPTED)] += 1
    for outcome in decision.outcomes:
        if outcome.vendor_id == now.vendor_id and outcome.outcome in (Outcome.LATE, Outcome.ON_TIME):
            found[Cell(slot_ms, What(outcome.outcome.value))] += 1


def _is_urgent(record: RequestRecord) -> bool:
    return record.priority.rank >= Priority.URGENT.rank
