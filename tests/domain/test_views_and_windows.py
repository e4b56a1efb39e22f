"""Who sees what, until when an offer stands, and when service may start."""

from __future__ import annotations

from math import cos, radians
from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given
from msgspec.structs import replace

from contracts.codes import OfferState, Priority, Skill
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant, to_ms
from contracts.needs import PassengerNeeds
from dispatcher.domain.coarse_position import coarse_position
from dispatcher.domain.offer_expiry import offer_expiry
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.states import SHOWS_PATIENT
from dispatcher.domain.views import dispatch_view, offer_view, request_view
from dispatcher.domain.windows import start_window
from tests.domain import make
from tests.domain.make import NOW, VALUES, after, offering
from tests.domain.test_decisions import declining

DAY_MS = 24 * HOUR_MS


def test_before_acceptance_a_vendor_sees_zone_window_service_and_price_but_no_door_and_no_name() -> None:
    record = make.offered()
    seen = offer_view(record, record.offers[0], make.trip())
    text = msgspec.json.encode(seen).decode()
    assert seen.price_cents == 4_500
    assert seen.pickup_zone not in (make.DOOR, make.FAR_DOOR)
    assert not any(word in text for word in (*map(str, make.DOOR), "Canary", "555-01"))
    with pytest.raises(WrongState, match="accept it first"):
        dispatch_view(record, record.offers[0], make.trip(), make.PATIENT)


def test_after_acceptance_a_vendor_sees_door_and_patient_until_the_work_is_no_longer_its_own() -> None:
    record = make.accepted()
    seen = dispatch_view(record, record.offers[0], make.trip(), make.PATIENT)
    assert (seen.pickup, seen.dropoff, seen.patient) == (make.DOOR, make.FAR_DOOR, make.PATIENT)
    gone = after(declining(make.offered()))
    with pytest.raises(WrongState):
        dispatch_view(gone, gone.offers[0], make.trip(), make.PATIENT)


@pytest.mark.parametrize("state", sorted(set(OfferState) - SHOWS_PATIENT))
def test_only_who_may_still_accept_is_told_to_accept(state: OfferState) -> None:
    record = make.offered()
    with pytest.raises(WrongState) as told:
        dispatch_view(record, replace(record.offers[0], state=state), make.trip(), None)
    remedy = told.value.detail.partition("\n")[2]
    assert ("accept it first" in remedy) is (state is OfferState.REQUESTED)
    assert remedy.startswith("Maybe ")


def test_platform_and_ops_see_the_match_while_there_is_one_and_every_attempt() -> None:
    offered = make.offered()
    view = request_view(offered)
    assert view.match is not None
    assert (view.match.vendor_id, view.match.tuning_version, view.owner) == ("v1", 3, "vendor")
    declined = request_view(after(declining(offered)))
    assert declined.match is None
    assert [(each.id, each.state.value, each.code) for each in declined.attempts] == [
        ("r1.1", "rejected", "NO_VEHICLES_AVAILABLE")
    ]


@given(st.floats(-180, 180), st.floats(-85, 85), st.floats(-1, 1), st.floats(-1, 1))
def test_a_zone_is_the_same_for_every_door_in_it_and_within_a_kilometre_or_so(
    longitude: float, latitude: float, east: float, north: float
) -> None:
    middle = coarse_position((longitude, latitude))
    inside = (middle[0] + east * 0.0085 / cos(radians(middle[1])), middle[1] + north * 0.0085)
    if abs(inside[0]) < 179.9:
        assert coarse_position(inside) == middle
    assert abs(middle[1] - latitude) * 111.2 <= 1.01
    assert abs(middle[0] - longitude) * 111.2 * cos(radians(middle[1])) <= 1.2


def test_an_offer_stands_for_the_vendors_limit_and_longer_when_the_window_is_far_away() -> None:
    soon = make.received(make.trip(ahead_ms=HOUR_MS))
    assert offer_expiry(soon, make.vendor(limit_s=600), NOW, VALUES) == NOW + 10 * MINUTE_MS
    far = make.received(make.trip(ahead_ms=10 * HOUR_MS))
    assert offer_expiry(far, make.vendor(limit_s=600), NOW, VALUES) == NOW + HOUR_MS
    assert offer_expiry(far, make.vendor(limit_s=600, assumed=True), NOW, VALUES) == NOW + 10 * MINUTE_MS


@pytest.mark.parametrize(
    ("priority", "minutes"),
    [(Priority.ROUTINE, 60), (Priority.URGENT, 30), (Priority.ASAP, 18), (Priority.STAT, 12)],
)
def test_the_more_pressing_the_sooner_an_offer_ends_but_not_where_silence_accepts(
    priority: Priority, minutes: int
) -> None:
    record = make.received(make.trip(ahead_ms=10 * HOUR_MS, priority=priority))
    assert offer_expiry(record, make.vendor(limit_s=600), NOW, VALUES) == NOW + minutes * MINUTE_MS
    assert offer_expiry(record, make.vendor(limit_s=600, assumed=True), NOW, VALUES) == NOW + 10 * MINUTE_MS


def test_a_stat_offer_at_short_notice_ends_after_two_minutes_and_never_before_the_least() -> None:
    record = make.received(make.trip(ahead_ms=HOUR_MS, priority=Priority.STAT))
    assert offer_expiry(record, make.vendor(limit_s=600), NOW, VALUES) == NOW + 2 * MINUTE_MS
    soon = make.received(make.trip(ahead_ms=20 * MINUTE_MS, priority=Priority.STAT))
    assert offer_expiry(soon, make.vendor(limit_s=60), NOW, VALUES) == NOW + MINUTE_MS


def _wire(message: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(message))


def test_an_offer_says_all_that_the_vendor_must_bring_also_what_is_usual() -> None:
    ride = make.trip(priority=Priority.STAT, needs=PassengerNeeds(attendants=1, escorts=2))
    record = make.received(ride)
    shown = _wire(offer_view(record, offering(record).after.offers[0], ride))
    assert (shown["priority"], shown["skills"], shown["lines"]) == ("stat", ["attendant"], [])
    assert shown["needs"] == _wire(ride.needs) | {
        "oxygen_l_min": 0.0,
        "stairs": 0,
        "weight_kg": None,
        "infectious_precautions": False,
        "door_level": "curb_to_curb",
    }
    order = replace(make.equipment(), skills=(Skill.RESPIRATORY_THERAPIST,))
    record = make.received(order)
    shown = _wire(offer_view(record, offering(record).after.offers[0], order))
    assert (shown["priority"], shown["skills"], shown["needs"]) == (
        "routine",
        ["respiratory_therapist"],
        None,
    )
    (line,) = shown["lines"]
    assert {name: line[name] for name in ("hcpcs", "quantity", "acquisition", "setup_minutes")} == {
        "hcpcs": "E1390",
        "quantity": 1,
        "acquisition": "RR",
        "setup_minutes": 15,
    }


def test_an_offer_leaves_time_to_ask_another_vendor_and_its_own_vendor_time_to_read_it() -> None:
    record = make.received(make.trip(ahead_ms=20 * MINUTE_MS))
    assert offer_expiry(record, make.vendor(limit_s=3_600), NOW, VALUES) == record.latest_ms - 30 * MINUTE_MS
    at_once = make.received(make.trip(ahead_ms=-25 * MINUTE_MS))
    assert offer_expiry(at_once, make.vendor(limit_s=3_600), NOW, VALUES) == NOW + 2 * MINUTE_MS
    assert offer_expiry(at_once, make.vendor(limit_s=30), NOW, VALUES) == NOW + 30_000


def test_a_ride_to_an_appointment_arrives_at_most_half_an_hour_early_and_never_late() -> None:
    appointment = NOW + DAY_MS
    ride = make.trip(pickup_window=None, appointment_at=to_instant(appointment), service_minutes=5)
    window = start_window(ride, VALUES, lambda arrive_ms: arrive_ms - 1_200_000)
    at_door = [start + 5 * MINUTE_MS + 1_200_000 for start in window]
    assert at_door == [appointment - 30 * MINUTE_MS, appointment - 5 * MINUTE_MS]
    narrow = start_window(ride, {"arrive_by_minutes": 0})
    assert narrow == (appointment - 15 * MINUTE_MS, appointment - 10 * MINUTE_MS), (
        "nobody plans to the minute"
    )


def test_a_window_that_is_given_stands_as_given() -> None:
    order = make.equipment()
    assert start_window(order, VALUES) == (to_ms(order.window.earliest), to_ms(order.window.latest))
    assert start_window(make.trip(), VALUES, lambda arrive_ms: arrive_ms - 999) == (
        NOW + 4 * HOUR_MS,
        NOW + 4 * HOUR_MS + 30 * MINUTE_MS,
    )
