"""A vendor's papers run out: it is told in time, ops has a task, and agreed work beyond is somebody's."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from contracts.codes import Role
from contracts.vendors import Vendor
from contracts.webhooks import types_for
from dispatcher.audit.judge import judge
from dispatcher.domain.credentials import CREDENTIAL_KIND, Due, due_papers
from dispatcher.jobs import credentials as jobs
from dispatcher.jobs.credentials import keep_credentials, note_credentials
from dispatcher.store.events import unpack_event
from dispatcher.store.survey import survey
from tests.http.conftest import Api, trip
from tests.http.test_by_hand import VENDOR as VENDOR_OF_RIDES
from tests.http.test_by_hand import put_to
from tests.http.test_offers import VENDOR, offered
from tests.http.test_proofs import tuned
from tests.http.test_versions import POOLS

TZ = ZoneInfo("America/New_York")
PAPER = "auto_insurance"
BEYOND = "r1.1.dispatch_beyond_credential"
TASK = f"v1.credential_expiring_{PAPER}"


def at(api: Api, day: date, hour: int = 0, minute: int = 0) -> None:
    """What the clock on the market's wall shows."""
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=TZ)
    api.clock.ms = int(local.astimezone(UTC).timestamp() * 1000)


async def papers(api: Api, last: date | None, **changes: Any) -> None:
    """The vendor's document, with insurance until that day and all else for years."""
    body = msgspec.to_builtins(VENDOR) | changes
    far = [each | {"expires_on": "2040-01-01"} for each in body["credentials"] if each["kind"] != PAPER]
    body["credentials"] = far + ([{"kind": PAPER, "expires_on": last.isoformat()}] if last else [])
    for headers in ({"If_Match": "*"}, {}):
        status, _ = await api.call("PUT", "/vendors/v1", body, role=Role.OPS, **headers)
        if status != 412:
            break
    assert status in (200, 201)


async def told(api: Api, stream: str) -> list[dict[str, Any]]:
    entries = await api.store.reader.ask("XRANGE", stream, "-", "+")
    found = [unpack_event(next(iter(each[1].values()))) for each in entries]
    return [{"type": each.type, **each.data} for each in found if "credential" in each.type]


async def to_vendor(api: Api) -> list[dict[str, Any]]:
    return await told(api, api.store.market(api.market).keys.stream("v1"))


async def task(api: Api, name: str = TASK) -> dict[str, Any]:
    status, found = await api.call("GET", f"/tasks/{name}", role=Role.OPS)
    return found if status == 200 else {"state": None}


async def look(api: Api) -> int:
    return await note_credentials(api.service, api.market)


async def is_sound(api: Api) -> bool:
    return not judge(await survey(api.store.reader, api.market))


async def test_a_vendor_whose_papers_cannot_be_looked_at_holds_up_no_other(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked_at(vendor: Vendor, *others: Any) -> list[Due]:
        if vendor.id == "v0":
            raise OverflowError
        return due_papers(vendor, *others)

    at(api, LAST - timedelta(days=30))
    await papers(api, LAST)
    stored = api.store.market(api.market).vendors
    await stored.put(msgspec.structs.replace((await stored.get_all())["v1"].value, id="v0"))
    monkeypatch.setattr(jobs, "due_papers", looked_at)
    with pytest.raises(OverflowError):
        await look(api)
    assert (await task(api))["state"] == "open"


LAST = date(2026, 3, 8)  # New York puts its clock forward on it: it has 23 hours


async def test_each_step_is_told_once_on_the_market_s_own_day_over_a_change_of_the_clock(api: Api) -> None:
    at(api, LAST - timedelta(days=31), 23, 59)
    await papers(api, LAST)
    assert (await look(api), await to_vendor(api)) == (0, [])
    for days in (30, 14, 7, 1):
        at(api, LAST - timedelta(days=days + 1), 23, 59)
        assert await look(api) == 0
        at(api, LAST - timedelta(days=days))
        assert [await look(api), await look(api)] == [1, 0]
    at(api, LAST, 23, 59)
    assert await look(api) == 0
    at(api, LAST + timedelta(days=1))
    assert [await look(api), await look(api)] == [1, 0]
    heard = await to_vendor(api)
    assert [each["type"].rpartition(".")[2] for each in heard] == ["expiring"] * 4 + ["expired"]
    assert [each.get("days_left", 0) for each in heard] == [30, 14, 7, 1, 0]
    assert {each["no_offers_from"] for each in heard} == {"2026-03-09"}
    assert {tuple(each["levels_of_service"]) for each in heard} == {tuple(VENDOR.levels_of_service)}
    assert {each["type"] for each in heard} <= types_for("v1"), "its webhook has them"
    everybody = await told(api, api.store.market(api.market).keys.events)
    assert [each["vendor_id"] for each in everybody if "dispatch.vendor" in each["type"]] == ["v1"] * 5
    assert await is_sound(api)


async def test_ops_has_one_task_due_before_the_last_day_until_there_is_a_later_paper(api: Api) -> None:
    at(api, LAST - timedelta(days=30), 9)
    await papers(api, LAST)
    await look(api)
    found = await task(api)
    due = datetime.fromisoformat(found["due_at"])
    assert (found["state"], found["owner"], found["vendor_id"]) == ("open", "ops", "v1")
    assert (found["code"], due) == (f"{PAPER}:2026-03-08", datetime(2026, 3, 8, tzinfo=TZ))
    await papers(api, None)
    await look(api)
    assert (await task(api))["state"] == "open", "to take a paper out renews nothing"
    await papers(api, LAST + timedelta(days=300))
    await look(api)
    assert [(await task(api))[each] for each in ("state", "outcome")] == ["done", "settled"]
    assert await is_sound(api)


async def test_a_paper_that_comes_back_is_a_task_again_and_not_told_again(api: Api) -> None:
    at(api, LAST - timedelta(days=14))
    for last in (LAST, LAST + timedelta(days=300), LAST):
        await papers(api, last)
        assert await look(api) == 1
    assert (await task(api))["state"] == "open"
    assert [each["days_left"] for each in await to_vendor(api)] == [14]
    at(api, LAST - timedelta(days=7))
    await look(api)
    assert [each["days_left"] for each in await to_vendor(api)] == [14, 7]


async def test_who_ended_the_task_too_soon_has_it_again_with_the_next_step(api: Api) -> None:
    at(api, LAST - timedelta(days=14))
    await papers(api, LAST)
    await look(api)
    assert (await api.call("POST", f"/tasks/{TASK}/finish", {"by": "ana"}, role=Role.OPS))[0] == 200
    assert (await look(api), (await task(api))["state"]) == (0, "done")
    at(api, LAST + timedelta(days=1), 8)
    await look(api)
    assert (await task(api))["state"] == "open"


async def test_of_several_that_look_at_once_one_tells(api: Api) -> None:
    at(api, LAST - timedelta(days=6))
    await papers(api, LAST)
    assert sum(await asyncio.gather(*(look(api) for _ in range(8)))) == 1
    assert [each["days_left"] for each in await to_vendor(api)] == [6]


async def test_what_tuning_says_of_papers_is_what_is_told(api: Api) -> None:
    at(api, LAST + timedelta(days=1))
    await papers(api, LAST)
    await tuned(api, credentials_verified_only=1)
    assert await look(api) == 0, "nobody has verified it: it counted for nothing before"
    await tuned(api, credentials_grace_days=5)
    await look(api)
    await tuned(api, credentials_enforced=0)
    at(api, LAST + timedelta(days=6))
    await look(api)
    heard = await to_vendor(api)
    assert [each["type"].rpartition(".")[2] for each in heard] == ["expiring", "expired"]
    assert [each["no_offers_from"] for each in heard] == ["2026-03-14", "2026-03-09"]
    assert ["levels_of_service" in each for each in heard] == [True, False], "no offer is lost: nobody looks"


async def agreed(api: Api, last: date) -> None:
    """A dispatch of 2 March, and insurance until then."""
    await offered(api)
    status, _ = await api.call("POST", "/offers/r1.1/accept", {}, role=Role.VENDOR, vendor="v1")
    assert status == 200
    await papers(api, last)


async def test_agreed_work_beyond_a_paper_is_a_task_from_seven_days_before_until_it_is_renewed(
    api: Api,
) -> None:
    last = date(2026, 3, 1)
    await agreed(api, last)
    at(api, last - timedelta(days=8))
    await look(api)
    assert (await task(api, BEYOND))["state"] is None
    at(api, last - timedelta(days=7))
    await look(api)
    found = await task(api, BEYOND)
    assert [found[each] for each in ("request_id", "offer_id", "vendor_id")] == ["r1", "r1.1", "v1"]
    assert datetime.fromisoformat(found["due_at"]) == datetime(2026, 3, 1, tzinfo=TZ)
    assert await is_sound(api)
    await papers(api, last + timedelta(days=1))
    await look(api)
    assert [(await task(api, BEYOND))[each] for each in ("state", "outcome")] == ["done", "settled"]
    await papers(api, last)
    await look(api)
    assert (await task(api, BEYOND))["state"] == "open"
    assert await is_sound(api)


async def test_work_that_is_accepted_after_the_warning_is_a_task_until_it_is_cancelled(api: Api) -> None:
    last = date(2026, 3, 1)
    await offered(api)
    await papers(api, last)
    await look(api)
    assert (await task(api, BEYOND))["state"] is None, "nobody has agreed to it"
    await api.call("POST", "/offers/r1.1/accept", {}, role=Role.VENDOR, vendor="v1")
    opened = await task(api, BEYOND)
    assert (opened["state"], opened["vendor_id"]) == ("open", "v1"), "in the commit that accepts it"
    assert opened["due_at"] > opened["opened_at"]
    assert await is_sound(api)
    await look(api)
    assert await task(api, BEYOND) == opened, "whoever looks next finds nothing new"
    assert (await api.call("POST", "/requests/r1/cancel", {}))[0] == 200
    await look(api)
    assert (await task(api, BEYOND))["state"] == "done"
    assert await is_sound(api)


async def test_only_papers_that_the_work_requires_count(api: Api) -> None:
    await agreed(api, date(2040, 1, 1))
    body = msgspec.to_builtins(VENDOR)
    for each in body["credentials"]:
        each["expires_on"] = "2026-03-01" if each["kind"] == "dme_accreditation" else "2040-01-01"
    assert (await api.call("PUT", "/vendors/v1", body, role=Role.OPS, If_Match="*"))[0] == 200
    await look(api)
    assert "levels_of_service" not in (await to_vendor(api))[0]
    assert (await task(api, "v1.credential_expiring_dme_accreditation"))["state"] == "open"
    assert (await task(api, BEYOND))["state"] is None


async def test_the_vendor_hears_it_over_http(api: Api) -> None:
    at(api, LAST - timedelta(days=1))
    await papers(api, LAST)
    await look(api)
    headers = api.headers(Role.VENDOR, "v1") | {"Last-Event-ID": "0-0"}
    async with api.client.get(f"{api.base}/events", headers=headers) as answer, asyncio.timeout(20):
        async for line in answer.content:
            if line.startswith(b"data:") and b"dispatch.credential.expiring" in line:
                break


async def test_who_has_the_lease_looks_and_nobody_else(api: Api) -> None:
    at(api, LAST - timedelta(days=1))
    await papers(api, LAST)
    lease = api.store.market(api.market).lease
    await lease.acquire("ours", 60_000)
    job = asyncio.create_task(keep_credentials(api.service, api.market, "another", lease))
    try:
        await asyncio.sleep(0)
        ours = asyncio.create_task(keep_credentials(api.service, api.market, "ours", lease))
        async with asyncio.timeout(20):
            while not await to_vendor(api):
                await asyncio.sleep(0.01)
    finally:
        for each in (job, ours):
            each.cancel()
        await asyncio.gather(job, ours, return_exceptions=True)


@pytest.mark.parametrize("kind", ["auto_insurance", "ambulance_licence"])
async def test_the_rule_lets_nothing_through_from_the_day_that_is_told_and_only_of_what_is_told(
    api: Api, kind: str
) -> None:
    """A ride of 3 March, the last day of the paper or the day after it."""
    await api.call("POST", "/requests", trip("r1"))
    far, answers = VENDOR_OF_RIDES["credentials"], []
    for last in ("2026-03-02", "2026-03-03"):
        proofs = [each | ({"expires_on": last} if each["kind"] == kind else {}) for each in far]
        body = VENDOR_OF_RIDES | {"credentials": proofs}
        for headers in ({"If_Match": "*"}, {}):
            await api.call("PUT", "/vendors/v1", body, role=Role.OPS, **headers)
        await api.call("PUT", "/vendors/v1/capacity/2026-03-03", POOLS, role=Role.OPS)
        await look(api)
        told = (await to_vendor(api))[-1]
        stops = told["no_offers_from"] <= "2026-03-03" and "wheelchair" in told.get("levels_of_service", ())
        status, answer = await put_to(api, "v1")
        assert status == (409 if stops else 200)
        answers.append(answer.get("rules"))
    assert answers == ([["credentials"], None] if kind == PAPER else [None, None])


async def test_a_renewal_that_comes_meanwhile_is_not_warned_of(api: Api) -> None:
    at(api, LAST - timedelta(days=6))
    await papers(api, LAST)
    looks = [look(api) for _ in range(6)]
    await asyncio.gather(*looks[:3], papers(api, LAST + timedelta(days=300)), *looks[3:])
    await look(api)
    assert (await task(api))["state"] in (None, "done")
    assert await is_sound(api)


async def test_what_cannot_be_read_of_one_vendor_holds_up_no_other_and_long_ids_are_ids(api: Api) -> None:
    at(api, LAST - timedelta(days=6))
    await papers(api, LAST)
    await look(api)
    key = api.store.market(api.market).keys.record(CREDENTIAL_KIND, "v1")
    await api.store.reader.ask("SET", key, b"\0\0\0\1\xc1")
    name, proofs = "v" * 64, [{"kind": "vehicle_inspection", "expires_on": LAST.isoformat()}]
    body = msgspec.to_builtins(VENDOR) | {"id": name, "credentials": proofs}
    assert (await api.call("PUT", f"/vendors/{name}", body, role=Role.OPS))[0] == 201
    assert [await look(api), await look(api)] == [1, 0]
    assert (await task(api, f"{name}.credential_expiring_vehicle_inspection"))["vendor_id"] == name
    _, page = await api.call("GET", "/tasks?limit=1", role=Role.OPS)
    status, rest = await api.call("GET", f"/tasks?limit=1&cursor={page['cursor']}", role=Role.OPS)
    assert (status, len(rest["tasks"])) == (200, 1)
