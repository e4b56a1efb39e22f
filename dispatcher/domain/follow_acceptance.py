"""Which answers to offers are remembered: each once, in the commit in which its vendor gave it, or none.

Nobody has answered what was taken back, or went to another first.

This is no scorecard: it says what to expect, and blames nobody. So a decline counts whatever its reason, but
for one that is about the request itself; and so does silence, of a broadcast too, for which a scorecard has
nothing: nobody else took that one either, so its vendor had all the time that there was.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from contracts.codes import DeclineCode, OfferState
from dispatcher.domain.acceptance import Answer, week_of
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.offers import NO_CAPACITY, TAKEN, OfferRecord
from dispatcher.domain.requests import RequestRecord
from solvers.acceptance import Cell, cell_of
from solvers.screening import CLASS_INDEX

D = DeclineCode
OF_THE_REQUEST = frozenset({D.INVALID_USER, D.INVALID_PICKUP_ADDRESS, D.INVALID_DROPOFF_ADDRESS})
SAID = {OfferState.ACCEPTED: True, OfferState.REJECTED: False, OfferState.EXPIRED: False}
NOT_WON = (TAKEN, NO_CAPACITY)


def with_answers(decision: Decision, context: Context) -> Decision:
    """The decision with the answers to offers that it has; as it is where there is none."""
    found = [each for change in decision.changes for each in _answers(change.before, change.after, context)]
    return replace(decision, answers=(*decision.answers, *found)) if found else decision


def _answers(before: object, after: object, context: Context) -> Iterator[Answer]:
    if not isinstance(before, RequestRecord) or not isinstance(after, RequestRecord):
        return
    if before.service_class not in CLASS_INDEX:  # taken in before this was kept
        return
    now = {each.attempt: each for each in after.offers}
    for was in before.offers:
        said = _said(now.get(was.attempt)) if was.unanswered else None
        if said is not None:
            yield Answer(was.vendor_id, week_of(context.now_ms), _cell(before, was, context), said)


def _said(offer: OfferRecord | None) -> bool | None:
    """Whether its vendor said yes; None where it has not answered, or nobody asks any more."""
    if offer is None or offer.unanswered:
        return None
    if offer.state is OfferState.REJECTED and offer.code in OF_THE_REQUEST:
        return None
    if offer.state is OfferState.CANCELLED:  # it would have had it, and another was first, or its van was not
        wanted = offer.broadcast and (offer.code == NO_CAPACITY or bool(offer.willing_ms))
        return True if wanted and offer.code in NOT_WON else None
    return SAID.get(offer.state)


def _cell(record: RequestRecord, offer: OfferRecord, context: Context) -> Cell:
    """As the offer was when it was made."""
    opens = datetime.fromtimestamp(record.earliest_ms / 1000, context.tz)
    return cell_of(record.service_class, record.earliest_ms - offer.made_ms, opens.hour, opens.weekday())
