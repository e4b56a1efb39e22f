"""A canary decides in its hours only, says beforehand how long it takes, and ends by itself if it harms."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from contracts.codes import Role
from contracts.instants import DAY_MS, HOUR_MS, to_ms
from dispatcher.audit.auditor import audit
from dispatcher.domain.quarters import SLOT_MS, Cell, What
from dispatcher.domain.refusals import Stale
from dispatcher.service.loops import CANARY, TROUBLES
from dispatcher.service.service import Service
from dispatcher.store.keys import CANARY as KEY
from dispatcher.store.keys import Keys
from tests.http.conftest import NOW_MS, REGISTRY, Api

MIDNIGHT_MS = to_ms(datetime(2026, 3, 3, 5, 0, tzinfo=UTC))  # in New York
GUARDRAILS = [{"what": "declined", "worse_by": 0.1}]
CANDIDATE = {"values": {"price_weight": 2.0}, "reason": "cheaper", "guardrails": GUARDRAILS}


async def call(api: Api, method: str, path: str, body: Any = None, version: int = 0) -> tuple[int, Any]:
    headers = {"If_Match": f'"{version}"'} if version else {}
    return await api.call(method, f"/tuning{path}", body, role=Role.OPS, **headers)


async def played(api: Api, first_ms: int, last_ms: int, seed: int = 1, *, harm: float = 0.0) -> None:
    """Forty answers in each block of four hours; `harm`: more are declined where the candidate decides."""
    lots, part = random.Random(seed), api.store.market(api.market).quarters
    held = (await api.store.market(api.market).tuning_canary.get()).value.canary
    for at_ms in range(first_ms, last_ms, 4 * HOUR_MS):
        on = held is not None and held.decides(at_ms, held.base)
        share = 0.2 + (harm if on else 0.0)
        declined = sum(lots.random() < share for _ in range(40))
        part._gathered[Cell(at_ms, What.DECLINED)] += declined
        part._gathered[Cell(at_ms, What.ACCEPTED)] += 40 - declined
    await part.write(90 * DAY_MS)


async def begun(api: Api, **more: Any) -> Any:
    """A canary beside version 1, after four weeks that say how things vary."""
    await call(api, "PUT", "", {"values": {"max_attempts": 3}})
    await played(api, MIDNIGHT_MS - 30 * DAY_MS, MIDNIGHT_MS - DAY_MS)
    status, view = await call(api, "PUT", "/canary", CANDIDATE | more)
    assert status == 200, view
    return view


async def test_it_says_how_many_days_it_needs_before_it_begins(api: Api) -> None:
    await played(api, MIDNIGHT_MS - 30 * DAY_MS, MIDNIGHT_MS - DAY_MS)
    status, plan = await call(api, "POST", "/canary/plan", CANDIDATE)
    assert (status, plan["begins_at"], plan["power"], plan["chance"]) == (
        200,
        "2026-03-03T05:00:00Z",
        0.8,
        0.05,
    )
    assert [(each["name"], each["after"]) for each in plan["changes"]] == [("price_weight", 2.0)]
    assert plan["days"] == plan["guardrails"][0]["days"] > 0
    assert (await call(api, "GET", "/canary"))[1]["state"] is None
    fine = CANDIDATE | {"guardrails": [{"what": "declined", "worse_by": 0.005}]}
    assert (await call(api, "POST", "/canary/plan", fine))[1]["days"] > 60
    status, problem = await call(api, "PUT", "/canary", fine)
    assert (status, "60 is the limit" in problem["detail"]) == (422, True)
    late = CANDIDATE | {"guardrails": [{"what": "late", "worse_by": 0.05}]}
    assert (await call(api, "POST", "/canary/plan", late))[1]["days"] is None
    status, problem = await call(api, "PUT", "/canary", late)
    assert (status, "of late the past days say too little" in problem["detail"]) == (422, True)


async def test_it_decides_in_its_hours_alone_and_each_match_is_stamped_with_the_version_that_did(
    api: Api,
) -> None:
    view = await begun(api)
    assert (view["state"], view["candidate"], view["base"], view["decides_now"]) == ("running", 2, 3, False)
    tuning = (await call(api, "GET", ""))[1]
    assert (tuning["version"], tuning["made"], tuning["source"]) == (3, "canary", "2")
    assert (await call(api, "GET", "/versions/2"))[1]["made"] == "candidate"
    part = api.store.market(api.market).tuning
    held = (await api.store.market(api.market).tuning_canary.get()).value.canary
    assert held is not None
    hours = range(MIDNIGHT_MS, MIDNIGHT_MS + view["days"] * DAY_MS, HOUR_MS)
    decided = {at_ms: await part.in_force(at_ms) for at_ms in hours}
    on = {at_ms for at_ms, found in decided.items() if found.version == 2}
    assert 0.2 < len(on) / len(decided) < 0.8
    assert {found.values.get("price_weight", 1.0) for at_ms, found in decided.items() if at_ms in on} == {2.0}
    assert {found.version for at_ms, found in decided.items() if at_ms not in on} == {3}
    assert {(at_ms - MIDNIGHT_MS) // HOUR_MS % 4 for at_ms in on} == {0, 1, 2, 3}, "whole blocks"
    assert (await part.in_force(NOW_MS)).version == 3
    assert (await part.in_force(hours.stop)).version == 3
    api.clock.ms = min(on)
    api.service.markets.forget_tuning(api.market)
    assert (await api.service.markets.tuning(api.market)).version == 2
    assert (await call(api, "GET", "/canary"))[1]["decides_now"] is True
    assert (await call(api, "GET", ""))[1]["in_force"] == 2


async def test_a_harm_rolls_it_back_by_itself_and_says_why_everywhere(api: Api) -> None:
    view = await begun(api)
    await played(api, MIDNIGHT_MS, MIDNIGHT_MS + view["days"] * DAY_MS, 2, harm=0.5)
    canary, state, days = api.service.tuning_canary, None, 0
    while state is None and days < view["days"]:
        days += 1
        api.clock.ms = MIDNIGHT_MS + days * DAY_MS
        state = await canary.judge(api.market)
    assert state == "rolled_back"
    assert days < view["days"], "before its days are over"
    found = (await call(api, "GET", "/canary"))[1]
    assert found["why"].startswith("declined: ")
    assert "pairs of blocks" in found["why"]
    assert found["found"][0]["crossed"] is True
    tuning = (await call(api, "GET", ""))[1]
    assert (tuning["version"], tuning["by"]) == (4, "canary")
    assert tuning["reason"].startswith("canary of version 2 rolled back: declined")
    stored = api.store.market(api.market)
    assert (await stored.tuning.in_force(api.clock.ms + HOUR_MS)).values == {"max_attempts": 3}
    assert (await stored.troubles.now(TROUBLES))[CANARY].startswith("rolled back: declined")
    entries = await api.store.reader.ask("XRANGE", Keys(api.market).events, "-", "+")
    told = [each[1][b"ce"] for each in entries if b"dispatch.tuning.canary" in each[1][b"ce"]]
    assert len(told) == 2
    assert b"rolled_back" in told[1]
    status, task = await api.call("GET", "/tasks/canary-2.canary_rolled_back", role=Role.OPS)
    assert (status, task["owner"], task["state"], task["code"]) == (200, "ops", "open", "declined")
    for _ in range(2):
        assert (await call(api, "DELETE", "/canary", version=2))[1]["state"] is None
    task = (await api.call("GET", "/tasks/canary-2.canary_rolled_back", role=Role.OPS))[1]
    assert (task["state"], task["outcome"]) == ("done", "settled")
    assert (await audit(api.store.reader, api.market))["findings"] == []
    assert await stored.troubles.now(TROUBLES) == {}


async def test_a_harmless_one_ends_with_its_days_and_what_stood_stands(api: Api) -> None:
    view = await begun(api)
    await played(api, MIDNIGHT_MS, MIDNIGHT_MS + view["days"] * DAY_MS, 2)
    canary = api.service.tuning_canary
    for days in range(1, view["days"]):
        api.clock.ms = MIDNIGHT_MS + days * DAY_MS
        assert await canary.judge(api.market) is None
    api.clock.ms = MIDNIGHT_MS + view["days"] * DAY_MS
    assert await canary.judge(api.market) == "finished"
    found = (await call(api, "GET", "/canary"))[1]
    assert "no guardrail was crossed" in found["why"]
    status, tuning = await call(api, "POST", "/versions/2/restore", {"reason": "it does"}, 4)
    assert (status, tuning["version"], tuning["source"]) == (200, 5, "2")
    assert (await audit(api.store.reader, api.market))["findings"] == []


async def test_urgent_requests_without_a_vendor_end_it_at_once(api: Api) -> None:
    await begun(api, mode="whole", days=7)
    part = api.store.market(api.market).quarters
    part._gathered[Cell(MIDNIGHT_MS + SLOT_MS, What.URGENT_UNMATCHED)] = 5
    await part.write(DAY_MS)
    api.clock.ms = MIDNIGHT_MS + 2 * HOUR_MS
    assert await api.service.tuning_canary.judge(api.market) == "rolled_back"
    assert (await call(api, "GET", "/canary"))[1]["why"].startswith("urgent_unmatched: 5 within a day")


async def test_tuning_that_is_changed_meanwhile_decides_at_once_and_ends_the_canary(api: Api) -> None:
    await begun(api, mode="whole", days=7)
    api.clock.ms = MIDNIGHT_MS + HOUR_MS
    part = api.store.market(api.market).tuning
    assert (await part.in_force(api.clock.ms)).version == 2
    assert (await call(api, "PUT", "", {"values": {"max_attempts": 9}}, 3))[0] == 200
    assert (await part.in_force(api.clock.ms)).version == 4
    assert await api.service.tuning_canary.judge(api.market) == "stopped"
    found = (await call(api, "GET", "/canary"))[1]
    assert found["why"] == "the tuning became version 4, by ops"
    assert (await call(api, "GET", ""))[1]["version"] == 4, "its end changes nothing then"


async def test_it_outlives_its_processes_and_of_two_that_judge_one_ends_it(api: Api) -> None:
    view = await begun(api)
    await played(api, MIDNIGHT_MS, MIDNIGHT_MS + view["days"] * DAY_MS, 2)
    api.clock.ms = MIDNIGHT_MS + view["days"] * DAY_MS
    zones = {api.market: ZoneInfo("America/New_York")}
    others = [Service(api.store, api.clock, zones, REGISTRY) for _ in range(2)]
    judged = [each.tuning_canary.judge(api.market) for each in others]
    ended = await asyncio.gather(*judged, return_exceptions=True)
    assert sum(each == "finished" for each in ended) == 1
    assert all(each in ("finished", None) or isinstance(each, Stale) for each in ended)
    assert (await call(api, "GET", ""))[1]["version"] == 4


async def test_a_canary_that_cannot_be_read_lets_what_stands_decide_and_is_told(api: Api) -> None:
    await begun(api, mode="whole", days=7)
    api.clock.ms = MIDNIGHT_MS + HOUR_MS
    key, part = Keys(api.market).beside_tuning(KEY), api.store.market(api.market).tuning
    await api.store.reader.ask("SETRANGE", key, 4, b"\xc1" * 40)
    assert (await part.in_force(api.clock.ms)).version == 3
    assert api.store.aside.met_lately(api.market) == {"tuning-canary": 1}
    await api.store.reader.ask("DEL", key)
    await api.store.reader.ask("LPUSH", key, "x")
    assert (await part.in_force(api.clock.ms)).version == 3
    assert (await call(api, "GET", "/canary"))[0] == 500


async def test_it_is_stopped_by_hand_and_one_at_a_time_is_under_way(api: Api) -> None:
    view = await begun(api)
    assert (await call(api, "PUT", "/canary", CANDIDATE))[0] == 428
    status, problem = await call(api, "PUT", "/canary", CANDIDATE, view["version"])
    assert (status, "under way" in problem["detail"]) == (409, True)
    status, found = await call(api, "DELETE", "/canary", version=view["version"])
    assert (status, found["state"], found["why"]) == (200, "stopped", "stopped by ops")
    again = await call(api, "DELETE", "/canary", version=view["version"])
    assert again == (200, found), "said again, for an answer was lost: it is not put away by that"
    again = await call(api, "PUT", "/canary", CANDIDATE, found["version"])
    assert (again[0], again[1]["candidate"]) == (200, 5)


async def test_it_does_not_begin_where_the_calendar_would_end_it_before_its_days_are_over(api: Api) -> None:
    await call(api, "PUT", "/profiles/storm", {"values": {"move_limit": 1}})
    times = [{"profile": "storm", "days": ["2026-03-06"]}]
    await call(api, "PUT", "/calendar", {"times": times}, 1)
    status, problem = await call(api, "PUT", "/canary", CANDIDATE | {"days": 4})
    assert (status, "has profile storm from 2026-03-06" in problem["detail"]) == (422, True)
    assert (await call(api, "PUT", "/canary", CANDIDATE | {"days": 2}))[0] == 200


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"values": {"retention_hours": 100}}, "retention_hours cannot be tried by the hour"),
        ({"values": {}}, "the candidate is what stands"),
        ({"values": {"price_weight": 99.0}}, "0.0..10.0"),
        ({"block_hours": 5}, "does not part a day"),
        ({"pair_days": 3}, "the next week"),
        ({"washout_hours": 4}, "leaves nothing"),
        ({"guardrails": GUARDRAILS * 2}, "comes twice"),
        ({"days": 60, "pair_days": 7}, "60 is the limit"),
    ],
)
async def test_what_cannot_be_tried_is_refused_in_words(api: Api, more: dict[str, Any], words: str) -> None:
    status, problem = await call(api, "PUT", "/canary", CANDIDATE | more)
    assert (status, words in str(problem)) == (422, True), problem
