"""What-if over HTTP: asked, worked on by who owns the market, followed, exported, cancelled, interrupted."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from contracts.codes import Role
from contracts.what_if import WhatIfChange, WhatIfRequest, WhatIfState
from dispatcher.domain.refusals import Crowded
from dispatcher.security.key_files import write_patient_keys
from dispatcher.security.principal import Principal
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.service.markets import Markets
from dispatcher.service.what_ifs import MOST_WAITING, WhatIfs
from dispatcher.store.store import Store
from dispatcher.store.what_ifs import Standing
from dispatcher.what_if import runner as runners
from dispatcher.what_if.errand import Errand
from dispatcher.what_if.moment import MomentAsked, compare_moment
from dispatcher.what_if.runner import Runner
from solvers.travel import DetourTravel
from tests.http.conftest import RING, Api, trip
from tests.http.test_by_hand import DAY, add

PATH, OPS = "/what-if", {"role": Role.OPS}
PAUSED_NOBODY: dict[str, Any] = {"change": {}}
PAUSED = {"change": {"pause": ["v1"]}}


@pytest.fixture
async def town(api: Api) -> Api:
    """A cheap vendor, a dear one, and three rides that wait."""
    await add(api, "v1", units=3)
    fares = [{"level_of_service": "wheelchair", "base_cents": 9_000}]
    await add(api, "v2", units=3, rate_card={"fares": fares})
    for number in range(3):
        assert (await api.call("POST", "/requests", trip(f"r{number}")))[0] == 202
    return api


async def runner_of(api: Api, busy: Callable[[], bool] = lambda: False) -> Runner:
    stored = api.store.market(api.market)
    await stored.lease.acquire("me", 600_000)
    saved = partial(api.service.decisions.saved, api.market)
    return Runner(stored, ZoneInfo("America/New_York"), api.clock, DetourTravel.of, "me", busy, saved)


async def asked(api: Api, body: Any = PAUSED, **headers: str) -> Any:
    status, view = await api.call("POST", PATH, body, role=Role.OPS, **headers)
    assert status == 202, view
    return view


async def test_what_waits_now_is_compared_and_the_answer_is_read_and_exported(town: Api) -> None:
    name = (await asked(town))["id"]
    await (await runner_of(town))._look()
    _, view = await town.call("GET", f"{PATH}/{name}", **OPS)
    answer = view["answer"]
    assert (view["state"], view["progress"], answer["changed"], answer["told"]) == ("done", 1.0, 3, 0)
    assert {(each["kind"], each["from_vendor"], each["to_vendor"]) for each in answer["rows"]} == {
        ("moved", "v1", "v2")
    }
    assert answer["proof"]["verdict"] == "dearer"
    async with town.client.get(
        f"{town.base}{PATH}/{name}/rows.csv", headers=town.headers(Role.OPS)
    ) as response:
        lines = (await response.text()).splitlines()
        assert response.headers["Content-Type"].startswith("text/csv")
    assert len(lines) == 4
    assert lines[0].startswith("request_id,kind,")
    async with town.client.get(
        f"{town.base}{PATH}/{name}/events", headers=town.headers(Role.OPS)
    ) as response:
        told = msgspec.json.decode((await response.text()).removeprefix("data: "))
    assert (told["state"], told["answer"]) == ("done", None)
    _, page = await town.call("GET", PATH, **OPS)
    assert [(each["id"], each["answer"]) for each in page["what_ifs"]] == [(name, None)]
    _, open_ = await town.call("GET", "/requests/r0")
    assert open_["state"] == "received", "nothing was changed by it"


async def test_where_nothing_waits_there_is_nothing_to_compare(api: Api) -> None:
    await asked(api, {"change": {"capacity_percent": -10}})
    runner = await runner_of(api)
    (one,) = (await runner.stored.what_ifs.all()).values()
    wanted = await runner._prepared(one)
    assert isinstance(wanted, MomentAsked)
    answer = compare_moment(wanted)
    assert answer.verdict.startswith("nothing to compare: no request waits within reach (0 are offered")
    assert answer.proof is None


async def test_a_stored_day_is_played_by_the_vendors_own_outcomes(town: Api) -> None:
    name = (await asked(town, PAUSED | {"against": DAY}))["id"]
    await (await runner_of(town))._look()
    _, view = await town.call("GET", f"{PATH}/{name}", **OPS)
    assert (view["state"], view["answer"]["requests"], view["answer"]["against"]) == (
        "done",
        3,
        f"stored of {DAY}",
    )
    empty = (await asked(town, PAUSED | {"against": "2026-01-07"}))["id"]
    await (await runner_of(town))._look()
    _, view = await town.call("GET", f"{PATH}/{empty}", **OPS)
    assert view["state"] == "failed"
    unsaved = (await asked(town, PAUSED | {"against": "0123456789abcdef"}))["id"]
    await (await runner_of(town))._look()
    _, gone = await town.call("GET", f"{PATH}/{unsaved}", **OPS)
    assert gone["detail"].startswith("there is no saved decision 0123456789abcdef\nMaybe")
    assert view["detail"].startswith("nothing is stored that was wanted on 2026-01-07\nMaybe")


async def test_of_many_that_are_asked_at_one_moment_no_more_wait_than_may(api: Api) -> None:
    answers = await asyncio.gather(*(api.call("POST", PATH, PAUSED_NOBODY, **OPS) for _ in range(12)))
    _, page = await api.call("GET", PATH, **OPS)
    assert len(page["what_ifs"]) == MOST_WAITING + 1
    assert sorted({status for status, _ in answers}) == [202, 429]


async def test_the_limit_holds_over_processes_and_is_right_when_one_of_them_is_gone(
    api: Api, redis_server: EmbeddedRedis
) -> None:
    who = Principal.of(Role.OPS, markets=None)
    request, names = WhatIfRequest(change=WhatIfChange(capacity_percent=-10)), [f"{n:03}" for n in range(12)]
    async with Store(redis_server.url, RING) as other:
        doors = [api.service.what_ifs]
        markets = Markets(other, doors[0].markets.zones, doors[0].clock)
        doors.append(WhatIfs(markets, doors[0].clock, doors[0].parameters))
        asked = [doors[n % 2].ask(who, api.market, name, request, b"x") for n, name in enumerate(names)]
        found = await asyncio.gather(*asked, return_exceptions=True)
        taken = [each for each in found if not isinstance(each, BaseException)]
        assert len(taken) == MOST_WAITING + 1
        assert {type(each) for each in found if isinstance(each, BaseException)} == {Crowded}
        part = other.market(api.market).what_ifs
        await part.note(taken[0].id, Standing(state=WhatIfState.INTERRUPTED, runner="gone"))
        await part.reader.ask("HSET", part.keys.what_ifs, "damaged", b"\xc1")
        again = [each for each in found if isinstance(each, Crowded)]
        assert again[0].facts["limit"] == MOST_WAITING + 1
        assert (await doors[1].ask(who, api.market, "one-more", request, b"x")).id == "one-more"
        with pytest.raises(Crowded):
            await doors[0].ask(who, api.market, "too-many", request, b"x")
        await part.cancel("one-more")
        assert (await doors[0].ask(who, api.market, "too-many", request, b"x")).state == "queued"


@pytest.mark.parametrize(
    "bad",
    [{"against": "9999-12-31"}, {"against": "0001-01-01"}, {"change": {"pause": ["a"], "resume": ["a"]}}],
)
async def test_a_day_of_no_calendar_and_a_vendor_that_is_paused_and_resumed_are_refused(
    api: Api, bad: dict[str, Any]
) -> None:
    status, problem = await api.call("POST", PATH, PAUSED_NOBODY | bad, **OPS)
    assert (status, problem["type"]) == (422, "/problems/invalid-message")


async def test_it_waits_while_a_batch_is_solved_and_who_cancels_ends_its_process(
    town: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = (await asked(town))["id"]
    pids, looks = list[int](), count()
    runner = await runner_of(town, busy=lambda: next(looks) > 0)  # a batch begins when it has begun
    stop = runners.stopped_or_not

    def seen(process: Any, wanted: bool, stopped: bool) -> bool:
        pids.append(process.pid)
        return stop(process, wanted, stopped)

    monkeypatch.setattr(runners, "stopped_or_not", seen)
    work = asyncio.ensure_future(runner._look())
    while not pids:
        await asyncio.sleep(0.01)
    _, view = await town.call("POST", f"{PATH}/{name}/cancel", **OPS)
    await work
    _, view = await town.call("GET", f"{PATH}/{name}", **OPS)
    assert view["state"] == "cancelled"
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
    assert (await town.call("POST", f"{PATH}/{name}/cancel", **OPS))[1]["state"] == "cancelled"


@pytest.mark.parametrize("what", ["busy", "hot"])
async def test_it_does_not_begin_while_requests_come_in_fast_and_may_be_cancelled(
    town: Api, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    name = (await asked(town))["id"]
    began = list[object]()
    monkeypatch.setattr(runners, "prepared", began.append)
    runner = await runner_of(town)
    setattr(runner, what, lambda: True)
    work = asyncio.ensure_future(runner._look())
    while (await town.call("GET", f"{PATH}/{name}", **OPS))[1]["state"] != "running":
        await asyncio.sleep(0.01)
    await town.call("POST", f"{PATH}/{name}/cancel", **OPS)
    await work
    _, view = await town.call("GET", f"{PATH}/{name}", **OPS)
    assert (view["state"], began) == ("cancelled", [])


@pytest.mark.parametrize(
    ("against", "found"), [("now", ("done", 3, "")), ("2026-01-07", ("failed", 0, "nothing is stored"))]
)
async def test_its_process_reads_what_it_compares_by_itself(
    town: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, against: str, found: tuple[str, int, str]
) -> None:
    write_patient_keys(tmp_path / "keys.json", RING)
    name = (await asked(town, PAUSED | {"against": against}))["id"]
    monkeypatch.setattr(runners, "prepared", None)  # the matcher reads none of it
    runner = await runner_of(town)
    url, tz = town.store.url, ZoneInfo("America/New_York")
    runner.errand = Errand(url, tmp_path / "keys.json", "", town.market, tz, town.clock)
    assert url not in repr(runner.errand)
    await runner._look()
    _, view = await town.call("GET", f"{PATH}/{name}", **OPS)
    changed = (view["answer"] or {"changed": 0})["changed"]
    assert (view["state"], changed, view["detail"][: len(found[2])]) == found


async def test_what_was_at_work_when_its_matcher_went_is_interrupted(town: Api) -> None:
    name = (await asked(town))["id"]
    part = town.store.market(town.market).what_ifs
    await part.note(name, Standing(state=WhatIfState.RUNNING, progress=0.4, runner="gone"))
    await (await runner_of(town))._look()
    _, view = await town.call("GET", f"{PATH}/{name}", **OPS)
    assert (view["state"], view["answer"]) == ("interrupted", None)
    status, problem = await town.call("GET", f"{PATH}/{name}/rows.csv", **OPS)
    assert (status, problem["type"]) == (409, "/problems/wrong-state")


async def test_what_fails_says_what_why_and_what_may_be_done_about_it(
    town: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = (await asked(town, {"change": {"pause": ["v1"], "capacity_percent": -20}}))["id"]
    monkeypatch.setattr(runners, "work", int)  # its process ends with code 1 and without a word
    await (await runner_of(town))._look()
    _, view = await town.call("GET", f"{PATH}/{name}", **OPS)
    what, remedy = view["detail"].splitlines()
    assert (view["state"], what) == (
        "failed",
        "it could not be worked out against now: its process ended with code 1 without a word; "
        "nothing else is touched by it",
    )
    assert remedy.startswith(
        "Maybe ask for one part of the change at a time: so it shows which one does that"
    )
    assert name in remedy


async def test_beyond_what_may_wait_it_is_too_many_and_a_cancelled_one_makes_room(api: Api) -> None:
    names = [(await asked(api, {"change": {"capacity_percent": -10}}))["id"] for _ in range(5)]
    status, problem = await api.call("POST", PATH, {"change": {}}, **OPS)
    assert (status, problem["type"]) == (429, "/problems/too-many")
    assert problem["detail"].startswith(
        f"5 what-ifs of {api.market} are not done; 5 is the limit\nMaybe cancel"
    )
    await api.call("POST", f"{PATH}/{names[0]}/cancel", **OPS)
    await asked(api, {"change": {}})


async def test_the_same_key_is_the_same_what_if_and_another_body_is_refused(api: Api) -> None:
    first = await asked(api, {"change": {"capacity_percent": -10}}, Idempotency_Key="one")
    assert await asked(api, {"change": {"capacity_percent": -10}}, Idempotency_Key="one") == first
    status, problem = await api.call("POST", PATH, {"change": {}}, role=Role.OPS, Idempotency_Key="one")
    assert (status, problem["type"]) == (422, "/problems/id-reused")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"pause": ["nobody"]}, "there is no vendor nobody\nMaybe"),
        ({"rules_off": ["capacity"]}, "capacity is no rule that may be off\nMaybe"),
        ({"values": {"price_weight": -5}}, "price_weight -5 is outside 0"),
        ({"values": {"no_such": 1}}, "no_such is no parameter"),
        ({"values": {"authorization_hcpcs": ["E"]}}, "authorization_hcpcs is a list"),
    ],
)
async def test_a_change_of_what_is_not_there_is_refused_by_name(api: Api, change: Any, why: str) -> None:
    status, problem = await api.call("POST", PATH, {"change": change}, **OPS)
    assert (status, problem["type"]) == (422, "/problems/invalid-request")
    assert why in problem["detail"]


async def test_a_day_that_no_calendar_has_and_one_seed_twice_are_refused(api: Api) -> None:
    for body in ({"against": "2026-02-30"}, {"against": "yesterday"}, {"seed": 3, "again": 3}):
        status, problem = await api.call("POST", PATH, {"change": {}} | body, **OPS)
        assert (status, problem["type"]) == (422, "/problems/invalid-message"), body


async def test_what_cannot_be_read_stops_nobody_and_a_wrong_key_is_named(api: Api) -> None:
    keys, raw = api.store.market(api.market).keys, api.store.market(api.market).what_ifs.reader
    await raw.ask("HSET", keys.what_ifs, "wi-damaged", b"\xc1", "wi-damaged:state", b"\xc1")
    name = (await asked(api, {"change": {}}))["id"]
    _, page = await api.call("GET", PATH, **OPS)
    assert [each["id"] for each in page["what_ifs"]] == [name]
    await raw.ask("SET", keys.what_ifs, "no hash")
    status, problem = await api.call("GET", PATH, **OPS)
    assert (status, problem["type"]) == (500, "/problems/unreadable")
    assert "what-ifs of this market are stored as something else" in problem["detail"]
