"""An offer that nobody has answered may be moved to another vendor: when, and what that does."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from contracts.codes import DeclineCode, OfferState, RequestState
from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.streams import To
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.commands.make_offer import exhausted
from dispatcher.domain.commands.move_offer import MoveOffer, movable_offer
from dispatcher.domain.commands.table import decide
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.proposal import Precondition
from dispatcher.domain.refusals import NotFound, WrongState
from dispatcher.domain.requests import RequestRecord
from tests.domain import make
from tests.domain.make import NOW, after

LATER = NOW + 2 * MINUTE_MS


def at(now_ms: int = LATER, values: dict[str, float] | None = None) -> Context:
    return Context(now_ms=now_ms, by="matcher", values=values or {})


def as_moved(
    record: RequestRecord, to: str = "v2", context: Context | None = None, **changes: Any
) -> Decision:
    number = record.offers[-1].attempt
    plan = replace(make.proposal(record, make.vendor(to)), **changes)
    command = MoveOffer(offer_id=f"r1.{number}", request=make.trip(), proposal=plan)
    decision = decide(record, command, context or at())
    assert decision is not None
    return decision


def test_in_one_decision_the_old_offer_is_withdrawn_and_the_new_one_made() -> None:
    before = make.offered()
    decision = as_moved(before)
    old, new = decision.after.offers
    assert decision.after.state is RequestState.OFFERED
    assert (old.state, old.code, old.bookings) == (OfferState.CANCELLED, "withdrawn", ())
    assert (new.vendor_id, new.attempt, new.state) == ("v2", 2, OfferState.REQUESTED)
    assert (decision.unbook, decision.book) == (before.offers[0].bookings, new.bookings)
    assert decision.after.timer_ms == new.expires_ms


def test_both_vendors_and_the_platform_are_told() -> None:
    messages = as_moved(make.offered()).messages
    assert [(each.vendor_id, each.type) for each in messages if each.to is To.VENDOR] == [
        ("v1", "dispatch.offer.closed"),
        ("v2", "dispatch.offer.made"),
    ]
    assert [each.type for each in messages if each.to is To.MATCHES] == ["dispatch.request.matched"]
    assert [each.type for each in messages if each.to is To.EVENTS] == ["dispatch.request.changed"]


def test_what_the_new_match_rests_on_must_still_stand() -> None:
    rests_on = (Precondition("v2", "", 7),)
    assert as_moved(make.offered(), preconditions=rests_on).preconditions == rests_on


def test_a_vendor_that_had_the_offer_withdrawn_has_not_declined_and_may_be_asked_again() -> None:
    away = as_moved(make.offered())
    assert away.after.declined_by == frozenset()
    assert away.outcomes == ()
    back = as_moved(away.after, "v1", at(LATER + 2 * MINUTE_MS))
    assert [each.vendor_id for each in back.after.offers] == ["v1", "v2", "v1"]


def test_a_move_uses_up_none_of_the_attempts() -> None:
    record = as_moved(make.offered()).after
    assert not exhausted(record, {"max_attempts": 2})
    assert exhausted(record, {"max_attempts": 1}), "the one that is out counts"


def answered(record: RequestRecord) -> RequestRecord:
    context = Context(now_ms=LATER, by="vendor:v1", vendor_id="v1")
    return after(decide(record, AcceptOffer(offer_id="r1.1"), context))


def declined(record: RequestRecord) -> RequestRecord:
    context = Context(now_ms=LATER, by="vendor:v1", vendor_id="v1")
    return after(decide(record, DeclineOffer(offer_id="r1.1", code=DeclineCode.OTHER), context))


STAYS = {
    "accepted": (answered(make.offered()), LATER),
    "declined": (declined(make.offered()), LATER),
    "assumed": (make.offered(make.vendor(assumed=True)), LATER),
    "fresh": (make.offered(), NOW + 59_000),
    "about to expire": (make.offered(), make.offered().offers[0].expires_ms - 9_000),
    "expired": (make.offered(), make.offered().offers[0].expires_ms + 1),
    "frozen": (make.offered(ahead_ms=92 * MINUTE_MS), NOW + 3 * MINUTE_MS),
}


@pytest.mark.parametrize("why", STAYS)
def test_it_stays_when_it_is(why: str) -> None:
    record, now_ms = STAYS[why]
    assert movable_offer(record, now_ms, {}) is None
    with pytest.raises(WrongState, match="cannot be moved"):
        as_moved(record, context=at(now_ms))


def test_it_stays_once_the_request_was_moved_as_often_as_it_may_be() -> None:
    record, now_ms = make.offered(), LATER
    for to in ("v2", "v1", "v2"):
        record, now_ms = as_moved(record, to, at(now_ms)).after, now_ms + 2 * MINUTE_MS
    assert movable_offer(record, now_ms, {}) is None
    assert movable_offer(record, now_ms, {"move_limit": 4}) is record.offers[-1]


@pytest.mark.parametrize(
    ("values", "now_ms", "may"),
    [
        ({"move_freeze_minutes": 300}, LATER, False),
        ({"move_freeze_minutes": 0}, LATER, True),
        ({"move_settle_s": 300}, LATER, False),
        ({"move_settle_s": 0}, NOW, True),
        ({"move_limit": 0}, LATER, False),
        ({}, NOW, False),
        ({}, LATER, True),
    ],
)
def test_every_parameter_decides_whether_it_may_move(
    values: dict[str, float], now_ms: int, may: bool
) -> None:
    record = make.offered(ahead_ms=4 * HOUR_MS)
    assert (movable_offer(record, now_ms, values) is not None) == may


def test_a_vendor_that_refused_it_or_that_the_platform_excluded_is_not_moved_to() -> None:
    record = make.offered(make.vendor("v2"), record=declined(make.offered()), now_ms=LATER)
    with pytest.raises(WrongState, match="v1 is excluded"):
        as_moved(record, "v1", at(LATER + 2 * MINUTE_MS))


def test_an_offer_that_was_never_made_is_not_found() -> None:
    record = make.offered()
    command = MoveOffer(
        offer_id="r1.9", request=make.trip(), proposal=make.proposal(record, make.vendor("v2"))
    )
    with pytest.raises(NotFound):
        decide(record, command, at())
