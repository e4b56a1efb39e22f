"""No record is ever left without a timer; where it lies follows from the state and from the live offers."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given
from msgspec.structs import replace

from contracts.codes import OfferState, RequestState, TrackingStatus
from contracts.instants import HOUR_MS, MINUTE_MS
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.requests import RequestRecord, noted
from dispatcher.domain.states import REQUEST_STATES, TERMINAL, WORKED_ON
from dispatcher.domain.timers import timer_ms
from tests.domain import make
from tests.domain.make import NOW, context

R, O = RequestState, OfferState  # noqa: E741  (as in the table)
SOUGHT = (R.RECEIVED, R.ON_HOLD, R.MATCHING)
UNDER_WAY = (R.ACCEPTED, R.IN_PROGRESS)
CLOSED = (O.REJECTED, O.EXPIRED, O.CANCELLED, O.TURNED_BACK)
BASE = make.offered()
times = st.integers(NOW - 100 * HOUR_MS, NOW + 100 * HOUR_MS)


@st.composite
def offers(
    draw: st.DrawFn, *, live: OfferState | None, at_least: int = 0, at_most: int = 4
) -> list[OfferRecord]:
    """Closed offers, and among them some in the state `live`."""
    closed = draw(st.lists(st.sampled_from(CLOSED), max_size=4))
    count = draw(st.integers(at_least, at_most)) if live else 0
    states = draw(st.permutations([*closed, *[live] * count]))
    found = []
    for number, state in enumerate(states, 1):
        start_ms = draw(times)
        found.append(
            replace(
                BASE.offers[0],
                attempt=number,
                vendor_id=f"v{number}",
                state=state,
                expires_ms=draw(times),
                start_ms=start_ms,
                end_ms=start_ms + draw(st.integers(1, 600)) * MINUTE_MS,
                bookings=BASE.offers[0].bookings if state is O.REQUESTED or state in WORKED_ON else (),
                status=draw(st.sampled_from((None, *TrackingStatus))),
            )
        )
    return found


@st.composite
def records(draw: st.DrawFn, *states: RequestState) -> RequestRecord:
    """Any record in one of the states, with offers as its state has them."""
    state = draw(st.sampled_from(states))
    if state is R.OFFERED:
        known = draw(offers(live=O.REQUESTED, at_least=1))
    elif state in UNDER_WAY:
        known = draw(offers(live=O.ACCEPTED, at_least=1, at_most=1))
    elif state in (R.COMPLETED, R.NO_SHOW):
        known = draw(offers(live=O.COMPLETED, at_least=1, at_most=1))
    else:
        known = draw(offers(live=None))
    return replace(BASE, state=state, offers=tuple(known), match_by_ms=draw(times), timer_ms=0)


@given(records(*RequestState), times)
def test_a_record_that_changes_has_the_timer_that_follows_from_it(record: RequestRecord, now_ms: int) -> None:
    after = noted(record, context(now_ms=now_ms))
    assert after.timer_ms == timer_ms(after, now_ms, {}) > 0


@given(records(*SOUGHT), times)
def test_while_a_vendor_is_sought_it_waits_for_the_deadline(record: RequestRecord, now_ms: int) -> None:
    assert timer_ms(record, now_ms, {}) == record.match_by_ms


@given(records(R.OFFERED), times)
def test_while_vendors_are_asked_it_waits_for_the_first_that_could_be_silent(
    record: RequestRecord, now_ms: int
) -> None:
    unanswered = [each.expires_ms for each in record.offers if each.state is O.REQUESTED]
    assert timer_ms(record, now_ms, {}) == min(unanswered)


@given(records(*UNDER_WAY), times, st.integers(1, 480))
def test_while_a_vendor_works_it_waits_for_the_next_report_and_after_a_miss_from_now_on(
    record: RequestRecord, now_ms: int, minutes: int
) -> None:
    (dispatch,) = [each for each in record.offers if each.state is O.ACCEPTED]
    expected_ms = dispatch.end_ms if dispatch.status else dispatch.start_ms
    found_ms = timer_ms(record, now_ms, {"overdue_minutes": minutes})
    assert found_ms == max(expected_ms, now_ms) + minutes * MINUTE_MS


@given(records(*sorted(TERMINAL)), times, st.integers(24, 8_760))
def test_what_ended_is_kept_from_now_or_from_the_end_of_the_service_that_was_booked(
    record: RequestRecord, now_ms: int, hours: int
) -> None:
    booked = [each.end_ms for each in record.offers if each.bookings]
    found_ms = timer_ms(record, now_ms, {"retention_hours": hours})
    assert found_ms == max(now_ms, *booked, 0) + hours * HOUR_MS


@pytest.mark.parametrize("state", RequestState)
def test_the_table_says_what_every_state_waits_for(state: RequestState) -> None:
    waits_for = {
        **dict.fromkeys(SOUGHT, "match_by"),
        R.OFFERED: "offer_expires",
        **dict.fromkeys(UNDER_WAY, "overdue"),
        **dict.fromkeys(TERMINAL, "forget"),
    }
    assert REQUEST_STATES[state].timer == waits_for[state]
