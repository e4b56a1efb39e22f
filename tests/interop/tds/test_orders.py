"""What a vendor's dispatch centre is called with: telegrams that the schema takes; nothing else is lost."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from zoneinfo import ZoneInfo

import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.codes import DoorLevel, LevelOfService, OfferState, Role
from contracts.dispatches import Dispatch
from contracts.event_types import event_types
from contracts.events import OfferClosed
from contracts.geo import WindowView
from contracts.identifiers import Identifier
from contracts.instants import to_ms
from contracts.offers import NeedsView, Offer
from contracts.patients import Patient
from contracts.streams import To
from contracts.webhooks import TELEGRAMS
from dispatcher.interop.tds import orders
from dispatcher.interop.tds.form import forms
from tests.examples import examples
from tests.http.conftest import NOW, trip
from tests.http.test_by_hand import DAY
from tests.interop.tds.conftest import PATIENT, Centre, clock, offered, text
from tests.interop.tds.test_answers import AT, YES, at, cancel

NEW_YORK = ZoneInfo("America/New_York")
OFFER = Offer(
    id="r1.1",
    request_id="r1",
    vendor_id="v1",
    state=OfferState.REQUESTED,
    kind="trip",
    window=WindowView(earliest=AT, latest=AT + dt.timedelta(minutes=30)),
    start_at=AT,
    duration_minutes=30,
    price_cents=4_500,
    pickup_zone=(-73.97, 40.78),
    dropoff_zone=(-73.95, 40.76),
    expires_at=NOW + dt.timedelta(hours=1),
)
WORDS = st.text(max_size=40)
PATIENTS = st.builds(
    Patient,
    name=WORDS,
    phone=st.one_of(WORDS, st.sampled_from(["+1 (555) 010-0199", "555-0100 ext. 12", "٥٥٥"])),
    pickup_address=WORDS,
    dropoff_address=WORDS,
    notes=WORDS,
)
OFFERS = st.builds(
    lambda level, needs, start, drop: replace(
        OFFER, level_of_service=level, needs=needs, start_at=start, dropoff_zone=drop or OFFER.dropoff_zone
    ),
    st.sampled_from(LevelOfService),
    st.builds(
        NeedsView,
        escorts=st.integers(0, 4),
        oxygen_l_min=st.floats(0, 15),
        door_level=st.sampled_from(DoorLevel),
    ),
    st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1), timezones=st.just(dt.UTC)),
    st.none() | st.tuples(st.floats(-180, 180), st.floats(-90, 90)),
)


@given(OFFERS, PATIENTS, st.sampled_from(["", "amended", "amendment_refused", "taken"]))
@settings(max_examples=examples(40))
def test_whatever_is_said_the_schema_takes_it(
    schema: xmlschema.XMLSchema, offer: Offer, patient: Patient, code: str
) -> None:
    dispatch = Dispatch(
        id=offer.id, offer=offer, pickup=(-73.9701, 40.7801), dropoff=(0.0, 1e-7), patient=patient
    )
    closed = OfferClosed(offer_id="r1.1", state="cancelled", code=code)
    for said in (
        orders.trip_request(offer, NOW, NEW_YORK),
        orders.order(dispatch, "metro", NOW, NEW_YORK),
        orders.task(dispatch, NOW, NEW_YORK),
        orders.cancellation("r1.1", closed, NOW, NEW_YORK),
    ):
        schema.validate(said.decode())


def test_a_number_that_would_lose_a_part_is_told_in_words() -> None:
    for phone, digits in (
        ("+1 (555) 010-0199", "15550100199"),
        ("555-0100 ext. 12", ""),
        ("", ""),
        ("(020) 7946 0958", ""),  # a whole number begins with no 0
        ("+49 (0)30 12345", ""),  # nor has this one a 0 that is dialled
        (" 555-0100 ", "5550100"),
        ("555-010-0199/0188", ""),  # two of them
        ("555-010-0199 555-010-0188", ""),
    ):
        patient = Patient(name="N", phone=phone)
        assert orders.digits(patient) == digits
        numbers = (Identifier(system="broker", value="TRIP 9"), Identifier(value="ORD 1"))
        dispatch = Dispatch(
            id="r1.1", offer=OFFER, pickup=(-73.97, 40.78), patient=patient, identifiers=numbers
        )
        told = ET.fromstring(orders.order(dispatch, "metro", NOW, NEW_YORK))
        (words,) = told.iter("manualDescriptionAddress")
        assert (phone in words.attrib["manualText"]) is not bool(digits)
        assert words.attrib["manualText"].endswith("number TRIP 9; number ORD 1")


def test_every_event_that_is_said_is_a_vendors() -> None:
    vendors = event_types(To.VENDOR)
    for said in TELEGRAMS.values():
        assert said.keys() <= vendors.keys()


async def test_a_change_is_a_trip_request_once_more_and_then_another_order(
    centre: Centre, schema: xmlschema.XMLSchema
) -> None:
    api = centre.api
    async with centre.called():
        await offered(centre)
        await centre.heard(1)
        assert (await centre.send(centre.says("tripRequestResponse", YES)))[0] == 200
        later = {"earliest": "2026-03-03T15:30:00Z", "latest": "2026-03-03T16:00:00Z"}
        assert (await api.call("POST", "/requests/r1/amend", {"pickup_window": later}))[0] == 200
        asked = (await centre.heard(3))[-1]
        assert (asked.tag, clock(asked, "pickupTime")) == ("tripRequest", "2026-03-03T10:30:00-05:00")
        _, view = await api.call("GET", "/requests/r1")
        until_when = dt.datetime.fromisoformat(view["amendments"][0]["expires_at"]).astimezone(NEW_YORK)
        for each in ("amendment=1", f"expires_at={until_when.replace(microsecond=0).isoformat()}"):
            assert each in asked.attrib["openAttribute"]
        assert PATIENT["name"] not in ET.tostring(asked, encoding="unicode")
        assert (await centre.send(centre.says("tripRequestResponse", YES)))[0] == 200
        order = (await centre.heard(4))[-1]
        assert (order.tag, clock(order, "pickupTime")) == (
            "clientOrderConfirmation",
            "2026-03-03T10:30:00-05:00",
        )
        await api.call("POST", "/requests/r1/cancel")
        gone = (await centre.heard(5))[-1]
        assert (gone.tag, gone.attrib["reason"]) == ("tripCancelRequest", "UNABLE_TO_MAKE_TRIP")
    for _, body in centre.receiver.calls:
        schema.validate(body.decode())


async def test_a_refused_counter_offer_is_the_trip_request_as_it_was_and_ones_own_no_is_no_news(
    centre: Centre,
) -> None:
    async with centre.called():
        await offered(centre)
        dear = centre.says("tripRequestResponse", YES, attributes="fareAmount='99'")
        assert (await centre.send(dear))[0] == 200
        await centre.api.call("POST", "/offers/r1.1/counter/refuse", {"number": 1}, role=Role.COORDINATOR)
        first, again = await centre.heard(2)
        assert (again.tag, again.attrib) == (first.tag, first.attrib)
        no = centre.says("tripRequestResponse", "<tripAvailable>false</tripAvailable>")
        assert (await centre.send(no))[0] == 200
        await centre.api.call("POST", "/requests", trip("r2"))
        await offered(centre, name="r2")
        assert text((await centre.heard(3))[-1], "tripRequestId") == "r2.1", "no word of r1 before it"


async def test_a_centre_hears_what_its_driver_gave_back_on_the_phone(centre: Centre) -> None:
    """It would send a van; and it may say that it has heard."""
    async with centre.called():
        await offered(centre)
        assert (await centre.send(centre.says("tripRequestResponse", YES)))[0] == 200
        await centre.heard(2)
        back = {"status": "turned_back", "code": "NO_VEHICLES_AVAILABLE"}
        path = "/dispatches/r1.1/status"
        assert (await centre.api.call("POST", path, back, role=Role.VENDOR, vendor="v1"))[0] == 200
        gone = (await centre.heard(3))[-1]
        assert (gone.tag, gone.attrib["reason"]) == ("tripCancelRequest", "OTHER")
    assert (await centre.send(centre.says("tripCancelResponse", cancel(True, "client"))))[0] == 200


async def test_what_has_ended_by_then_is_not_sent_and_shown_to_nobody(centre: Centre) -> None:
    """A centre that was away; one that has all sent once more: no trip without an end, no patient's name."""
    api = centre.api

    async def hook(step: str, body: dict[str, str] | None = None) -> None:
        path = f"/webhooks/{centre.hook}/{step}"
        assert (await api.call("POST", path, body, role=Role.VENDOR, vendor="v1"))[0] == 200

    async with centre.called():
        await hook("disable")
        for name in ("r2", "r1"):
            await api.call("POST", "/requests", trip(name))
            await offered(centre, name=name)
        await api.call("POST", "/requests/r2/cancel")
        await hook("enable")
        told = sorted((text(each, "tripRequestId"), each.tag) for each in await centre.heard(3))
        off = [("r2.1", "tripCancelRequest"), ("r2.1", "tripRequest")]
        assert told == [("r1.1", "tripRequest"), *off]
        assert (await centre.send(centre.says("tripRequestResponse", YES)))[0] == 200
        await centre.heard(4)
        api.clock.ms = to_ms(AT + dt.timedelta(minutes=40))
        done = at("pickupTime", "10:00") + at("dropoffTime", "10:30")
        assert (await centre.send(centre.says("tripTaskCompletion", f"<cost>0</cost>{done}")))[0] == 200
        await centre.log(4)
        await hook("replay", {"after": "0-0"})
        log = await centre.log(8)
        assert [outcome for _, outcome in log[4:]].count("skipped") == 2, "of r1"
        assert sorted((text(each, "tripRequestId"), each.tag) for each in (await centre.heard(6))[4:]) == off
    _, shown = await api.call("GET", "/patient-reads?request_id=r1", role=Role.OPS)
    assert len(shown["reads"]) == 1, "when the order was sent"


async def test_of_what_is_forgotten_nothing_is_said(centre: Centre) -> None:
    """A cancellation without its trip; it may have been equipment's."""
    api, wanted = centre.api, {"url": "https://vans.example/tds", "form": "tcrp210"}
    _, made = await api.call("POST", "/webhooks", wanted, role=Role.VENDOR, vendor="v1")
    hook = await api.store.market(api.market).webhooks.records.get(made["id"])
    assert hook is not None
    closed = {"offer_id": "r1.1", "state": "cancelled", "code": ""}
    event = {"type": "dispatch.offer.closed", "time": NOW.isoformat(), "data": closed}
    await offered(centre)
    form = forms(api.service)[hook.form]
    said = [await form.body(api.market, hook, event | {"subject": name}) for name in ("r1.1", "gone.1")]
    assert [each is not None for each in said] == [True, False]


async def test_equipment_has_no_telegram_and_the_log_says_so(centre: Centre) -> None:
    api = centre.api
    order = {
        "kind": "equipment",
        "id": "e1",
        "place": {"position": [-73.97, 40.78]},
        "window": {"earliest": AT.isoformat(), "latest": (AT + dt.timedelta(hours=2)).isoformat()},
        "lines": [{"hcpcs": "E1390"}],
    }
    pools = [{"id": each, "serves": [each], "units": [2]} for each in ("equipment", "wheelchair")]
    posted = {"kind": "pools", "pools": pools}
    status, told = await api.call("PUT", f"/vendors/v1/capacity/{DAY}", posted, role=Role.OPS, if_match='"1"')
    assert status == 200, told
    async with centre.called():
        status, told = await api.call("POST", "/requests", order)
        assert status == 202, told
        await offered(centre, name="e1")
        await offered(centre)
        assert text((await centre.heard(1))[-1], "tripRequestId") == "r1.1"
        await api.call("POST", "/requests/e1/cancel")
        await api.call("POST", "/requests/r1/cancel")
        assert [each.tag for each in await centre.heard(2)] == ["tripRequest", "tripCancelRequest"]
        log = await centre.log(4)
        assert log.count(("dispatch.offer.made", "skipped")) == 1
        assert log.count(("dispatch.offer.closed", "skipped")) == 1


async def test_vehicles_hear_of_dispatches_alone_and_a_test_call_says_nothing(
    centre: Centre, schema: xmlschema.XMLSchema
) -> None:
    async with centre.called("tcrp210_tasks"):
        await centre.api.call("POST", f"/webhooks/{centre.hook}/test", role=Role.VENDOR, vendor="v1")
        (ping,) = await centre.heard(1)
        assert ping.tag == "telegram"
        await offered(centre)
        order = at("scheduledPickupTime", "10:00") + "<scheduledPickupPoint/><scheduledDropoffPoint/>"
        said = centre.says("providerOrderConfirmation", order, attributes="vehicleNumber='van 7'")
        assert (await centre.send(said))[0] == 200
        task = (await centre.heard(2))[-1]
        assert (task.tag, text(task, "tripTaskId"), text(task, "customerName")) == (
            "tripTask",
            "van 7",
            PATIENT["name"],
        )
        assert "hard of hearing" in task.attrib["notesForDriver"]
        await centre.api.call("POST", "/requests/r1/cancel")
    for _, body in centre.receiver.calls:
        schema.validate(body.decode())


async def test_a_form_has_its_own_events_and_is_a_vendors(centre: Centre) -> None:
    api, url = centre.api, "https://vans.example/tds"
    asked = {"url": url, "form": "tcrp210", "events": ["dispatch.offer.made", "dispatch.dispatch.priced"]}
    status, problem = await api.call("POST", "/webhooks", asked, role=Role.VENDOR, vendor="v1")
    assert (status, problem["errors"][0]["pointer"]) == (422, "/events/1")
    asked |= {"events": ["dispatch.offer.made"]}
    _, hook = await api.call("POST", "/webhooks", asked, role=Role.VENDOR, vendor="v1")
    path = f"/webhooks/{hook['id']}"
    status, told = await api.call("PUT", path, {"url": url}, role=Role.VENDOR, vendor="v1")
    assert (status, told["form"], told["events"]) == (200, "tcrp210", []), "who does not know it leaves it"
    status, told = await api.call(
        "PUT", path, {"url": url, "form": "cloudevents"}, role=Role.VENDOR, vendor="v1"
    )
    assert (status, told["form"]) == (200, "cloudevents")
    status, problem = await api.call("POST", "/webhooks", {"url": url, "form": "tcrp210"})
    assert (status, problem["errors"][0]["pointer"]) == (422, "/form")
