"""What a sender must not send: names that cannot be read, an NPI that was mistyped. What is stored stays."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from contracts.amendments import Amend
from contracts.codec import JSON, MSGPACK, decode, encode
from contracts.episode_views import EpisodeSubmission
from contracts.offers import Accept
from contracts.outside import refuse_wrong_npi
from contracts.problems import InvalidMessage
from contracts.request_batch import RequestBatch
from contracts.requests import TripRequest
from contracts.standing_orders import StandingOrder
from contracts.vendors import Vendor

AREA = {"kind": "circle", "centre": [-73.97, 40.78], "radius_m": 1000}
RIDE = {
    "kind": "trip",
    "id": "r1",
    "pickup": {"position": [-73.97, 40.78]},
    "dropoff": {"position": [-73.95, 40.76]},
    "level_of_service": "wheelchair",
    "appointment_at": "2026-03-03T15:00:00Z",
}


def _vendor(**changes: Any) -> bytes:
    return msgspec.json.encode({"id": "v1", "name": "Vans", "service_area": [AREA]} | changes)


def _pointer(body: bytes, form: Any, media: str = JSON) -> str:
    with pytest.raises(InvalidMessage) as caught:
        decode(body, form, media)
    (error,) = caught.value.facts["errors"]
    return str(error.pointer)


BLANK = {
    "blanks": "   ",
    "a no-break space": "\u00a0",
    "zero width": "\u200b\u200d",
    "ideographic space": "\u3000",
    "a filler": "\u3164",
    "braille of no dots": "\u2800",
    "soft hyphen": "\u00ad",
    "a tab": "a\tb",
    "two lines": "a\nb",
}
NO_WRITING = {
    "nul": "a\x00b",
    "escape": "\x1b[31mred",
    "backspace": "a\bb",
    "delete": "a\x7f",
    "next line": "a\x85b",
    "right to left override": "abc\u202egnp.exe",
    "embedding": "\u202aabc",
    "isolate": "\u2066abc\u2069",
    "line separator": "a\u2028b",
}
READABLE = [
    "Ann",
    "O'Neil-Smith, Jr.",
    "王小明",
    "محمد",
    "דוד\u200f",
    "ナースコール 2号",
    "Zoë \u0301",
    "?",
    "👩🏽\u200d⚕️",
]


@pytest.mark.parametrize("case", BLANK)
def test_a_name_that_shows_nothing_or_breaks_its_line_is_refused(case: str) -> None:
    name = BLANK[case]
    assert _pointer(_vendor(name=name), Vendor) == "/name"
    ride = RIDE | {"patient": {"name": name}}
    assert _pointer(msgspec.json.encode(ride), TripRequest) == "/patient/name"
    batch = {"requests": [RIDE, ride]}
    assert _pointer(msgspec.msgpack.encode(batch), RequestBatch, MSGPACK) == "/requests/1/patient/name"


@pytest.mark.parametrize("case", NO_WRITING)
@pytest.mark.parametrize("media", [JSON, MSGPACK])
def test_what_is_no_writing_is_refused_in_every_text(case: str, media: str) -> None:
    text = NO_WRITING[case]
    assert _pointer(encode({"id": "v1", "name": text, "service_area": [AREA]}, media), Vendor, media) == ""
    for field in ("name", "notes", "pickup_address"):
        assert (
            _pointer(encode(RIDE | {"patient": {"name": "x", field: text}}, media), TripRequest, media) == ""
        )
    assert _pointer(encode({"reference": text}, media), Accept, media) == ""


@pytest.mark.parametrize("name", READABLE)
def test_every_script_is_a_name(name: str) -> None:
    assert decode(_vendor(name=name), Vendor).name == name


def test_a_note_may_have_lines() -> None:
    notes = "ring twice\r\n\tthen wait"
    made = decode(msgspec.json.encode(RIDE | {"patient": {"name": "x", "notes": notes}}), TripRequest)
    assert made.patient is not None
    assert made.patient.notes == notes


def test_a_refused_patient_is_not_repeated() -> None:
    with pytest.raises(InvalidMessage) as caught:
        decode(msgspec.json.encode(RIDE | {"patient": {"name": "Secret\nSecret"}}), TripRequest)
    assert "Secret" not in caught.value.detail


def test_what_a_vendor_says_twice_is_refused_where_it_stands_for_only_one_would_count() -> None:
    fare, papers = {"level_of_service": "wheelchair", "base_cents": 1}, {"kind": "drug_screen"}
    piece = {"hcpcs": "E0250", "rental_cents": 1}
    twice = {
        "/rate_card/fares/1": {"rate_card": {"fares": [fare, fare | {"base_cents": 2}]}},
        "/rate_card/equipment/1": {"rate_card": {"equipment": [piece, piece | {"rental_cents": 2}]}},
        "/credentials/1": {"credentials": [papers | {"expires_on": "2099-12-31"}] * 2},
    }
    assert {where: _pointer(_vendor(**said), Vendor) for where, said in twice.items()} == {
        k: k for k in twice
    }
    renewed = [papers | {"expires_on": day} for day in ("2098-12-31", "2099-12-31")]
    assert decode(_vendor(credentials=renewed), Vendor).credentials[1].kind == "drug_screen"


@pytest.mark.parametrize("npi", ["1234567893", "1003000126", "1679576722"])
def test_an_npi_whose_check_digit_fits_is_taken(npi: str) -> None:
    assert decode(_vendor(npi=npi), Vendor).npi == npi


@pytest.mark.parametrize("npi", ["1234567890", "2134567893", "1234567839", "0000000000", "1111111111"])
def test_an_npi_that_was_mistyped_is_refused(npi: str) -> None:
    assert _pointer(_vendor(npi=npi), Vendor) == "/npi"


def test_each_other_last_digit_is_refused() -> None:
    fitting = []
    for digit in range(10):
        try:
            refuse_wrong_npi("/npi", f"123456789{digit}")
            fitting.append(digit)
        except InvalidMessage:
            pass
    assert fitting == [3]


@pytest.mark.parametrize("phone", ["unknown", " ", "+", "()-"])
def test_a_phone_that_nobody_can_call_is_refused_by_every_door_of_a_patient(phone: str) -> None:
    patient = {"patient": {"name": "x", "phone": phone}}
    ride = RIDE | patient
    doors: dict[str, tuple[Any, Any]] = {
        "": (ride, TripRequest),
        "/requests/1": ({"requests": [RIDE, ride]}, RequestBatch),
        "/request": ({"request": ride, "rule": "FREQ=DAILY"}, StandingOrder),
        "/return_ride": ({"request": RIDE, "return_ride": ride, "rule": "FREQ=DAILY"}, StandingOrder),
        "/requests/0": ({"id": "e", "requests": [ride]}, EpisodeSubmission),
    }
    for where, (body, form) in doors.items():
        assert _pointer(msgspec.json.encode(body), form) == f"{where}/patient/phone"
    with pytest.raises(InvalidMessage) as caught:
        decode(msgspec.json.encode(patient), Amend)
    assert caught.value.detail == (
        "/patient/phone: a phone number without a digit\nMaybe leave it out, or say it in `notes`."
    )


@pytest.mark.parametrize("phone", ["555-0142", "ext. 7", "٠١٢٣٤٥٦٧٨٩", "1-800-FLOWERS", ""])
def test_a_phone_is_taken_as_it_is_written(phone: str) -> None:
    made = decode(msgspec.json.encode(RIDE | {"patient": {"name": "x", "phone": phone}}), TripRequest)
    assert made.patient is not None
    assert made.patient.phone == phone


def test_an_odd_contact_is_refused_in_an_amendment_and_in_a_standing_order_too() -> None:
    patient = {"patient": {"name": "x", "contact": {"tz": "Mars/Olympus"}}}
    order = {"request": RIDE | patient, "rule": "FREQ=DAILY"}
    assert _pointer(msgspec.json.encode(patient), Amend) == "/patient/contact/tz"
    assert _pointer(msgspec.json.encode(order), StandingOrder) == "/request/patient/contact/tz"


def test_what_is_stored_already_is_still_read() -> None:
    stored = msgspec.json.decode(_vendor(name=" ", npi="1234567890"), type=Vendor)
    assert stored.npi == "1234567890"
