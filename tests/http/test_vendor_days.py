"""A vendor's dispatches of a day: what is to be done and what is over, with no more than it may see."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from client.ops import OpsClient
from client.vendor import VendorClient
from contracts.codes import DeclineCode, Role
from contracts.instants import DAY_MS, HOUR_MS
from contracts.vendors import RateCard
from dispatcher.audit.judge import judge
from dispatcher.domain.scorecards import Outcome
from dispatcher.jobs.timers import Timers
from dispatcher.store.survey import survey
from tests.domain import make
from tests.http.conftest import Api
from tests.http.test_offers import DAY, VENDOR, offered
from tests.http.test_offers import _tells_the_patient as tells_the_patient
from tests.http.test_scorecards import as_vendor

START = make.NOW + 4 * HOUR_MS
ROOM = {"kind": "pools", "pools": [{"id": "vans", "serves": ["wheelchair"], "units": [9]}]}
MORE = "/dispatches?limit=2"


async def taken(api: Api, name: str) -> None:
    await offered(api, name)
    assert (await as_vendor(api, "POST", f"/offers/{name}.1/accept"))[0] == 200


async def said(api: Api, name: str, *statuses: str, **more: Any) -> None:
    for each in statuses:
        path = f"/dispatches/{name}.1/status"
        assert (await as_vendor(api, "POST", path, {"status": each} | more))[0] == 200


async def a_day(api: Api) -> None:
    """One agreed, one on its way, one done, one for nothing, one given back; one declined, one open."""
    api.clock.ms = make.NOW
    await api.call("PUT", "/vendors/v1", msgspec.to_builtins(VENDOR), role=Role.OPS)
    await api.call("PUT", f"/vendors/v1/capacity/{DAY}", ROOM, role=Role.OPS)
    for name in ("r1", "r2"):
        await taken(api, name)
    await said(api, "r2", "turned_back", code="BAD_WEATHER")
    await taken(api, "r3")
    api.clock.ms = START
    await said(api, "r3", "at_pickup", "on_board", "completed")
    for name in ("r4", "r5"):
        await taken(api, name)
    api.clock.ms = START
    await said(api, "r4", "at_pickup")
    await said(api, "r4", "no_show", code="NO_CLIENT")
    await said(api, "r5", "en_route")
    await offered(api, "r6")
    declined = {"code": DeclineCode.BAD_WEATHER}
    assert (await as_vendor(api, "POST", "/offers/r6.1/decline", declined))[0] == 200
    await offered(api, "r7")


async def test_a_day_has_what_is_to_be_done_and_what_is_over_and_no_door_of_what_was_given_back(
    api: Api,
) -> None:
    await a_day(api)
    _, page = await as_vendor(api, "GET", "/dispatches?day=2026-03-02")
    rows = {each["id"]: each for each in page["dispatches"]}
    assert (page["day"], page["cursor"]) == ("2026-03-02", "")
    assert {name: each.get("status") for name, each in rows.items()} == {
        "r1.1": None,
        "r2.1": "turned_back",
        "r3.1": "completed",
        "r4.1": "no_show",
        "r5.1": "en_route",
    }
    seen = {name: (tells_the_patient(each), "pickup" in each) for name, each in rows.items()}
    assert seen.pop("r2.1") == (False, False)
    assert set(seen.values()) == {(True, True)}
    assert "record_number" not in str(rows)
    _, whole = await as_vendor(api, "GET", "/dispatches/r3.1")
    assert rows["r3.1"] == whole, "a row says what the dispatch does"


async def test_what_was_taken_back_late_stands_in_its_day_with_what_is_owed_for_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    fees = RateCard(late_cancel_cents=2_020, late_cancel_minutes=10_080, turn_back_cents=505)
    vendor = replace(make.vendor(), rate_card=fees)
    monkeypatch.setattr(make, "vendor", lambda: vendor)
    await api.call("PUT", "/vendors/v1", msgspec.to_builtins(VENDOR), role=Role.OPS)
    await api.call("PUT", f"/vendors/v1/capacity/{DAY}", ROOM, role=Role.OPS)
    for name in ("r1", "r2", "r3"):
        await taken(api, name)
    await said(api, "r2", "turned_back", code="BAD_WEATHER")
    for name in ("r1", "r3"):
        assert (await api.call("POST", f"/requests/{name}/cancel", {}))[0] == 200
    _, page = await as_vendor(api, "GET", "/dispatches?day=2026-03-02")
    rows = {each["id"]: each for each in page["dispatches"]}
    owed = {name: [line["cents"] for line in each["price_lines"]] for name, each in rows.items()}
    assert owed == {"r1.1": [2_020], "r2.1": [-505], "r3.1": [2_020]}
    assert {each["offer"]["state"] for each in rows.values()} == {"cancelled", "turned_back"}
    assert not any(tells_the_patient(each) or "pickup" in each for each in rows.values())
    _, card = await as_vendor(api, "GET", f"/vendors/v1/scorecard?to={DAY}")
    counted = {each["figure"]: each["count"] for each in card["all"]["figures"]}
    assert (counted["accepted"], counted["works"]) == (3, 1), "a cancelled request counts for nobody"
    found = await survey(api.store.reader, api.market)
    assert judge(found) == []
    entry = await api.store.market(api.market).scorecards.entry("v1", "r1.1", Outcome.CHARGED, [DAY])
    assert entry is not None and entry.at_ms == START, "a card may call it late a week before"


async def test_a_day_comes_in_pages_and_another_vendors_is_empty(api: Api) -> None:
    await a_day(api)
    pages, cursor = list[list[str]](), ""
    while len(pages) < 5:
        _, page = await as_vendor(api, "GET", f"{MORE}&cursor={cursor}")
        pages.append([each["id"] for each in page["dispatches"]])
        if not (cursor := page["cursor"]):
            break
    assert pages == [["r1.1", "r2.1"], ["r3.1", "r4.1"], ["r5.1"]]
    _, other = await as_vendor(api, "GET", MORE, vendor="v2")
    assert (other["day"], other["dispatches"]) == ("2026-03-02", [])
    for day in ("2026-03-01", "2026-03-03", "2300-01-01", "0001-01-01"):
        status, empty = await as_vendor(api, "GET", f"/dispatches?day={day}")
        assert (status, empty["dispatches"]) == (200, [])
    for query in ("cursor=x", "day=today", "limit=0", "limit=201"):
        assert (await as_vendor(api, "GET", f"/dispatches?{query}"))[0] == 400
    assert (await api.call("GET", MORE, role=Role.OPS))[0] == 403


async def test_what_is_over_is_there_the_day_after_until_it_is_forgotten_and_each_look_is_kept(
    api: Api,
) -> None:
    await a_day(api)
    api.clock.ms += DAY_MS
    url = str(api.client.make_url("/"))
    async with (
        VendorClient(url, api.token(Role.VENDOR, vendor="v1"), api.market) as vendor,
        OpsClient(url, api.token(Role.OPS), api.market) as ops,
    ):
        yesterday = date(2026, 3, 2)
        found = await vendor.day(yesterday)
        assert [each.id for each in found.dispatches] == ["r1.1", "r2.1", "r3.1", "r4.1", "r5.1"]
        assert [each.id for each in (await vendor.day(yesterday, limit=1)).dispatches] == ["r1.1"]
        assert (await vendor.day()).dispatches == ()
        looks = {name: len([each async for each in ops.patient_reads(name)]) for name in ("r2", "r3")}
        assert looks == {"r2": 1, "r3": 2}, (
            "of r2 when it was accepted; a second look within the hour is none"
        )
    api.clock.ms += 40 * DAY_MS
    while await Timers(api.service).fire_due(api.market):
        pass
    _, left = await as_vendor(api, "GET", f"/dispatches?day={yesterday}")
    assert {each["id"] for each in left["dispatches"]}.isdisjoint({"r3.1", "r4.1"}), "gone with its request"
