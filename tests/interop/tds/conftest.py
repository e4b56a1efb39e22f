"""A vendor whose dispatch centre speaks TCRP 210, over real HTTP both ways; and the schema as judge."""

from __future__ import annotations

import asyncio
import contextlib
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from standardwebhooks import Webhook

from contracts.codes import Role
from contracts.webhooks import WebhookForm
from dispatcher.delivery import hub
from dispatcher.delivery.hub import Hub
from dispatcher.delivery.webhooks import callers
from dispatcher.delivery.webhooks.callers import Callers
from dispatcher.delivery.webhooks.sending import Poster
from dispatcher.http.routing import Routes
from dispatcher.interop.tds import routes
from dispatcher.interop.tds.form import forms
from dispatcher.runtime.addresses import Networks
from tests.conftest import SHARED_DATA
from tests.delivery.receivers import Receiver, webhook
from tests.http import conftest as http
from tests.http.conftest import Api, trip
from tests.http.test_by_hand import add, put_to

# what a test of the HTTP interface has, a test of telegrams has
api, store, market, limits = http.api, http.store, http.market, http.limits
cancelling, registry, engine = http.cancelling, http.registry, http.engine
SCHEMA = SHARED_DATA / "tds" / "tcrp210.xsd"
LOOPBACK = Networks("127.0.0.0/8")
PATIENT = {
    "name": "Nobody Example",
    "phone": "+1 (555) 010-0199",
    "pickup_address": "1 Imaginary Street <flat> & 2",
    "dropoff_address": "Ward 7",
    "record_number": "MRN-77",
    "notes": "hard of hearing",
}
CARRIES = {
    "max_oxygen_l_min": 6.0,
    "max_escorts": 2,
    "max_stairs": 20,
    "skills": ["door_through_door"],
    "hcpcs": ["E1390"],
}
NEEDS = {"oxygen_l_min": 2.0, "escorts": 1, "stairs": 3, "door_level": "door_through_door"}


@pytest.fixture(scope="session")
def schema() -> xmlschema.XMLSchema:
    """The schema of TCRP 210, which nobody here wrote."""
    if not SCHEMA.is_file():
        pytest.skip("the schema of TCRP 210 is not there: ../shared/data/tds")
    return xmlschema.XMLSchema(Path(SCHEMA))


@pytest.fixture
def more_routes() -> tuple[Routes, ...]:
    """The telegrams' own."""
    return (routes.ROUTES,)


class Centre:
    """What a dispatch centre does: it is called with telegrams, and sends some."""

    def __init__(self, api: Api) -> None:
        self.api, self.receiver, self.number, self.hook = api, Receiver(), 0, ""

    async def send(self, telegram: str | bytes, vendor: str = "v1", **headers: str) -> tuple[int, Any]:
        """Status, and the answer: XML as a tree, a problem as its members."""
        body = telegram.encode() if isinstance(telegram, str) else telegram
        more = {"Content-Type": "application/xml"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        sent = {"Authorization": f"Bearer {self.api.token(Role.VENDOR, vendor=vendor)}"} | more
        path = f"{self.api.base}/vendors/{vendor}/telegrams"
        async with self.api.client.post(path, data=body, headers=sent) as answer:
            raw = await answer.read()
            is_xml = answer.content_type == "application/xml"
            return answer.status, ET.fromstring(raw) if is_xml else await answer.json(content_type=None)

    def says(
        self, name: str, inner: str = "", trip_id: str = "r1.1", attributes: str = "", kind: str = ""
    ) -> str:
        """A telegram, each with a timestamp of its own; its sender's clock stands still."""
        self.number += 1
        kind = kind or name[0].upper() + name[1:]
        return (
            f"<{name} {attributes}><tripRequestId>{trip_id}</tripRequestId>"
            f"<telegramType>{kind}</telegramType>"
            f'<timestamp time="2026-03-02T09:00:{self.number:02}"/>{inner}</{name}>'
        )

    async def state(self, name: str = "r1") -> tuple[str, str | None]:
        """Of the request, and what its vendor reported last."""
        _, view = await self.api.call("GET", f"/requests/{name}")
        return view["state"], view.get("status")

    @contextlib.asynccontextmanager
    async def called(self, form: str = "tcrp210", **more: Any) -> AsyncIterator[None]:
        """Its webhook, and what calls it, until the block ends."""
        self.api.service.webhooks.networks = LOOPBACK
        async with webhook(self.receiver) as url:
            wanted = {"url": url, "form": form} | more
            status, hook = await self.api.call("POST", "/webhooks", wanted, role=Role.VENDOR, vendor="v1")
            assert (status, hook.get("form")) == (201, form), hook
            self.hook = hook["id"]
            listening, poster = Hub(self.api.store), Poster(LOOPBACK)
            calling = Callers(self.api.service, listening, poster, "one", forms(self.api.service))
            task = asyncio.create_task(calling.run(self.api.market))
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                await poster.aclose()
                await listening.aclose()

    async def heard(self, count: int) -> list[ET.Element]:
        """So many telegrams as they came, each signed."""
        _, told = await self.api.call("GET", f"/webhooks/{self.hook}/secret", role=Role.VENDOR, vendor="v1")
        await until(lambda: len(self.receiver.calls) >= count)
        for headers, body in self.receiver.calls:
            assert headers["Content-Type"].startswith("application/xml")
            Webhook(told["secret"]).verify(body, headers, json_parse=False)
        assert len(self.receiver.calls) == count
        return [ET.fromstring(body) for _, body in self.receiver.calls]

    async def log(self, count: int) -> list[tuple[str, str]]:
        """What became of so many calls, once it is noted: type and outcome, the first one first."""
        async with asyncio.timeout(20):
            while len(found := await self._noted()) < count:
                await asyncio.sleep(0.05)
        assert len(found) == count
        return found

    async def _noted(self) -> list[tuple[str, str]]:
        _, page = await self.api.call(
            "GET", f"/webhooks/{self.hook}/deliveries", role=Role.VENDOR, vendor="v1"
        )
        return [(each["type"], each["outcome"]) for each in reversed(page["deliveries"])]


async def until(holds: Callable[[], Any]) -> None:
    """Until it holds; so long only where it never comes."""
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


def text(telegram: ET.Element, path: str) -> str | None:
    """An element's."""
    found = telegram.find(path)
    return None if found is None else found.text


def clock(telegram: ET.Element, path: str) -> str:
    """What a `time` says."""
    found = telegram.find(path)
    assert found is not None, path
    return found.attrib["time"]


@pytest.fixture
async def centre(api: Api, monkeypatch: pytest.MonkeyPatch) -> Centre:
    """Of v1, to which a ride tomorrow at ten is put."""
    monkeypatch.setattr(hub, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(hub, "WAIT_S", 0.02)
    monkeypatch.setattr(callers, "LOOK_EVERY_S", 0.02)
    for name in ("v1", "v2"):
        await add(api, name, units=20, **CARRIES)
    status, told = await api.call("POST", "/requests", trip("r1", patient=PATIENT, needs=NEEDS))
    assert status == 202, told
    return Centre(api)


async def offered(centre: Centre, vendor: str = "v1", name: str = "r1") -> None:
    """The request is put to a vendor by hand."""
    status, told = await put_to(centre.api, vendor, name)
    assert status == 200, told


__all__ = ["NEEDS", "PATIENT", "Centre", "WebhookForm", "clock", "offered", "text", "until"]
