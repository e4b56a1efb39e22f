"""A request that is put to many vendors at once, or down a chain: who has it, and who is told what (HTTP)."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from contracts.codes import Role
from dispatcher.audit.auditor import audit
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.market import Market
from tests.http.conftest import NOW, Api, trip
from tests.http.test_by_hand import VENDOR
from tests.http.test_versions import POOLS

MANY = 32
SOON = {
    "pickup_window": {
        "earliest": (NOW + timedelta(minutes=80)).isoformat(),
        "latest": (NOW + timedelta(minutes=110)).isoformat(),
    }
}


class Town:
    """Vendors with a van each, and a matcher that is asked by hand."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.market = Market(api.store.market(api.market), ZoneInfo("America/New_York"), api.clock)
        self.own: Ownership | None = None

    async def open(self, count: int, **values: Any) -> None:
        await asyncio.gather(*(self._add(f"v{n:02}", n) for n in range(count)))
        if values:
            tuned = await self.api.call("PUT", "/tuning", {"values": values}, role=Role.OPS, if_match='"0"')
            assert tuned[0] == 200, tuned
        fence = await self.market.stored.lease.acquire("test", 60_000)
        assert fence is not None
        self.own = Ownership(self.api.service.executor, fence)

    async def _add(self, name: str, number: int) -> None:
        fare = {"level_of_service": "wheelchair", "base_cents": 3000 + number}
        made = VENDOR | {"id": name, "rate_card": {"fares": [fare]}}
        assert (await self.api.call("PUT", f"/vendors/{name}", made, role=Role.OPS))[0] == 201
        pool = POOLS["pools"][0] | {"units": [1]}  # type: ignore[index]
        posted = POOLS | {"pools": [pool]}
        day = NOW.astimezone(ZoneInfo("America/New_York")).date().isoformat()
        assert (await self.api.call("PUT", f"/vendors/{name}/capacity/{day}", posted, role=Role.OPS))[
            0
        ] == 201

    async def match(self, name: str, **asked: Any) -> dict[str, Any]:
        status, found = await self.api.call("POST", "/requests", trip(name, **SOON, **asked))
        assert status == 202, found
        assert self.own is not None
        await self.market.refresh()
        await match_imminent(self.own, self.market, [name])
        return await self.read(name)

    async def read(self, name: str) -> dict[str, Any]:
        return (await self.api.call("GET", f"/requests/{name}"))[1]

    async def answer(self, attempt: dict[str, Any], step: str = "accept", **body: Any) -> tuple[int, Any]:
        path = f"/offers/{attempt['id']}/{step}"
        return await self.api.call("POST", path, body, role=Role.VENDOR, vendor=attempt["vendor_id"])

    async def is_sound(self, *names: str) -> None:
        assert (await audit(self.api.store.reader, self.api.market, names))["findings"] == []


@pytest.fixture
def town(api: Api) -> Town:
    return Town(api)


async def test_of_32_vendors_that_accept_one_broadcast_at_once_one_has_it_and_the_others_hear_taken(
    town: Town,
) -> None:
    await town.open(MANY, broadcast_services=["wheelchair"], broadcast_offers=MANY, max_attempts=MANY)
    view = await town.match("r1")
    assert Counter(each["state"] for each in view["attempts"]) == {"requested": MANY}
    assert {each["mode"] for each in view["attempts"]} == {"broadcast"}
    answers = await asyncio.gather(*(town.answer(each) for each in view["attempts"]))
    assert Counter(status for status, _ in answers) == {200: 1, 409: MANY - 1}
    assert all("(taken)" in body["detail"] for status, body in answers if status == 409)
    after = await town.read("r1")
    assert Counter((each["state"], each.get("code", "")) for each in after["attempts"]) == {
        ("accepted", ""): 1,
        ("cancelled", "taken"): MANY - 1,
    }
    await town.is_sound("r1")
