"""Both kinds of request answer the same questions, so that nobody has to ask which kind it is."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from contracts.codes import Acquisition, DoorLevel, LevelOfService, ServiceClass, Skill
from contracts.geo import Place, Window
from contracts.needs import PassengerNeeds
from contracts.requests import EquipmentOrder, OrderLine, TripRequest
from tests.solvers.town import order, trip


def questions(kind: type[TripRequest | EquipmentOrder]) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")} - set(kind.__struct_fields__)


def test_what_one_kind_can_be_asked_the_other_can_be_asked_too() -> None:
    assert questions(TripRequest) == questions(EquipmentOrder)
    assert questions(TripRequest), "no question was found"


def test_a_ride_has_two_doors_a_level_and_needs_but_no_lines() -> None:
    needs = PassengerNeeds(attendants=1, door_level=DoorLevel.HAND_TO_HAND)
    ride = trip(dropoff=Place(position=(-74.1, 40.8)), needs=needs, service_minutes=7)
    assert (ride.is_trip, ride.doors) == (True, ((-74.0, 40.7), (-74.1, 40.8)))
    assert (ride.service_class, ride.ride_level) == (ServiceClass.WHEELCHAIR, LevelOfService.WHEELCHAIR)
    assert (ride.passenger_needs, ride.order_lines, ride.onsite_minutes) == (needs, (), 14)
    assert ride.required_skills == (Skill.ATTENDANT, Skill.HAND_TO_HAND)
    assert (ride.wished_window, ride.arrive_by) == (ride.pickup_window, None)


def test_an_order_has_one_door_and_lines_but_nobody_rides() -> None:
    lines = (OrderLine(hcpcs="E1390", quantity=2, setup_minutes=20), OrderLine(hcpcs="E0260"))
    box = order("e1", *lines, skills=(Skill.OXYGEN,))
    assert (box.is_trip, box.doors) == (False, ((-74.0, 40.7), None))
    assert (box.service_class, box.ride_level) == (ServiceClass.EQUIPMENT, None)
    assert (box.passenger_needs, box.order_lines, box.onsite_minutes) == (None, lines, 35)
    assert box.required_skills == (Skill.OXYGEN,)
    assert (box.wished_window, box.arrive_by) == (box.window, None)


def test_setting_up_takes_a_minute_at_least() -> None:
    assert order("e1", OrderLine(hcpcs="E1390", setup_minutes=0)).onsite_minutes == 1


def test_set_up_is_a_lines_whatever_its_quantity() -> None:
    catheters = OrderLine(hcpcs="A4351", quantity=200, acquisition=Acquisition.PURCHASE, modifiers=("KX",))
    supplies = order("e1", catheters, OrderLine(hcpcs="E1390"))
    assert (supplies.onsite_minutes, supplies.further_pieces) == (30, 199)


@pytest.mark.parametrize(
    ("modifiers", "told"),
    [
        (["RR"], "said by `acquisition`"),
        (["KX", "KX"], "repeat"),
        (["kx"], "regex"),
        (["KX"] * 4, "length"),
    ],
)
def test_modifiers_are_hcpcs_own_and_say_nothing_twice(modifiers: list[str], told: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=told):
        msgspec.convert({"hcpcs": "A4351", "modifiers": modifiers}, OrderLine)


def test_a_window_over_an_hour_that_comes_twice_is_none_that_is_swapped() -> None:
    tz = ZoneInfo("America/New_York")
    first, second = (datetime(2027, 11, 7, 1, 40, tzinfo=tz, fold=fold) for fold in (0, 1))
    assert Window(earliest=first, latest=second.replace(minute=10)).latest.fold == 1
    with pytest.raises(ValueError, match="before it starts"):
        Window(earliest=second, latest=first)
