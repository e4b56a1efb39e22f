"""Saved decisions over HTTP: who may read them, and what they say."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from contracts.codes import Role
from dispatcher.decisions import chain
from dispatcher.decisions.replay import replay
from dispatcher.decisions.saver import Saver
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.market import Market
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.vault import Vault
from dispatcher.service.decisions import MOST_READING
from solvers.rules import registry
from tests.http.conftest import NOW, Api, trip
from tests.http.test_by_hand import add, put_to

FAR = {"kind": "circle", "centre": [-80.0, 40.78], "radius_m": 3_000}


@pytest.fixture
def saver(api: Api) -> Saver:
    """Of the web process."""
    stored, service = api.store.market(api.market), api.service

    async def nobody(*_: object) -> None:
        return None

    return Saver(stored, service.decisions.kept, service.markets.zones[api.market], api.clock, nobody, nobody)


@pytest.fixture
async def decided(api: Api) -> AsyncIterator[str]:
    """Two vendors, one that is too far; three requests, planned together. The digest."""
    await add(api, "near", units=2)
    await add(api, "far", service_area=[FAR])
    tuning = {"values": {"imminent_lead_minutes": 1440}, "reason": "test"}
    assert (await api.call("PUT", "/tuning", tuning, role=Role.OPS, If_None_Match="*"))[0] == 200
    await api.call("POST", "/requests", {"requests": [trip("a"), trip("b"), trip("c")]})
    stored, service = api.store.market(api.market), api.service
    tz = service.markets.zones[api.market]

    async def nobody(*_: object) -> None:
        return None

    saver = Saver(stored, service.decisions.kept, tz, api.clock, nobody, nobody)
    writing = asyncio.create_task(saver.run())
    fence = await stored.lease.acquire("test", 60_000)
    assert fence is not None
    market = Market(stored, tz, api.clock, saver=saver)
    await match_imminent(Ownership(service.executor, fence), market, ["a", "b", "c"])
    await saver.written()
    writing.cancel()
    (found,) = (await api.call("GET", "/decisions", role=Role.OPS))[1]["decisions"][:1]
    yield found["digest"]


async def test_ops_lists_reads_and_replays_a_decision(api: Api, decided: str) -> None:
    status, page = await api.call("GET", "/decisions?day=2026-03-02", role=Role.OPS)
    assert status == 200
    assert decided in {each["digest"] for each in page["decisions"]}
    status, view = await api.call("GET", f"/decisions/{decided}?limit=2", role=Role.OPS)
    assert status == 200
    assert (view["decision"]["requests"], len(view["rows"]), view["cursor"]) == (3, 2, "1.2")
    _, rest = await api.call("GET", f"/decisions/{decided}?cursor=1.2", role=Role.OPS)
    rows = {each["request_id"]: each for each in view["rows"] + rest["rows"]}
    assert set(rows) == {"a", "b", "c"}  # of every request, matched or not
    chosen = [each["chosen"] for each in rows.values() if "chosen" in each]
    assert [each["vendor_id"] for each in chosen] == ["near", "near"]
    for each in chosen:
        assert sum(term["cost_cents"] for term in each["terms"]) == each["cost_cents"]
    status, replayed = await api.call("POST", f"/decisions/{decided}/replay", role=Role.OPS)
    assert (status, replayed["how"]) == (200, "identical")


async def test_terms_that_are_not_what_was_decided_by_are_not_told(api: Api, decided: str) -> None:
    with registry.without("price"):  # as another version may lack a term, or price it otherwise
        _, view = await api.call("GET", f"/decisions/{decided}", role=Role.OPS)
    chosen = [each["chosen"] for each in view["rows"] if "chosen" in each]
    assert len(chosen) == 2
    assert [each.get("terms", []) for each in chosen] == [[], []]
    assert all(each["cost_cents"] > 0 for each in chosen)


@pytest.mark.parametrize("role", [Role.OPS, Role.COORDINATOR, Role.CASE_MANAGER])
async def test_a_request_leads_to_the_decision_on_it(api: Api, decided: str, role: Role) -> None:
    status, found = await api.call("GET", "/requests/a/decision", role=role)
    assert (status, found["decision"]["digest"]) == (200, decided)
    assert found["row"]["excluded"] == [{"rule": "service_area", "vendors": ["far"]}]
    assert found["row"]["removed"] == [{"rule": "service_area", "vendors": 1}]


async def test_an_offer_by_hand_is_saved_replays_and_leads_to_what_was_known_before(
    api: Api, decided: str, saver: Saver
) -> None:
    record = await api.store.market(api.market).requests.records.get("c")
    assert record is not None and not record.offers, "the matcher had no room for it"
    await add(api, "third")
    api.quoter._markets[api.market].saver = saver
    writing = asyncio.create_task(saver.run())
    status, view = await put_to(api, "third", "c")
    assert (status, view["state"]) == (200, "offered")
    await put_to(api, "third", "c")  # said again: nothing more is decided
    await saver.written()
    writing.cancel()
    status, found = await api.call("GET", "/requests/c/decision", role=Role.COORDINATOR)
    assert (status, found["decision"]["kind"], found["chosen_by"]) == (200, "by_hand", "ana")
    assert found["row"]["chosen"]["became"] == "offered"
    assert found["row"]["chosen"]["vendor_id"] == "third"
    assert found["earlier"] == [decided]
    digest = found["decision"]["digest"]
    assert digest == view["match"]["snapshot"]
    status, replayed = await api.call("POST", f"/decisions/{digest}/replay", role=Role.OPS)
    assert (status, replayed["how"]) == (200, "identical")
    judged = await chain.judge(api.store.market(api.market), api.service.decisions.kept)
    assert (judged.wrong, judged.unlinked) == ([], 0)


async def test_a_quote_is_saved_once_it_is_answered_and_replays_with_its_answer(
    api: Api, saver: Saver
) -> None:
    await add(api, "near")
    await add(api, "dear", rate_card={"fares": [{"level_of_service": "wheelchair", "base_cents": 90_000}]})
    api.quoter._markets[api.market].saver = saver
    status, quoted = await api.call("POST", "/quotes", trip("q"))
    assert status == 200
    assert saver.waiting, "nothing of it is written before the answer"
    writing = asyncio.create_task(saver.run())
    await saver.written()
    writing.cancel()
    (found,) = (await api.call("GET", "/decisions?day=2026-03-02", role=Role.OPS))[1]["decisions"]
    assert (found["kind"], found["requests"]) == ("quote", 1)
    _, view = await api.call("GET", f"/decisions/{found['digest']}", role=Role.OPS)
    (row,) = view["rows"]
    assert (row["chosen"]["became"], row["chosen"]["vendor_id"]) == (
        "quoted",
        quoted["quotes"][0]["vendor_id"],
    )
    status, replayed = await api.call("POST", f"/decisions/{found['digest']}/replay", role=Role.OPS)
    assert (status, replayed["how"]) == (200, "identical")
    saved = await api.service.decisions.saved(api.market, found["digest"])
    told = [(saved.header.vendors[vendor], cents) for vendor, _, cents in saved.header.quoted]
    assert told == [(each["vendor_id"], each["cost_cents"]) for each in quoted["quotes"]]
    other = msgspec.structs.replace(saved.header, quoted=saved.header.quoted[::-1])
    assert replay(replace(saved, header=other)).problems == ("what was quoted is ranked otherwise now",)


async def test_quotes_give_way_to_plans_and_are_no_more_than_tuning_has_a_minute(
    api: Api, saver: Saver
) -> None:
    await add(api, "near")
    api.quoter._markets[api.market].saver = saver
    for name in ("q1", "q2"):
        assert (await api.call("POST", "/quotes", trip(name)))[0] == 200
    assert len(saver.waiting) == 1, "while one waits to be written the others pass"
    assert saver._counts == {"passed": 1}
    saver.waiting.clear()
    tuning = {"values": {"decisions_looks_a_minute": 0}, "reason": "test"}
    assert (await api.call("PUT", "/tuning", tuning, role=Role.OPS, If_None_Match="*"))[0] == 200
    assert (await api.call("POST", "/quotes", trip("q3")))[0] == 200
    assert not saver.waiting


async def test_what_an_amendment_was_looked_at_for_is_saved(api: Api, saver: Saver) -> None:
    await add(api, "near", units=2)
    await api.call("POST", "/requests", trip("r1"))
    assert (await put_to(api, "near", "r1"))[0] == 200
    accepted = await api.call("POST", "/offers/r1.1/accept", None, role=Role.VENDOR, vendor="near")
    assert accepted[0] == 200
    api.quoter._markets[api.market].saver = saver
    at = NOW + timedelta(days=1, minutes=60)
    window = {"earliest": at.isoformat(), "latest": (at + timedelta(minutes=30)).isoformat()}
    status, said = await api.call("POST", "/requests/r1/amend", {"pickup_window": window})
    assert status < 300, said
    writing = asyncio.create_task(saver.run())
    await saver.written()
    writing.cancel()
    found = (await api.call("GET", "/decisions", role=Role.OPS))[1]["decisions"]
    assert [each["kind"] for each in found] == ["amendment"]
    status, replayed = await api.call("POST", f"/decisions/{found[0]['digest']}/replay", role=Role.OPS)
    assert replayed["how"] == "identical"
    assert (await api.call("GET", "/requests/r1/decision", role=Role.OPS))[0] == 404, "it decided nothing"


@pytest.mark.parametrize(
    ("query", "status"), [("day=0001-01-01", 422), ("day=9999-12-31", 422), ("cursor=1." + "9" * 23, 422)]
)
async def test_a_day_of_no_calendar_and_a_cursor_of_no_list_are_refused(
    api: Api, query: str, status: int
) -> None:
    assert (await api.call("GET", f"/decisions?{query}", role=Role.OPS))[0] == status


async def test_a_place_of_decisions_that_does_not_answer_takes_few_calls_places(
    api: Api, decided: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, get = threading.Event(), api.service.decisions.kept.blobs.get

    def slow(name: str) -> bytes | None:
        answers.wait(20)
        return get(name)

    monkeypatch.setattr(api.service.decisions.kept.blobs, "get", slow)
    path = f"/decisions/{decided}"
    calls = [asyncio.ensure_future(api.call("GET", path, role=Role.OPS)) for _ in range(MOST_READING)]
    while api.service.decisions._reading < MOST_READING:
        await asyncio.sleep(0.01)
    status, problem = await api.call("GET", "/requests/a/decision", role=Role.OPS)
    assert (status, problem["type"], problem["retry_after_s"]) == (503, "/problems/unavailable", 5)
    assert (await api.call("GET", "/decisions", role=Role.OPS))[0] == 200, "the ledger is read all the same"
    answers.set()
    assert {status for status, _ in await asyncio.gather(*calls)} == {200}
    assert (await api.call("GET", "/requests/a/decision", role=Role.OPS))[0] == 200


async def test_an_offer_by_hand_that_is_not_kept_says_who_chose(api: Api) -> None:
    await add(api, "near")
    await api.call("POST", "/requests", trip("r1"))
    await put_to(api, "near")
    status, problem = await api.call("GET", "/requests/r1/decision", role=Role.OPS)
    assert (status, "ana offered by hand" in problem["detail"]) == (404, True)


@pytest.mark.parametrize("role", [Role.PLATFORM, Role.COORDINATOR, Role.CASE_MANAGER])
async def test_whole_decisions_are_for_ops(api: Api, decided: str, role: Role) -> None:
    for path in ("/decisions", f"/decisions/{decided}"):
        assert (await api.call("GET", path, role=role))[0] == 403


async def test_no_door_and_no_name_is_told(api: Api, decided: str) -> None:
    status, view = await api.call("GET", f"/decisions/{decided}", role=Role.OPS)
    assert status == 200
    assert "40.7" not in str(view)


async def test_what_is_not_there_is_said_with_what_may_help(api: Api, decided: str) -> None:
    status, problem = await api.call("GET", "/decisions/0123456789abcdef", role=Role.OPS)
    assert status == 404
    assert "decisions_days" in problem["detail"]
    assert (await api.call("GET", "/decisions/../../x", role=Role.OPS))[0] == 404
    assert (await api.call("GET", "/decisions/xyz", role=Role.OPS))[0] in (400, 404)
    assert (await api.call("GET", "/decisions?cursor=9.9", role=Role.OPS))[0] == 422
    assert (await api.call("GET", f"/decisions/{decided}?request=zzz", role=Role.OPS))[0] == 404
    assert (await api.call("GET", "/requests/zzz/decision", role=Role.OPS))[0] == 404


async def test_a_damaged_record_is_told_and_hides_no_other(api: Api, decided: str) -> None:
    kept = api.service.decisions.kept.blobs
    (name,) = [each.name for each in kept.under(api.market) if each.name.endswith(decided)]
    whole = kept.get(name) or b""
    kept.put(name, whole[:40])
    status, problem = await api.call("GET", f"/decisions/{decided}", role=Role.OPS)
    assert (status, problem["type"]) == (500, "/problems/unreadable")
    assert (await api.call("GET", "/requests/a/decision", role=Role.OPS))[0] == 500
    status, page = await api.call("GET", "/decisions", role=Role.OPS)
    assert (status, page["decisions"][0]["digest"]) == (200, decided)


async def test_without_its_patient_key_a_decision_is_listed_and_not_opened(api: Api, decided: str) -> None:
    kept = api.service.decisions.kept
    kept.vault = Vault(PatientKeyFile("new", {"new": bytes(32)}))
    status, problem = await api.call("GET", f"/decisions/{decided}", role=Role.OPS)
    assert (status, problem["type"]) == (503, "/problems/patient-key-missing")
    assert (await api.call("GET", "/decisions?request=a", role=Role.OPS))[0] == 200
