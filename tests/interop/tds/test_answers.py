"""What a vendor's telegrams do: the same as its calls over HTTP, once, or nothing and a clear error."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from contracts.codes import Role
from contracts.instants import HOUR_MS, to_ms
from dispatcher.http.server import LANES
from tests.http.conftest import NOW, trip
from tests.interop.tds.conftest import Centre, offered

AT = NOW + dt.timedelta(days=1)
YES, NO = "<tripAvailable>true</tripAvailable>", "<tripAvailable>false</tripAvailable>"
PLACE = "<GPS precision='10'><typeOfCoordinate>WGS84</typeOfCoordinate><lat>{}</lat><long>{}</long></GPS>"
GPS = PLACE.format("40.78", "-73.97")
WHO = (
    "<driverInfo><id>44</id><firstName>A</firstName><lastName>B</lastName></driverInfo>"
    "<vehicleInfo><id>7</id><number>12</number></vehicleInfo>"
)
NOWHERE = "<scheduledPickupPoint/><scheduledDropoffPoint/>"


def at(name: str, time: str, **more: object) -> str:
    """An element of the schema's type `time`; a clock alone is tomorrow's."""
    said = time if "T" in time else f"2026-03-03T{time}:00"
    words = " ".join(f"{key}='{value}'" for key, value in more.items())
    return f"<{name} time='{said}' {words}/>"


def status(position: str = GPS, time: str = "09:40") -> str:
    return f"<vehicleNumber>12</vehicleNumber>{position}{at('timecode', time)}"


def cancel(approved: bool, origin: str) -> str:
    return (
        f"{at('cancellationTime', '10:05')}"
        f"<cancellationApproved>{str(approved).lower()}</cancellationApproved>"
        f"<cancellationRequestOrigin>{origin}</cancellationRequestOrigin>"
    )


async def attempt(centre: Centre, name: str = "r1") -> dict[str, Any]:
    _, view = await centre.api.call("GET", f"/requests/{name}")
    found: dict[str, Any] = view["attempts"][-1]
    return found


async def taken(centre: Centre, *names: str) -> None:
    """These rides are v1's, and it is five past their hour."""
    for name in names or ("r1",):
        if names:
            await centre.api.call("POST", "/requests", trip(name))
        await offered(centre, name=name)
        assert (await centre.send(centre.says("tripRequestResponse", YES, f"{name}.1")))[0] == 200
    centre.api.clock.ms = to_ms(AT + dt.timedelta(minutes=5))


async def test_a_yes_with_the_time_that_was_offered_accepts_in_whatever_way_it_is_written(
    centre: Centre,
) -> None:
    await offered(centre)
    same = at("scheduledPickupTime", "2026-03-03T15:00:20Z", timeZoneIdentifer="America/New_York")
    code, receipt = await centre.send(
        centre.says("tripRequestResponse", same, attributes="fareAmount='0' transportServices='WHEELCHAIR x'")
    )
    assert (code, receipt.tag, receipt.find("telegramType").text) == (200, "telegram", "TripRequestResponse")
    assert receipt.find("timestamp").attrib["time"] == "2026-03-02T09:00:01", "of what it answers"
    assert (await centre.state())[0] == "accepted"
    assert (await attempt(centre)).get("counter") is None


@pytest.mark.parametrize(
    ("inner", "attributes", "terms"),
    [
        (YES + at("scheduledPickupTime", "10:20"), "", ("taken", 20, 0)),
        (at("scheduledPickupTime", "10:20", timeZoneOffset=-5), "", ("taken", 20, 0)),
        (YES + at("scheduledPickupTime", "11:00"), "", ("pending", 60, 0)),
        (YES, "fareAmount='60.00'", ("pending", 0, None)),
    ],
)
async def test_another_time_or_price_is_a_counter_offer(
    centre: Centre, inner: str, attributes: str, terms: tuple[str, int, int | None]
) -> None:
    await offered(centre)
    _, before = await centre.api.call("GET", "/offers", role=Role.VENDOR, vendor="v1")
    said = centre.says("tripRequestResponse", inner, attributes=attributes)
    assert (await centre.send(said))[0] == 200
    counter = (await attempt(centre))["counter"]
    more = 6_000 - before["offers"][0]["price_cents"] if terms[2] is None else terms[2]
    assert (counter["state"], counter["start_shift_minutes"], counter["more_cents"]) == (*terms[:2], more)


async def test_a_telegram_has_its_effect_once_however_often_it_comes(centre: Centre) -> None:
    await offered(centre)
    first, second = (
        centre.says("tripRequestResponse", YES, attributes=f"fareAmount='{fare}'") for fare in (70, 60)
    )
    for said in (first, second, first, first.replace("><", ">\n  <").replace("'70'", ' "70"')):
        assert (await centre.send(said))[0] == 200
    counter = (await attempt(centre))["counter"]
    assert (counter["number"], counter["price_cents"]) == (2, 6_000), "the first did not come again"
    code, problem = await centre.send(second, Idempotency_Key="k1")
    assert code == 200, "the same is known already"
    code, problem = await centre.send(first, Idempotency_Key="k1")
    assert (code, problem["type"]) == (422, "/problems/id-reused")


async def test_a_no_declines_by_its_reason(centre: Centre) -> None:
    await offered(centre)
    reason = "<tripRejectionReason> BAD_WEATHER </tripRejectionReason>"
    said = centre.says("tripRequestResponse", NO + reason)
    assert [(await centre.send(said))[0] for _ in range(2)] == [200, 200]
    found = await attempt(centre)
    assert (found["state"], found["code"]) == ("rejected", "BAD_WEATHER")
    code, problem = await centre.send(centre.says("tripRequestResponse", YES))
    assert (code, problem["type"], problem["state"]) == (409, "/problems/wrong-state", "rejected")


async def test_of_an_open_offer_an_order_confirmation_accepts_and_a_cancellation_declines(
    centre: Centre,
) -> None:
    await offered(centre)
    order = at("scheduledPickupTime", "10:00") + NOWHERE
    said = centre.says("providerOrderConfirmation", order, attributes="vehicleNumber='van 7'")
    assert [(await centre.send(said))[0] for _ in range(2)] == [200, 200]
    _, thread = await centre.api.call("GET", "/dispatches/r1.1/messages")
    assert thread["messages"] == [], "once more, it says nothing else"
    found = await attempt(centre)
    assert (found["state"], found["reference"]) == ("accepted", "van 7")
    await centre.api.call("POST", "/requests", trip("r2"))
    await offered(centre, name="r2")
    said = centre.says("tripCancelRequest", at("cancellationTime", "09:00"), "r2.1")
    code, receipt = await centre.send(said)
    assert (code, receipt.tag, receipt.find("cancellationRequestOrigin").text) == (
        200,
        "tripCancelResponse",
        "provider",
    )
    assert ((await attempt(centre, "r2"))["state"], (await attempt(centre, "r2"))["code"]) == (
        "rejected",
        "OTHER",
    )


async def test_a_vehicle_is_told_to_the_coordinator_and_the_agreed_hour_is_not_moved(centre: Centre) -> None:
    await taken(centre)
    words = "<vehicleNumber>12</vehicleNumber><driverId>44</driverId>"
    said = centre.says("vehicleConfirmation", words, attributes="hasLift='true' hasRamp='0'")
    assert [(await centre.send(said))[0] for _ in range(2)] == [200, 200]
    order = at("scheduledPickupTime", "10:25") + NOWHERE
    said = centre.says("providerOrderConfirmation", order, attributes="vehicleNumber='13'")
    assert (await centre.send(said))[0] == 200, "within the window"
    _, thread = await centre.api.call("GET", "/dispatches/r1.1/messages")
    assert [each["text"] for each in thread["messages"]] == ["Vehicle 12, driver 44, with lift", "Vehicle 13"]
    said = centre.says("providerOrderConfirmation", order.replace("10:25", "10:45"))
    code, problem = await centre.send(said)
    assert (code, problem["element"]) == (422, "scheduledPickupTime")


TASK = (
    "<tripTaskId>1</tripTaskId><customerLocInDropoffSequence>002</customerLocInDropoffSequence>"
    + at("nodePerformedTime", "10:04")
    + "<vehicleNumber>7</vehicleNumber>"
)
REPORTS = [
    ("tripTaskStatus", status(), "odometerReading='10.5'", ("in_progress", "en_route")),
    ("realtimeTripUpdate", WHO, "", ("accepted", None)),  # by its timestamp a day before
    ("realtimeVehiclePosition", WHO[WHO.index("<vehicleInfo") :] + GPS, "", ("accepted", None)),
    ("tripTaskConfirmation", TASK, "tripStatus='performed'", ("completed", "completed")),
    ("tripTaskConfirmation", TASK, "tripStatus='no show'", ("no_show", "no_show")),
    ("tripTaskConfirmation", TASK, "tripStatus='no pickup'", ("failed", "failed")),
    ("tripCancelResponse", cancel(True, "provider"), "reason='NOT_READY'", ("no_show", "no_show")),
    ("tripCancelResponse", cancel(True, "provider"), "", ("matching", None)),
    ("tripCancelRequest", at("cancellationTime", "10:05"), "reason='OTHER'", ("matching", None)),
    ("tripScheduledConfirmation", "<dataReceived>1</dataReceived>", "", ("accepted", None)),
]


async def test_reports(centre: Centre) -> None:
    await taken(centre, *(f"q{number}" for number in range(len(REPORTS))))
    for number, (name, inner, attributes, ends) in enumerate(REPORTS):
        kind = "TripTaskStatus" if name.startswith("real") else ""
        said = centre.says(name, inner, f"q{number}.1", attributes=attributes, kind=kind)
        for _ in range(2):
            code, told = await centre.send(said)
            assert code == 200, told
        assert await centre.state(f"q{number}") == ends, name


async def test_a_cancellation_of_ours_is_acknowledged_and_not_answered_no(centre: Centre) -> None:
    await taken(centre)
    yes, no = (centre.says("tripCancelResponse", cancel(each, "client")) for each in (True, False))
    assert (await centre.send(yes))[0] == 409, "nobody cancelled it"
    await centre.api.call("POST", "/requests/r1/cancel")
    assert [(await centre.send(each))[0] for each in (yes, no)] == [200, 409]


async def test_what_was_proved_otherwise_stays_where_a_telegram_says_less(centre: Centre) -> None:
    await taken(centre)
    signed = {"part": "dropoff", "signature": {"refused": "unable"}, "odometer_miles": 12.5}
    await centre.api.call("POST", "/dispatches/r1.1/proof", signed, role=Role.VENDOR, vendor="v1")
    centre.api.clock.ms += HOUR_MS
    where = GPS.replace("GPS", "geographicLocation")
    done = (
        "<cost>1e1</cost>"
        + at("pickupTime", "10:02")
        + at("dropoffTime", "10:30")
        + f"<performedDropoffPoint>{where}</performedDropoffPoint>"
    )
    assert (await centre.send(centre.says("tripTaskCompletion", done)))[0] == 200
    _, proof = await centre.api.call("GET", "/dispatches/r1.1/proof", role=Role.OPS)
    last = next(each["report"] for each in proof["parts"] if each["counts"])
    assert (last["signature"], last["odometer_miles"]) == ({"refused": "unable"}, 12.5)
    assert (last["position"], last["at"]) == ([-73.97, 40.78], "2026-03-03T15:30:00Z")


async def test_an_amendment_is_agreed_to_or_refused_as_a_trip_request_is(centre: Centre) -> None:
    await offered(centre)
    first = centre.says("tripRequestResponse", YES)
    assert (await centre.send(first))[0] == 200
    later = {"earliest": "2026-03-03T15:30:00Z", "latest": "2026-03-03T16:00:00Z"}
    code, told = await centre.api.call("POST", "/requests/r1/amend", {"pickup_window": later})
    assert code == 200, told
    assert (await centre.send(first))[0] == 200
    _, view = await centre.api.call("GET", "/requests/r1")
    assert view["amendments"][-1]["outcome"] == "pending", "a yes from before answers what was asked then"
    other = YES + at("scheduledPickupTime", "10:00")
    code, problem = await centre.send(centre.says("tripRequestResponse", other))
    assert (code, "amendment" in problem["detail"]) == (422, True)
    new = YES + at("scheduledPickupTime", "10:30")
    assert (await centre.send(centre.says("tripRequestResponse", new)))[0] == 200
    _, view = await centre.api.call("GET", "/requests/r1")
    assert (view["amendments"][-1]["outcome"], view["match"]["start_at"]) == (
        "agreed",
        "2026-03-03T15:30:00Z",
    )


async def test_anothers_offer_is_not_there_and_anothers_path_neither(centre: Centre) -> None:
    await offered(centre)
    said = centre.says("tripRequestResponse", YES)
    for telegram, vendor in ((said, "v2"), (said.replace("r1.1", "r9.1"), "v1")):
        code, problem = await centre.send(telegram, vendor)
        assert (code, problem["type"]) == (404, "/problems/not-found")
    token = centre.api.token(Role.VENDOR, vendor="v2")
    code, problem = await centre.send(said, Authorization=f"Bearer {token}")
    assert (code, problem["type"]) == (404, "/problems/not-found")
    code, problem = await centre.send(said, Authorization=f"Bearer {centre.api.token(Role.OPS)}")
    assert code == 403


NOT_MEANT = [
    ("", "", "tripRequestResponse", "neither yes nor no"),
    (YES + "<tripRejectionReason>OTHER</tripRejectionReason>", "", "tripRejectionReason", "is true"),
    (NO + at("scheduledPickupTime", "10:00"), "", "scheduledPickupTime", "counter-offer"),
    (YES + "<transferPoint/>", "", "transferPoint", "door to door"),
    (
        f"{YES}<scheduledPickupPoint>{PLACE.format(41, -74)}</scheduledPickupPoint>".replace(
            "GPS", "geographicLocation"
        ),
        "",
        "scheduledPickupPoint",
        "doors are not changed",
    ),
    (YES, "fareAmount='-1'", "tripRequestResponse", "no price"),
    (YES, "fareAmount='NaN'", "tripRequestResponse", "no xsd:float"),
    (YES, "transportServices='helicopter'", "tripRequestResponse", "bariatric_wheelchair"),
    ("<tripRejectReason>OTHER</tripRejectReason>", "", "tripRejectReason", "Maybe tripRejectionReason."),
    ("<tripRejectionReason>NO_VEHICLE</tripRejectionReason>", "", "tripRejectionReason", "Maybe NO_VEHI"),
    (YES + YES, "", "tripAvailable", "there already"),
    ("<tripAvailable>yes</tripAvailable>", "", "tripAvailable", "no xsd:boolean"),
    (YES + at("scheduledPickupTime", "2026-03-08T02:30:00"), "", "scheduledPickupTime", "is skipped"),
    (YES + at("scheduledPickupTime", "tomorrow T"), "", "scheduledPickupTime", "no xsd:dateTime"),
    (YES + "text", "", "tripRequestResponse", "only elements do"),
    ("<tripAvailable><b/></tripAvailable>", "", "tripAvailable", "without elements"),
    (YES, "fareAmounts='1'", "tripRequestResponse", "Maybe fareAmount."),
    (YES, "fareAmount='-1'", "tripRequestResponse", "no price"),
    (YES, "xmlns:o='urn:o' o:x='1'", "tripRequestResponse", "urn:o"),
    (YES.replace(">true", " xmlns='urn:o'>true"), "", "tripAvailable", "namespace"),
]


async def test_what_cannot_be_meant_is_refused_with_its_place(centre: Centre) -> None:
    await offered(centre)
    for inner, attributes, place, says in NOT_MEANT:
        code, problem = await centre.send(centre.says("tripRequestResponse", inner, attributes=attributes))
        assert (code, problem.get("element"), problem.get("line")) == (422, place, 1), problem
        assert says in problem["detail"]
        assert problem["column"] > 0
    assert (await centre.state())[0] == "offered"


async def test_the_documents_name_the_call_and_vendors_answers_have_a_lane(centre: Centre) -> None:
    async with centre.api.client.get("/openapi.json") as answer:
        paths = (await answer.json())["paths"]
    (call,) = (each["post"] for path, each in paths.items() if path.endswith("/telegrams"))
    assert "application/xml" in call["requestBody"]["content"]
    assert list(call["responses"]["200"]["content"]) == ["application/xml"]
    lanes = centre.api.client.server.app[LANES]
    line = f"POST {centre.api.base}/vendors/v1/telegrams HTTP/1.1\r\n"
    assert lanes.lane(line.encode()).name == "answers"
