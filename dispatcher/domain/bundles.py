"""Bundles: until its time an episode is matched whole, and given back whole when a part finally fails.

What vendors have accepted stands: the part that failed is a person's, who sees all of it in the episode.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from contracts.codes import OfferState, RequestState
from contracts.instants import to_instant
from contracts.unmatched import Unmatched
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.kinds import beside, kind_named
from dispatcher.domain.messages import changed, closed, unmatched
from dispatcher.domain.offers import WITHDRAWN, bookings_of, close
from dispatcher.domain.requests import RequestRecord, moved
from dispatcher.domain.states import OPEN, TERMINAL

RULE = "bundle"  # why a request has no vendor: another of its bundle has none
FAILED = TERMINAL - {RequestState.COMPLETED}
GIVEN_BACK = OPEN | {RequestState.ON_HOLD, RequestState.OFFERED}


def is_bundled(record: RequestRecord, now_ms: int) -> bool:
    """Whether it is worth something only with the others of its episode."""
    return record.bundle_until_ms > now_ms


def with_bundle(decision: Decision, context: Context) -> Decision:
    """The decision, and all that has no vendor yet given back where one of a bundle finally failed."""
    for change in decision.changes:
        after = change.after
        if isinstance(after, RequestRecord) and after.state in FAILED and is_bundled(after, context.now_ms):
            had_ended = change.before is not None and change.before.state in TERMINAL  # type: ignore[attr-defined]
            decision = decision if had_ended else _given_back(decision, after, context)
    return decision


def _given_back(decision: Decision, failed: RequestRecord, context: Context) -> Decision:
    there = {beside(each.record) for each in decision.changes}
    for other in _others(failed, context):
        if other.id not in there:
            decision = _without(decision, other, failed, replace(context, by="service", subject=""))
    return decision


def _others(failed: RequestRecord, context: Context) -> list[RequestRecord]:
    episode: Any = context.related.get(kind_named("episode").named_beside(failed.episode))
    found = [context.related.get(each) for each in (episode.requests if episode is not None else ())]
    bundled = [each for each in found if isinstance(each, RequestRecord) and each.state in GIVEN_BACK]
    return [
        each
        for each in bundled
        if is_bundled(each, context.now_ms) and each.accepted_by_silence(context.now_ms) is None
    ]


def _without(decision: Decision, other: RequestRecord, failed: RequestRecord, context: Context) -> Decision:
    """One that is not wanted without the other: its vendors relieved, and why."""
    asked = other.live_offers
    over = [close(each, OfferState.CANCELLED, context.now_ms, WITHDRAWN) for each in asked]
    why = Unmatched(
        vendors=0,
        last_rule=RULE,
        waits_for=failed.id,
        asked=other.asked,
        explained_at=to_instant(context.now_ms),
    )
    after = moved(
        other,
        RequestState.UNMATCHED,
        context,
        RULE,
        offers=other.offers_with(*over),
        unmatched=why,
        requirements=(),
    )
    told = [*(closed(after, each) for each in over), unmatched(after, why), changed(after, context.by, RULE)]
    return replace(
        decision,
        changes=(*decision.changes, Change(other, after)),
        unbook=(*decision.unbook, *bookings_of(asked)),
        messages=(*decision.messages, *told),
    )
