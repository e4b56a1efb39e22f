"""Two requests of one patient that may be one: by what overlaps in time, whichever way a ride goes."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from contracts.codes import Acquisition, RequestState
from contracts.episodes import After
from contracts.geo import Place
from contracts.instants import DAY_MS, HOUR_MS, MINUTE_MS, to_instant
from contracts.requests import EquipmentOrder, OrderLine, Request
from contracts.will_call import WillCall
from dispatcher.domain.context import Context
from dispatcher.domain.duplicates import Asked, Found, alike, counts, found
from dispatcher.domain.patients import PatientRecord, due, filed, gone_ms, indexed
from dispatcher.domain.states import TERMINAL
from tests.domain import make

AT = 4 * HOUR_MS
RENT, BUY = Acquisition.RENTAL, Acquisition.PURCHASE


def asked(request: Request) -> Asked:
    return Asked(make.received(request), filed(request))


def order(name: str, hcpcs: str, how: Acquisition, ahead_ms: int = AT) -> EquipmentOrder:
    return replace(make.equipment(name, ahead_ms=ahead_ms), lines=(OrderLine(hcpcs=hcpcs, acquisition=how),))


@pytest.mark.parametrize(
    ("after_ms", "same"), [(0, True), (30, True), (59, True), (60, False), (-60, False), (-59, True)]
)
def test_rides_less_than_half_an_hour_apart_are_alike_in_either_order(after_ms: int, same: bool) -> None:
    one, other = asked(make.trip("r1")), asked(make.trip("r2", ahead_ms=AT + after_ms * MINUTE_MS))
    assert alike(one, other, {}) is alike(other, one, {}) is same


def test_a_ride_back_at_the_time_of_the_ride_there_cannot_be_and_a_later_one_is_another() -> None:
    there = make.trip("r1")
    back: dict[str, Any] = {"pickup": Place(position=make.FAR_DOOR), "dropoff": Place(position=make.DOOR)}
    assert alike(asked(there), asked(make.trip("r2", **back)), {})
    assert not alike(asked(there), asked(make.trip("r2", ahead_ms=AT + 3 * HOUR_MS, **back)), {})


def test_who_goes_after_another_is_not_that_one_again() -> None:
    one, other = asked(make.trip("r1")), asked(make.trip("r2", after=(After(request="r1"),)))
    assert not alike(one, other, {})
    assert not alike(other, one, {})


@pytest.mark.parametrize(("days", "same"), [(0, True), (1, False)])
def test_will_calls_of_one_day_are_alike_and_those_of_the_next_day_are_not(days: int, same: bool) -> None:
    day = to_instant(make.NOW + days * DAY_MS).date()
    one, other = make.will_call("r1"), make.will_call("r2", will_call=WillCall(day=day))
    assert alike(asked(one), asked(other), {}) is alike(asked(other), asked(one), {}) is same


def test_a_ride_and_equipment_are_not_alike() -> None:
    assert not alike(asked(make.trip("r1")), asked(make.equipment("e1")), {})


@pytest.mark.parametrize(
    ("code", "how", "days", "same"),
    [
        ("E1390", RENT, 0, True),
        ("E1390", RENT, 29, True),
        ("E1390", RENT, 31, False),
        ("E0601", RENT, 0, False),
        ("E1390", BUY, 0, True),
        ("E1390", BUY, 1, False),
    ],
)
def test_equipment_is_alike_by_its_code_within_its_rental_or_bought_at_the_same_time(
    code: str, how: Acquisition, days: int, same: bool
) -> None:
    one, other = order("e1", "E1390", RENT), order("e2", code, how, AT + days * DAY_MS)
    assert alike(asked(one), asked(other), {}) is alike(asked(other), asked(one), {}) is same


@pytest.mark.parametrize("state", sorted(RequestState))
def test_what_ended_does_not_count_but_for_equipment_that_was_delivered(state: RequestState) -> None:
    ride, oxygen = (
        replace(make.received(each), state=state) for each in (make.trip("r1"), make.equipment("e1"))
    )
    assert counts(ride) is (state not in TERMINAL)
    assert counts(oxygen) is (state not in TERMINAL or state is RequestState.COMPLETED)


def test_of_a_batch_each_is_told_of_those_before_it_unless_either_says_that_it_is_another() -> None:
    three = [asked(make.trip(name)) for name in ("r1", "r2", "r3")]
    assert found(three[1:], three[:1], {}, {}) == [
        Found("r2", "r1"),
        Found("r3", "r1"),
        Found("r3", "r2"),
    ]
    assert found(three[1:], three[:1], {"r2": ("r1", "r3"), "r3": ("r1",)}, {}) == []


def test_an_index_goes_with_the_last_of_its_requests_and_not_before() -> None:
    one, other = asked(make.trip("r1")), asked(make.trip("r2"))
    context = Context(now_ms=make.NOW)
    look_ms = min(gone_ms(each.record, context) for each in (one, other))
    patient: PatientRecord = indexed(
        None, "token", (one.filed, other.filed), (), context, look_ms=look_ms
    ).after
    assert due(patient, context) is None
    later = Context(now_ms=patient.timer_ms, related={"r2": other.record})
    left = due(patient, later)
    assert left is not None
    assert [each.request_id for each in left.after.requests] == ["r2"]
    last = due(left.after, Context(now_ms=left.after.timer_ms))
    assert last is not None
    assert last.after is None
