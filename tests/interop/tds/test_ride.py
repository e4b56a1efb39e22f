"""A ride from offer to statement, by telegrams over HTTP alone."""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET

import xmlschema

from contracts.codes import Role
from contracts.instants import to_ms
from dispatcher.audit.auditor import audit
from tests.http.conftest import NOW
from tests.interop.tds.conftest import PATIENT, Centre, clock, offered, text

AT = NOW + dt.timedelta(days=1)  # ten o'clock in New York, in winter
PLACE = (
    "<GPS precision='10'><typeOfCoordinate>WGS84</typeOfCoordinate><lat>40.78</lat><long>-73.97</long></GPS>"
)
WHO = (
    "<driverInfo><id>44</id><firstName>A</firstName><lastName>B</lastName></driverInfo>"
    "<vehicleInfo><id>7</id><number>12</number></vehicleInfo>"
)


async def test_from_offer_to_statement(centre: Centre, schema: xmlschema.XMLSchema) -> None:
    api = centre.api
    async with centre.called():
        await offered(centre)
        (request,) = await centre.heard(1)
        whole = ET.tostring(request, encoding="unicode")
        assert (request.tag, text(request, "tripRequestId")) == ("tripRequest", "r1.1")
        assert clock(request, "pickupTime") == "2026-03-03T10:00:00-05:00"
        assert request.attrib["specialAttributes"] == "W DTD O"
        assert not [each for each in PATIENT.values() if each in whole], "no one's name before acceptance"
        assert "40.78" not in whole, "nor a door"

        yes = centre.says("tripRequestResponse", "<tripAvailable>true</tripAvailable>")
        assert (await centre.send(yes))[0] == 200
        order = (await centre.heard(2))[-1]
        assert order.tag == "clientOrderConfirmation"
        assert text(order, "customerName") == PATIENT["name"]
        assert text(order, "customerMobilePhone") == "15550100199"
        assert text(order, "detailedPickupLocationDescription") == PATIENT["pickup_address"]
        assert text(order, "pickupAddress/geographicLocation/lat") == "40.78"
        assert "MRN-77" not in ET.tostring(order, encoding="unicode")

        api.clock.ms = to_ms(AT)
        arrived = centre.says(
            "tripPickupArrivalConfirmation",
            f"{WHO}{PLACE}<passengerBoarded>false</passengerBoarded>",
            kind="TripTaskStatus",
        ).replace("2026-03-02T09:00", "2026-03-03T09:58")
        assert (await centre.send(arrived))[0] == 200
        assert await centre.state() == ("in_progress", "at_pickup")
        api.clock.ms = to_ms(AT + dt.timedelta(minutes=40))
        done = centre.says(
            "tripTaskCompletion",
            '<cost>45</cost><pickupTime time="2026-03-03T10:02:00"/><dropoffTime time="2026-03-03T10:31:00"/>'
            '<performedDropoffTime time="2026-03-03T10:30:00"/>',
        )
        status, receipt = await centre.send(done)
        assert status == 200
        assert await centre.state() == ("completed", "completed")
        schema.validate(receipt)
        assert receipt.tag == "tripScheduledConfirmation"

    for _, body in centre.receiver.calls:
        schema.validate(body.decode())
    _, price = await api.call("GET", "/dispatches/r1.1/price", role=Role.VENDOR, vendor="v1")
    _, owed = await api.call("GET", "/vendors/v1/statements/2026-03", role=Role.VENDOR, vendor="v1")
    assert owed["cents"] == price["price_cents"] > 0
    assert receipt.attrib["paymentRejected"] == str(price["price_cents"] != 4500).lower()
    _, proof = await api.call("GET", "/dispatches/r1.1/proof", role=Role.VENDOR, vendor="v1")
    assert [each["report"]["part"] for each in proof["parts"]] == ["pickup", "dropoff"]
    assert [each["at"] for each in proof["parts"]] == ["2026-03-03T14:58:02Z", "2026-03-03T15:30:00Z"]
    assert (await audit(api.store.reader, api.market, []))["findings"] == []
