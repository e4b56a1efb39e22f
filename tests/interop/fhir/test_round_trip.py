"""A request of ours told as its resource, and read again, is the same: whatever it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.codes import Acquisition, LevelOfService, Priority, Requirement, Skill
from contracts.episodes import After, SequenceKind
from contracts.geo import Place, Window
from contracts.identifiers import Identifier
from contracts.needs import PassengerNeeds
from contracts.offer_modes import OfferMode
from contracts.requests import EquipmentOrder, OrderLine, Request, TripRequest
from contracts.will_call import WillCall
from dispatcher.interop.fhir import creating, device_request, service_request
from dispatcher.interop.fhir.elements import ELEMENTS, Fate
from dispatcher.interop.fhir.extension_table import EXTENSIONS
from dispatcher.interop.fhir.ids import fhir_id, our_id
from dispatcher.interop.fhir.people import MASKED
from dispatcher.interop.fhir.references import Around
from tests.examples import examples
from tests.interop.fhir.conftest import judged

ID = st.text("abcXYZ019_-", min_size=1, max_size=64)
AT = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=0)
)
PLACE = st.builds(
    lambda lon, lat: Place(position=(lon, lat)),
    st.floats(-180, 180, allow_nan=False),
    st.floats(-90, 90, allow_nan=False),
)
WINDOW = st.builds(
    lambda at, m: Window(earliest=at, latest=at + timedelta(minutes=m)), AT, st.integers(0, 600)
)
NEEDS = st.builds(
    PassengerNeeds,
    attendants=st.integers(0, 4),
    oxygen_l_min=st.sampled_from([0.0, 2.0, 2.5, 15.0]),
    stairs=st.integers(0, 100),
    weight_kg=st.none() | st.integers(1, 500),
    infectious_precautions=st.booleans(),
)
NUMBER = st.builds(Identifier, system=st.sampled_from(["", "urn:oid:1.2", "http://a.example"]), value=ID)
AFTER = st.builds(After, request=ID, kind=st.sampled_from(SequenceKind), least_lag_minutes=st.integers(0, 60))
SHARED: dict[str, Any] = {
    "id": st.just("this"),
    "priority": st.sampled_from(Priority),
    "preferred_vendors": st.lists(ID, max_size=3, unique=True).map(tuple),
    "excluded_vendors": st.lists(ID, max_size=2, unique=True).map(tuple),
    "match_by": st.none() | AT,
    "hold": st.none() | st.just((Requirement.AUTHORIZATION,)),
    "after": st.lists(AFTER, max_size=2, unique_by=lambda each: each.request).map(tuple),
    "not_duplicate_of": st.lists(ID, max_size=2, unique=True).map(tuple),
    "facility": st.none() | ID,
    "authorization": st.none() | ID,
    "offer_mode": st.none() | st.sampled_from(OfferMode),
    "payer": st.none() | ID,
    "identifiers": st.lists(NUMBER, max_size=2, unique=True).map(tuple),
}  # fmt: skip
TIMES = st.one_of(
    st.builds(lambda w: {"pickup_window": w}, WINDOW),
    st.builds(lambda at: {"appointment_at": at}, AT),
    st.builds(lambda at, until: {"will_call": WillCall(day=at.date(), until=until)}, AT, st.none() | AT),
)
TRIPS = st.builds(
    lambda when, facts: TripRequest(**when, **facts),
    TIMES,
    st.fixed_dictionaries(
        SHARED
        | {
            "match_by": st.none(),
            "pickup": PLACE,
            "dropoff": PLACE,
            "level_of_service": st.sampled_from(LevelOfService),
            "return_of": st.none() | ID,
            "needs": NEEDS,
            "service_minutes": st.integers(1, 480),
        }
    ),
)
LINES = st.builds(
    OrderLine,
    hcpcs=st.sampled_from(["E1390", "E0260", "K0001"]),
    quantity=st.integers(1, 10_000),
    acquisition=st.sampled_from(Acquisition),
    setup_minutes=st.integers(0, 480),
    modifiers=st.sampled_from([(), ("KX",), ("KX", "GA")]),
)
ORDERS = st.builds(
    EquipmentOrder,
    **SHARED,
    place=PLACE,
    window=WINDOW,
    lines=st.lists(LINES, min_size=1, max_size=3).map(tuple),
    skills=st.sampled_from([(), (Skill.OXYGEN,)]),
)


def told(request: Request) -> dict[str, Any]:
    """The resource that says it."""
    plain = msgspec.to_builtins(request)
    kind, write = (
        ("ServiceRequest", service_request.written)
        if request.is_trip
        else ("DeviceRequest", device_request.written)
    )
    made = {"resourceType": kind, "id": fhir_id(request.id), "status": "active", "subject": MASKED} | write(
        plain
    )
    return msgspec.json.decode(msgspec.json.encode(made))


def read(body: dict[str, Any]) -> Request:
    """The request that a resource says."""
    given_ = creating.decoded(body, body["resourceType"])
    made = creating.composed(given_, our_id(body["id"]), Around(given_.contained))
    return creating.made(made, "UTC").request


@settings(max_examples=examples(30), deadline=None)
@given(TRIPS | ORDERS)
def test_what_is_told_of_a_request_reads_as_the_same_request(request: Request) -> None:
    assert read(judged(told(request))) == request


@settings(max_examples=examples(30))
@given(st.text("ab9_-", min_size=1, max_size=64))
def test_each_id_of_ours_is_one_of_fhirs_and_comes_back(name: str) -> None:
    assert our_id(fhir_id(name)) == name
    assert "_" not in fhir_id(name)


def test_every_field_of_ours_has_its_element_or_extension() -> None:
    for kind, form in (("ServiceRequest", TripRequest), ("DeviceRequest", EquipmentOrder)):
        rows = [row.ours for row in ELEMENTS[kind].values() if row.fate is Fate.READ]
        named = {field.partition(".")[0] for ours in rows for field in ours.split(", ") if field}
        named |= {row.ours for row in EXTENSIONS.values() if kind in row.on}
        fields = {field.encode_name for field in msgspec.structs.fields(form)}
        assert fields <= named, fields - named
