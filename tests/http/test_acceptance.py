"""How vendors answer over HTTP, and what follows from that for the next requests."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

import pytest

from contracts.codes import Role
from dispatcher.domain.acceptance import week_of
from tests.http.conftest import Api
from tests.http.test_modes import Town

NO = {"code": "NO_VEHICLES_AVAILABLE"}


@pytest.fixture
def town(api: Api) -> Town:
    return Town(api)


async def likely(town: Town) -> dict[str, dict[str, float]]:
    status, page = await town.api.call("GET", "/vendor-outcomes", role=Role.OPS)
    assert status == 200, page
    return {each["id"]: each["accepts"] for each in page["vendors"]}


async def counts(town: Town) -> dict[str, int]:
    """By vendor and answer, as they are stored."""
    week = week_of(town.api.clock.now_ms())
    found = (await town.market.stored.acceptance.of(town.api.clock.now_ms()))[week]
    return {f"{each.vendor_id} {'yes' if each.yes else 'no'}": each.number for each in found}


async def answered(town: Town, name: str, step: str, **body: Any) -> dict[str, Any]:
    view = await town.match(name)
    offer = view["attempts"][-1]
    assert (await town.answer(offer, step, **body))[0] == 200
    return dict(offer)


async def test_who_declines_much_is_asked_after_others_and_the_request_says_why(town: Town) -> None:
    await town.open(2, scorecard_cents=0)
    assert await likely(town) == {"v00": {}, "v01": {}}, "nobody has answered anything"
    for number in range(6):
        offer = await answered(town, f"r{number}", "decline", **NO)
        assert offer["vendor_id"] == "v00", "the cheaper one: for a quarter of an hour nothing is read anew"
    assert await counts(town) == {"v00 no": 6}
    town.api.clock.ms += 15 * 60_000
    match = (await town.match("after"))["match"]
    assert match["vendor_id"] == "v01"
    assert [(each["vendor_id"], each.get("but_for")) for each in match["runners_up"]] == [
        ("v00", "acceptance")
    ]
    assert {each["rule"] for each in match["terms"]} >= {"acceptance"}
    shares = await likely(town)
    assert shares["v00"]["wheelchair"] < shares["v01"]["wheelchair"] < 1


async def test_an_answer_that_is_sent_many_times_at_once_counts_once(town: Town) -> None:
    await town.open(1)
    offer = (await town.match("r1"))["attempts"][0]
    answers = await asyncio.gather(*(town.answer(offer) for _ in range(8)))
    assert {status for status, _ in answers} == {200}
    assert await counts(town) == {"v00 yes": 1}
    path = f"/dispatches/{offer['id']}/status"
    told = await town.api.call("POST", path, {"status": "turned_back"}, role=Role.VENDOR, vendor="v00")
    assert told[0] == 200, told
    assert await counts(town) == {"v00 yes": 1}, "what comes after an answer is none"


async def test_of_eight_that_say_yes_to_one_broadcast_the_one_that_has_it_is_counted(town: Town) -> None:
    await town.open(8, broadcast_offers=8)
    view = await town.match("r1", offer_mode="broadcast")
    assert len(view["attempts"]) == 8, "of whom nothing is known"
    await asyncio.gather(*(town.answer(each) for each in view["attempts"]))
    won = next(each for each in (await town.read("r1"))["attempts"] if each["state"] == "accepted")
    assert await counts(town) == {f"{won['vendor_id']} yes": 1}
    town.api.clock.ms += 15 * 60_000
    later = await town.match("r2", offer_mode="broadcast")
    assert 2 <= len(later["attempts"]) < 5, "no more than it takes"


async def test_no_vendor_is_told_what_is_expected_of_it(town: Town) -> None:
    await town.open(2)
    await answered(town, "r1", "accept")
    town.api.clock.ms += 15 * 60_000
    await town.match("r2", offer_mode="cascade")
    for path in ("/offers", "/vendors/v00"):
        status, found = await town.api.call("GET", path, role=Role.VENDOR, vendor="v00")
        assert status == 200, (path, found)
        assert "accepts" not in json.dumps(found)
    assert (await town.api.call("GET", "/vendor-outcomes", role=Role.VENDOR, vendor="v00"))[0] == 403


async def test_who_seldom_accepts_has_less_time_where_that_is_tuned(town: Town) -> None:
    await town.open(1, acceptance_answer_share=0.2, offer_minimum_s=5)
    seconds = []
    for name in ("r1", "r2"):
        await town.match(name)
        _, found = await town.api.call("GET", "/offers", role=Role.VENDOR, vendor="v00")
        (offer,) = found["offers"]
        until = datetime.fromisoformat(offer["expires_at"])
        seconds.append(until.timestamp() - town.api.clock.now_ms() / 1000)
        assert (await town.answer(offer, "decline", **NO))[0] == 200
        town.api.clock.ms += 15 * 60_000
    assert seconds[1] < 0.9 * seconds[0]
