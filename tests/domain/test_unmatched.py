"""The deadline for finding a vendor: why there was none, and until when one is sought."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from contracts.codes import OfferState, RequestState, TrackingStatus
from contracts.events import RequestUnmatched
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant
from contracts.streams import To
from contracts.unmatched import Asked, RuleCount, Unmatched
from dispatcher.domain.commands.unmatched import ExplainUnmatched
from dispatcher.domain.decision import Decision
from dispatcher.domain.offers import WITHDRAWN, close
from dispatcher.domain.refusals import WrongState
from tests.domain import make
from tests.domain.make import NOW, accepting, after, decide, due, heard, offered, offering, reporting
from tests.domain.test_decisions import declining

T = TrackingStatus
LAST_START = NOW + 4 * HOUR_MS + 30 * MINUTE_MS  # the end of the window
DEADLINE = NOW + HOUR_MS
REASONS = Unmatched(vendors=7, removed=(RuleCount(rule="service_area", vendors=7),), last_rule="service_area")


def explaining(record: Any, reasons: Unmatched, **facts: Any) -> Decision | None:
    return decide(record, ExplainUnmatched(request_id="r1", unmatched=reasons), by="matcher", **facts)


def reasons_of(record: Any, **facts: Any) -> Unmatched:
    """What is told when the deadline passes, without when it was found."""
    decision = due(record, **facts)
    assert decision is not None
    (told,) = [each.data for each in decision.messages if isinstance(each.data, RequestUnmatched)]
    assert decision.after.unmatched == told.unmatched
    return replace(told.unmatched, explained_at=None)


def with_deadline() -> Any:
    """A request that is accepted, with a deadline before the end of its window."""
    return after(accepting(offered(match_by=to_instant(DEADLINE))))


def test_the_deadline_keeps_the_last_known_reasons() -> None:
    reasons = Unmatched(vendors=7, last_rule="service_area")
    record = after(explaining(make.received(), reasons))
    assert explaining(record, reasons, now_ms=NOW + 5) is None
    decision = due(record)
    assert heard(decision, To.MATCHES) == ["dispatch.request.unmatched"]
    ended = after(decision).unmatched
    assert ended is not None
    assert replace(ended, explained_at=None) == reasons


def test_newer_reasons_take_the_place_of_older_ones() -> None:
    record = after(explaining(make.received(), Unmatched(vendors=7, last_rule="hours")))
    assert reasons_of(after(explaining(record, REASONS))) == REASONS
    with pytest.raises(WrongState, match="nothing to explain"):
        explaining(offered(), REASONS)


def test_nobody_asked_and_nothing_known_is_told_as_that() -> None:
    assert reasons_of(make.received()) == Unmatched(vendors=0, removed=(), last_rule="match_by")


def test_who_was_asked_and_did_not_take_it_is_counted_at_the_deadline() -> None:
    record = after(declining(offered()))
    record = after(due(offered(make.vendor("v2"), record=record)))  # and a vendor that said nothing
    said_no = Asked(
        vendor_id="v1", state=OfferState.REJECTED, at=to_instant(NOW), code="NO_VEHICLES_AVAILABLE"
    )
    silent = Asked(
        vendor_id="v2",
        state=OfferState.EXPIRED,
        at=to_instant(record.offers[1].closed_ms),
        code="expired",
    )
    assert reasons_of(record) == Unmatched(
        vendors=2,
        removed=(RuleCount(rule="declined", vendors=2),),
        last_rule="declined",
        asked=(said_no, silent),
    )


def test_a_vendor_that_was_asked_again_is_named_once_as_it_answered_last_and_one_withdrawn_is_not() -> None:
    record = after(declining(offered()))
    again = replace(make.proposal(record, make.vendor()), changed_ms=NOW + 1)
    record = after(due(after(offering(record, again))))
    assert [(each.vendor_id, each.state) for each in record.asked] == [("v1", "expired")]
    moved = close(offered().offers[0], OfferState.CANCELLED, NOW, WITHDRAWN)
    assert replace(offered(), offers=(moved,)).asked == ()


def test_what_the_matcher_counted_is_not_overwritten_when_all_offers_were_used() -> None:
    record = after(explaining(after(declining(offered())), REASONS))
    told = replace(REASONS, asked=record.asked)
    assert reasons_of(record) == told
    assert reasons_of(record, values={"max_attempts": 1}) == replace(told, last_rule="max_attempts")


def test_a_matcher_that_counted_nothing_leaves_the_count_to_who_declined() -> None:
    record = after(explaining(after(declining(offered())), Unmatched(vendors=7, last_rule="hours")))
    assert reasons_of(record, values={"max_attempts": 1}) == Unmatched(
        vendors=7,
        removed=(RuleCount(rule="declined", vendors=1),),
        last_rule="max_attempts",
        asked=record.asked,
    )


def test_what_comes_back_after_its_deadline_is_matched_again_until_its_window_ends() -> None:
    back = after(reporting(with_deadline(), T.TURNED_BACK, now_ms=NOW + 2 * HOUR_MS))
    assert back.timer_ms == back.match_by_ms == back.latest_ms == LAST_START
    assert offering(back, make.vendor("v2"), now_ms=NOW + 2 * HOUR_MS).after.state is RequestState.OFFERED


@pytest.mark.parametrize(("at_ms", "until_ms"), [(DEADLINE - 1, DEADLINE), (DEADLINE, LAST_START)])
def test_what_comes_back_before_its_deadline_keeps_it(at_ms: int, until_ms: int) -> None:
    back = after(reporting(with_deadline(), T.TURNED_BACK, now_ms=at_ms))
    assert back.timer_ms == back.match_by_ms == until_ms


def test_what_comes_back_after_its_window_has_ended_is_unmatched_at_once() -> None:
    back = after(reporting(with_deadline(), T.TURNED_BACK, now_ms=LAST_START + 1))
    assert back.timer_ms == LAST_START
    assert after(due(back, LAST_START + 1)).state is RequestState.UNMATCHED


def test_a_decline_after_the_deadline_does_not_prolong_it() -> None:
    record = offered(match_by=to_instant(DEADLINE))
    for over in (declining(record, now_ms=DEADLINE + 1), due(record, DEADLINE + 1)):
        assert after(over).match_by_ms == DEADLINE
        assert after(due(after(over), DEADLINE + 1)).state is RequestState.UNMATCHED
