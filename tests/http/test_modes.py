"""A request that is put to many vendors at once, or down a chain: who has it, and who is told what (HTTP)."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from unittest.mock import ANY
from zoneinfo import ZoneInfo

import msgspec
import pytest

from contracts.codes import Role
from dispatcher.audit.auditor import audit
from dispatcher.jobs.timers import Timers
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.market import Market
from dispatcher.store.events import unpack_event
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


async def test_who_says_yes_first_and_has_no_room_any_more_is_told_so_and_the_others_stay_good(
    town: Town,
) -> None:
    await town.open(2)
    asked = [await town.match(name, offer_mode="broadcast") for name in ("r1", "r2")]
    first, second = ([each["attempts"][n] for n in (0, 1)] for each in asked)
    assert [each["vendor_id"] for each in first] == ["v00", "v01"], "the cheapest first"
    assert (await town.answer(first[0]))[0] == 200
    status, problem = await town.answer(second[0])
    assert (status, problem["type"].rpartition("/")[2]) == (409, "wrong-state")
    assert "is cancelled (no_capacity)" in problem["detail"]
    assert "post more capacity" in problem["detail"]
    assert await town.answer(second[0]) == (status, problem | {"call_id": ANY}), "said again, it is the same"
    assert [each["state"] for each in (await town.read("r2"))["attempts"]] == ["cancelled", "requested"]
    assert (await town.answer(second[1]))[0] == 200
    await town.is_sound("r1", "r2")


async def test_while_a_broadcast_collects_a_yes_is_noted_and_the_cheapest_has_it(town: Town) -> None:
    await town.open(3, broadcast_collect_s=60)
    view = await town.match("r1", offer_mode="broadcast")
    dear, cheap = view["attempts"][2], view["attempts"][1]
    for each in (dear, cheap, dear):
        status, offer = await town.answer(each)
        assert (status, offer["willing"], offer["state"]) == (202, True, "requested")
        assert offer["decided_by"] == view["collects_until"]
    assert (await town.answer(view["attempts"][0], "counter", price_cents=9_000))[0] == 200
    _, page = await town.api.call("GET", "/tasks", role=Role.OPS)
    assert [each["due_at"] for each in page["tasks"]] == [view["collects_until"]]
    town.api.clock.ms += 60_000
    await Timers(town.api.service).fire_due(town.api.market)
    after = await town.read("r1")
    states = {each["vendor_id"]: (each["state"], each.get("code", "")) for each in after["attempts"]}
    assert states == {
        "v00": ("cancelled", "taken"),
        "v01": ("accepted", ""),
        "v02": ("cancelled", "taken"),
    }
    assert (await town.answer(cheap))[0] == 200, "it has it, and is told so again"
    status, problem = await town.answer(dear, "counter", price_cents=1)
    assert (status, "is cancelled (taken)" in problem["detail"]) == (409, True)
    await town.is_sound("r1")


async def test_many_who_say_yes_at_once_while_it_collects_are_all_noted(town: Town) -> None:
    await town.open(MANY, broadcast_collect_s=60, broadcast_offers=MANY, max_attempts=MANY)
    view = await town.match("r1", offer_mode="broadcast")
    answers = await asyncio.gather(*(town.answer(each) for each in view["attempts"]))
    assert Counter(status for status, _ in answers) == {202: MANY}
    await Timers(town.api.service).fire_due(town.api.market)  # all have said it: nobody is waited for
    assert (await town.read("r1"))["match"]["vendor_id"] == "v00"
    await town.is_sound("r1")


async def test_a_chain_is_seen_by_platform_and_ops_and_by_no_vendor(town: Town) -> None:
    await town.open(3)
    view = await town.match("r1", offer_mode="cascade")
    assert [each["vendor_id"] for each in view["chain"]] == ["v01", "v02"]
    assert [each["price_cents"] for each in view["chain"]] == sorted(
        each["price_cents"] for each in view["chain"]
    )
    assert all(each["answer_s"] and each["start_at"] for each in view["chain"])
    (attempt,) = view["attempts"]
    read = await town.api.call("GET", "/offers", role=Role.VENDOR, vendor="v00")
    body = {"code": "NO_VEHICLES_AVAILABLE"}
    declined = await town.answer(attempt, "decline", **body)
    assert (read[0], declined[0]) == (200, 200)
    told = msgspec.json.encode(
        [read[1], declined[1], await heard(town, "v00"), await heard(town, "v01")]
    ).decode()
    assert "chain" not in told and "v02" not in told
    assert "v01" not in msgspec.json.encode([declined[1], await heard(town, "v00")]).decode()
    after = await town.read("r1")
    assert [(each["vendor_id"], each["state"]) for each in after["attempts"]] == [
        ("v00", "rejected"),
        ("v01", "requested"),
    ]
    assert after["state"] == "offered"
    assert [each["vendor_id"] for each in after["chain"]] == ["v02"]
    assert await town.answer(attempt, "decline", **body) == declined, "said again, nobody else is asked"
    assert len((await town.read("r1"))["attempts"]) == 2
    await town.is_sound("r1")


async def heard(town: Town, vendor_id: str) -> list[Any]:
    """What stands on a vendor's stream."""
    keys = town.market.stored.keys
    found = await town.api.store.reader.ask("XRANGE", keys.stream(vendor_id), "-", "+")
    return [msgspec.to_builtins(unpack_event(next(iter(fields.values())))) for _, fields in found]


async def test_what_is_no_mode_no_service_and_no_priority_is_refused(town: Town) -> None:
    status, problem = await town.api.call("POST", "/requests", trip("r1", offer_mode="auction"))
    assert (status, problem["type"].rpartition("/")[2]) == (422, "invalid-message")
    for values in (
        {"broadcast_services": ["bicycle"]},
        {"cascade_priorities": ["later"]},
        {"cascade_links": 7},
    ):
        sent = {"values": values}
        status, problem = await town.api.call("PUT", "/tuning", sent, role=Role.OPS, if_match='"0"')
        assert status == 422
        assert next(iter(values)) in problem["detail"]


async def test_an_acceptance_that_found_no_room_is_answered_the_same_under_its_key(town: Town) -> None:
    await town.open(2)
    asked = [await town.match(name, offer_mode="broadcast") for name in ("r1", "r2")]
    first, second = (each["attempts"][0] for each in asked)
    assert (await town.answer(first))[0] == 200
    path, key = f"/offers/{second['id']}/accept", {"Idempotency-Key": "once"}
    said = [await town.api.call("POST", path, {}, role=Role.VENDOR, vendor="v00", **key) for _ in range(2)]
    assert [status for status, _ in said] == [409, 409]
    assert said[0][1]["detail"] == said[1][1]["detail"]


async def test_of_vendors_that_take_and_leave_a_broadcast_at_once_each_is_told_what_became_of_it(
    town: Town,
) -> None:
    await town.open(12, broadcast_offers=12)
    view = await town.match("r1", offer_mode="broadcast")
    both = [(each, step) for each in view["attempts"] for step in ("accept", "decline")]
    no = {"code": "OTHER"}
    answers = await asyncio.gather(
        *(town.answer(each, step, **({} if step == "accept" else no)) for each, step in both)
    )
    assert {status for status, _ in answers} <= {200, 409}
    after = await town.read("r1")
    took = [each for each in after["attempts"] if each["state"] == "accepted"]
    assert (after["state"], len(took)) in (("accepted", 1), ("matching", 0))
    accepted = [
        each["id"]
        for (each, step), (status, _) in zip(both, answers, strict=True)
        if (step, status) == ("accept", 200)
    ]
    assert accepted == [each["id"] for each in took]
    await town.is_sound("r1")


@pytest.mark.parametrize("mode", ["broadcast", "cascade"])
async def test_a_vendor_whose_cap_is_full_by_then_is_passed_over(town: Town, mode: str) -> None:
    await town.open(2)
    caps = {"caps": [{"payer": "medicaid", "period": "day", "trips": 1}]}
    full = "v00" if mode == "broadcast" else "v01"
    assert (await town.api.call("PUT", f"/vendors/{full}/caps", caps, role=Role.CASE_MANAGER))[0] == 201
    asked = [await town.match(name, offer_mode=mode, payer="medicaid") for name in ("r1",)]
    before = asked[0]["attempts"][0]
    lower = {"caps": [{"payer": "medicaid", "period": "day", "trips": 0}]}
    put = await town.api.call("PUT", f"/vendors/{full}/caps", lower, role=Role.OPS, If_Match="*")
    assert put[0] == 200
    if mode == "broadcast":
        status, problem = await town.answer(before)
        assert (status, "no_capacity" in problem["detail"]) == (409, True)
        assert (await town.answer(asked[0]["attempts"][1]))[0] == 200
    else:
        assert (await town.answer(before, "decline", code="NO_VEHICLES_AVAILABLE"))[0] == 200
        after = await town.read("r1")
        assert [each["vendor_id"] for each in after["attempts"]] == ["v00"], "the next has no room for it"
        assert after["state"] == "matching"
    await town.is_sound("r1")
