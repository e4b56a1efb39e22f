"""What a dispatch costs: as offered, with what was waited, and by how it ended."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.codes import OfferState, TrackingStatus
from contracts.instants import MINUTE_MS
from contracts.prices import PriceKind
from dispatcher.domain.commands.waiting import _with
from dispatcher.domain.offers import OfferRecord, close, fulfil
from dispatcher.domain.prices import (
    Line,
    OfferRates,
    Wait,
    agreed_at,
    also_agreed,
    amended,
    lines_of,
    settled,
    waited,
)

K, O, T = PriceKind, OfferState, TrackingStatus  # noqa: E741
START_MS = 1_772_438_400_000
RATES = OfferRates(
    waiting_half_hour_cents=1_000,
    waiting_free_minutes=15,
    late_cancel_minutes=60,
    late_cancel_cents=3_000,
    no_show_cents=1_500,
    turn_back_cents=2_000,
)
FARE = (Line(K.BASE, 4_500), Line(K.MILES, 300, 150, 2.0))


def dispatch(**facts: Any) -> OfferRecord:
    usual: dict[str, Any] = {
        "state": O.ACCEPTED,
        "price_cents": 4_800,
        "price_lines": FARE,
        "rates": RATES,
    }
    return OfferRecord(
        attempt=1,
        vendor_id="v1",
        pool_id="vans",
        made_ms=0,
        expires_ms=0,
        start_ms=START_MS,
        end_ms=START_MS + 30 * MINUTE_MS,
        assumed=False,
        bookings=(),
        **(usual | facts),
    )


def wait(since: float, until: float = 0) -> Wait:
    """In minutes after the agreed start."""
    return Wait(START_MS + round(since * MINUTE_MS), START_MS + round(until * MINUTE_MS) if until else 0)


def costs(offer: OfferRecord) -> dict[PriceKind, int]:
    assert sum(each.cents for each in lines_of(offer)) == offer.price_cents
    return {each.kind: each.cents for each in lines_of(offer)}


@pytest.mark.parametrize(
    ("waits", "cents"),
    [
        ((wait(0, 15),), None),  # what is free
        ((wait(0, 15.01),), 1_000),  # a half hour that has begun
        ((wait(0, 45),), 1_000),
        ((wait(0, 46),), 2_000),
        ((wait(-30, 10),), None),  # who comes early waits for the agreed start at its own expense
        ((wait(0, 10), wait(20, 30)), 1_000),  # it is free once
        ((wait(0),), None),  # not over yet
    ],
)
def test_waiting_costs_each_half_hour_begun_after_what_is_free(
    waits: tuple[Wait, ...], cents: int | None
) -> None:
    offer = dispatch()
    offer = replace(offer, **waited(offer, waits))
    assert costs(offer).get(K.WAITING) == cents


@pytest.mark.parametrize(
    ("state", "status", "minutes", "told"),
    [
        (O.COMPLETED, T.COMPLETED, 30, {K.BASE: 4_500, K.MILES: 300}),
        (O.COMPLETED, T.NO_SHOW, 10, {K.NO_SHOW: 1_500}),
        (O.FAILED, T.FAILED, 10, {}),
    ],
)
def test_work_that_ended_costs_what_was_agreed_only_if_it_was_done(
    state: OfferState, status: TrackingStatus, minutes: int, told: dict[PriceKind, int]
) -> None:
    assert costs(fulfil(dispatch(), state, START_MS + minutes * MINUTE_MS, "", status)) == told


@pytest.mark.parametrize(
    ("state", "minutes", "code", "told"),
    [
        (O.CANCELLED, -60, "", {}),
        (O.CANCELLED, -59, "", {K.LATE_CANCEL: 3_000}),
        (O.CANCELLED, 5, "bundle", {K.LATE_CANCEL: 3_000}),
        (O.CANCELLED, -5, "amendment_refused", {}),  # it let go of it
        (O.CANCELLED, -5, "amendment_unfit", {K.LATE_CANCEL: 3_000}),
        (O.TURNED_BACK, -600, "", {K.TURN_BACK: -2_000}),
    ],
)
def test_work_that_was_taken_or_given_back_costs_the_fee_of_that(
    state: OfferState, minutes: int, code: str, told: dict[PriceKind, int]
) -> None:
    assert costs(close(dispatch(), state, START_MS + minutes * MINUTE_MS, code)) == told


def test_an_offer_that_nobody_accepted_keeps_the_price_that_it_was_offered_at() -> None:
    offer = dispatch(state=O.REQUESTED)
    assert costs(close(offer, O.CANCELLED, START_MS)) == costs(offer)


def test_an_offer_from_before_there_were_lines_has_one_and_no_fee() -> None:
    old = dispatch(price_lines=(), rates=None)
    assert costs(old) == {K.AGREED: 4_800}
    assert costs(close(old, O.TURNED_BACK, START_MS)) == {}
    assert costs(replace(old, **waited(old, (wait(0, 90),)))) == {K.AGREED: 4_800}


def test_a_wait_that_nobody_ended_is_over_when_the_ride_must_have_begun() -> None:
    offer = dispatch(waits=(wait(0),))
    over = fulfil(offer, O.COMPLETED, START_MS + 80 * MINUTE_MS, "", T.COMPLETED)
    assert over.waits == (wait(0, 50),)
    assert costs(over)[K.WAITING] == 2_000
    gone = fulfil(offer, O.COMPLETED, START_MS + 10 * MINUTE_MS, "", T.NO_SHOW)
    assert gone.waits == (wait(0, 10),)


def test_amended_work_has_its_price_anew_and_keeps_what_was_waited() -> None:
    offer = dispatch()
    offer = replace(offer, **waited(offer, (wait(0, 40),)))
    anew = replace(offer, **amended(offer, (Line(K.BASE, 6_000),), 6_000))
    assert costs(anew) == {K.BASE: 6_000, K.WAITING: 1_000}


def test_another_price_that_was_agreed_is_a_line_beside_the_card() -> None:
    offer = replace(dispatch(), **agreed_at(dispatch(), 5_500))
    assert costs(offer) == {K.BASE: 4_500, K.MILES: 300, K.AGREED: 700}
    assert costs(replace(offer, **agreed_at(offer, 4_800))) == {K.BASE: 4_500, K.MILES: 300}


def test_a_line_that_was_settled_stays_so_however_long_is_waited() -> None:
    offer = dispatch()
    offer = replace(offer, **waited(offer, (wait(0, 40),)))
    offer = replace(offer, **settled(offer, 2, 0, 1))
    offer = replace(offer, **waited(offer, (wait(0, 40), wait(50, 120))))
    assert costs(offer)[K.WAITING] == 0
    over = fulfil(offer, O.COMPLETED, START_MS + 200 * MINUTE_MS, "", T.COMPLETED)
    assert costs(over)[K.WAITING] == 0


minutes = st.integers(0, 300)
closed = st.tuples(minutes, st.integers(1, 60)).map(lambda each: wait(each[0], each[0] + each[1]))


@given(st.lists(closed | minutes.map(wait), max_size=8))
def test_waits_are_in_order_apart_and_only_the_last_goes_on(said: list[Wait]) -> None:
    known: tuple[Wait, ...] = ()
    for each in said:
        after = _with(known, each)
        assert _with(after, each) == after  # told twice, it is told once
        known = after
    assert all(one.until_ms and one.until_ms < other.since_ms for one, other in pairwise(known))


@given(st.lists(closed, max_size=8))
def test_nothing_of_what_was_waited_is_lost_and_nothing_counts_twice(said: list[Wait]) -> None:
    known: tuple[Wait, ...] = ()
    for each in said:
        known = _with(known, each)
    told = {minute for each in said for minute in range(each.since_ms, each.until_ms, MINUTE_MS)}
    assert sum(each.until_ms - each.since_ms for each in known) == len(told) * MINUTE_MS


@pytest.mark.parametrize(("agreed", "left"), [(9_000, 4_200), (300, -4_500), (0, -4_800), (4_800, 0)])
def test_what_was_agreed_beyond_the_card_goes_with_the_work_and_never_below_nothing(
    agreed: int, left: int
) -> None:
    """Work that costs 4,800 by the card, and then 4,500."""
    offer = replace(dispatch(), **agreed_at(dispatch(), agreed))
    lines = also_agreed(offer, FARE[:1])
    assert sum(each.cents for each in lines) == max(0, 4_500 + left)
    assert also_agreed(replace(offer, price_lines=(Line(K.AGREED, 900),)), FARE) == FARE  # agreed whole
