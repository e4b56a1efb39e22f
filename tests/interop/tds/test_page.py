"""docs/tds.md names all that is sent, and nothing that is not."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from msgspec.structs import replace

from contracts.codes import DoorLevel, LevelOfService, Priority, Skill
from contracts.dispatches import Dispatch
from contracts.events import OfferClosed
from contracts.offers import NeedsView
from contracts.patients import Patient
from dispatcher.interop.tds import orders
from tests.http.conftest import NOW
from tests.interop.tds.test_orders import NEW_YORK, OFFER

PAGE = (Path(__file__).parents[3] / "docs" / "tds.md").read_text(encoding="utf-8")
_, _, _BELOW = PAGE.partition("| element, attribute |")
ROWS = _BELOW.partition("\n\n")[0].splitlines()[2:]
NEEDS = NeedsView(
    attendants=1,
    escorts=1,
    oxygen_l_min=2.0,
    stairs=3,
    weight_kg=90,
    infectious_precautions=True,
    door_level=DoorLevel.HAND_TO_HAND,
)
FULL = replace(
    OFFER,
    level_of_service=LevelOfService.WHEELCHAIR,
    needs=NEEDS,
    skills=(Skill.STAIRS,),
    assumed=True,
    amendment=1,
    distance_m=900,
    priority=Priority.STAT,
)
PATIENT = Patient(name="N", phone="1", pickup_address="a", dropoff_address="b", notes="n")


def test_every_element_and_attribute_that_is_sent_has_its_row_and_no_other_has() -> None:
    patients = [replace(PATIENT, phone=each) for each in ("555-0100", "555-0100 ext. 1")]
    dispatches = [
        Dispatch(id="r1.1", offer=FULL, pickup=(0.0, 0.0), dropoff=(1.0, 1.0), patient=each)
        for each in patients
    ]
    said = [
        orders.trip_request(FULL, NOW, NEW_YORK),
        orders.cancellation("r1.1", OfferClosed(offer_id="r1.1", state="expired"), NOW, NEW_YORK),
        *(orders.order(each, "metro", NOW, NEW_YORK) for each in dispatches),
        *(orders.task(each, NOW, NEW_YORK) for each in dispatches),
    ]
    parts = [each for one in said for each in ET.fromstring(one).iter()]
    sent = {name for each in parts for name in (each.tag, *each.attrib)} - set(orders.NUMBERS)
    first = {name for row in ROWS for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    told = {name for row in ROWS for name in re.findall(r"`([a-z]\w+)`", row)}
    assert first <= sent <= told
    opened = re.findall(r"(?:^|; )(\w+)=", ET.fromstring(said[0]).attrib["openAttribute"])
    (row,) = (each for each in ROWS if each.startswith("| `openAttribute`"))
    assert opened == re.findall(r"`(\w+)`", row.split("by our names")[1])
