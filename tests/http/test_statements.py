"""Statements over HTTP: what a month's work comes to, line by line, and what is settled after it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from contracts.codes import Role
from contracts.instants import DAY_MS, HOUR_MS, MINUTE_MS, to_instant
from contracts.vendors import RateCard
from dispatcher.audit.auditor import audit
from dispatcher.domain.kinds import kind_named
from dispatcher.domain.statements import Item
from dispatcher.jobs.housekeeping import keep_statements
from dispatcher.jobs.timers import Timers
from tests.domain import make
from tests.http.conftest import Api
from tests.http.test_offers import VENDOR, offered

CARD = RateCard(turn_back_cents=2_000, late_cancel_cents=3_000, no_show_cents=1_500)
MARCH = "/vendors/v1/statements/2026-03"
START = make.NOW + 4 * HOUR_MS  # as agreed


@pytest.fixture(autouse=True)
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the vendor's rate card says besides the fare."""
    vendor = make.vendor
    monkeypatch.setattr(make, "vendor", lambda *said, **more: replace(vendor(*said, **more), rate_card=CARD))


async def vendors(api: Api, name: str, what: str, body: Any = None) -> Any:
    status, told = await api.call("POST", f"/dispatches/{name}.1/{what}", body, role=Role.VENDOR, vendor="v1")
    assert status == 200, told
    return told


async def taken(api: Api, *names: str, **changes: Any) -> None:
    """These are v1's, and it is ten minutes after their agreed start."""
    for name in names:
        await offered(api, name, **changes)
        assert (await api.call("POST", f"/offers/{name}.1/accept", role=Role.VENDOR, vendor="v1"))[0] == 200
    api.clock.ms = START + 10 * MINUTE_MS


async def statement(api: Api, path: str = MARCH, role: Role = Role.CASE_MANAGER, **who: str) -> Any:
    status, told = await api.call("GET", path, role=role, **who)
    assert status == 200, told
    return told


async def items(api: Api, path: str = MARCH) -> dict[str, Any]:
    """By dispatch and kind, once it is sure that lines add up to them, and they to the month."""
    found = (await statement(api, f"{path}/items"))["items"]
    for each in found:
        assert sum(line["cents"] for line in each["lines"]) == each["cents"]
    assert sum(each["cents"] for each in found) == (await statement(api, path))["cents"]
    assert (await audit(api.store.reader, api.market))["findings"] == []
    return {f"{each['offer_id']} {each['kind']}": each for each in found}


def lines(item: Any) -> list[tuple[Any, ...]]:
    return [(each["kind"], each["hcpcs"], each["cents"]) for each in item["lines"]]


async def test_a_month_has_what_was_done_waited_for_and_cancelled_late(api: Api) -> None:
    await taken(api, "done", "nobody", "late", payer="medicaid")
    waits = {"since": to_instant(START).isoformat(), "until": to_instant(START + 10 * MINUTE_MS).isoformat()}
    await vendors(api, "done", "waiting", waits)
    for name, status in (("done", "completed"), ("nobody", "no_show")):
        await vendors(api, name, "status", {"status": status})
    assert (await api.call("POST", "/requests/late/cancel", {}))[0] == 200
    found = await items(api)
    assert {name: lines(each) for name, each in found.items()} == {
        "done.1 work": [("agreed", "", 4_500)],
        "nobody.1 work": [("no_show", "", 1_500)],
        "late.1 work": [("late_cancel", "", 3_000)],
    }
    one = found["done.1 work"]
    assert (one["day"], one["service"], one["payer"], one["waited_minutes"], one["miles"]) == (
        "2026-03-02", "wheelchair", "medicaid", 10, 2.7,
    )  # fmt: skip
    assert "Nightingale" not in json.dumps(found)
    assert "Canary Row" not in json.dumps(found)
    told = await statement(api)
    assert (told["work"], told["cents"], told["open_work"], told["final"]) == (3, 9_000, 0, False)
    assert told["by_payer"] == [{"name": "medicaid", "items": 3, "cents": 9_000}]
    assert {each["name"]: each["cents"] for each in told["by_end"]} == {
        "completed": 4_500, "no_show": 1_500, "cancelled": 3_000,
    }  # fmt: skip


async def test_what_is_settled_in_another_month_is_a_correction_there_and_the_old_one_stands(
    api: Api,
) -> None:
    await taken(api, "r1")
    await vendors(api, "r1", "status", {"status": "completed"})
    await vendors(api, "r1", "price/disputes", {"line": 1, "text": "it was two trips"})
    (line,) = (await items(api))["r1.1 work"]["lines"]
    assert (line["disputed"], (await statement(api))["open_disputes"]) == (True, 1)
    api.clock.ms += 40 * DAY_MS
    before = await statement(api, f"{MARCH}/items")
    settle = "/dispatches/r1.1/price/disputes/1/settle"
    said = {"cents": 5_500, "reason": "so it was"}
    for _ in range(2):
        assert (await api.call("POST", settle, said, role=Role.OPS))[0] == 200
    april = await items(api, "/vendors/v1/statements/2026-04")
    told = await statement(api, "/vendors/v1/statements/2026-04")
    assert (told["work"], told["corrections"], told["corrections_cents"], told["cents"]) == (
        0,
        1,
        1_000,
        1_000,
    )
    assert lines(april["r1.1 correction"]) == [("agreed", "", -4_500), ("agreed", "", 5_500)]
    assert april["r1.1 correction"]["lines"][1]["note"] == "dispute_1"
    await vendors(api, "r1", "price/disputes", {"line": 1, "text": "it was three"})
    assert (await statement(api))["open_disputes"] == 1
    assert (await api.call("POST", settle.replace("1/s", "2/s"), {"reason": "no"}, role=Role.OPS))[0] == 200
    assert (await statement(api))["open_disputes"] == 0
    after = await statement(api, f"{MARCH}/items")
    before["items"][0]["lines"][0]["disputed"] = False
    assert after == before
    assert (await statement(api))["final"] is True


async def test_a_line_that_was_put_anew_and_is_disputed_again_says_so_where_it_stands(api: Api) -> None:
    await taken(api, "r1")
    await vendors(api, "r1", "status", {"status": "completed"})
    for number, cents in ((1, 5_500), (2, 6_000)):
        await vendors(api, "r1", "price/disputes", {"line": 1, "text": "it was more"})
        found = (await statement(api, f"{MARCH}/items"))["items"]
        marked = [
            (each["kind"], line["cents"]) for each in found for line in each["lines"] if line["disputed"]
        ]
        assert marked == [("work", 4_500) if number == 1 else ("correction", 5_500)]
        settle = f"/dispatches/r1.1/price/disputes/{number}/settle"
        assert (await api.call("POST", settle, {"cents": cents, "reason": "yes"}, role=Role.OPS))[0] == 200
        api.clock.ms += MINUTE_MS
    assert (await statement(api))["cents"] == 6_000


async def test_it_outlives_its_requests_and_goes_with_its_month(api: Api) -> None:
    await taken(api, "r1")
    await vendors(api, "r1", "status", {"status": "completed"})
    api.clock.ms += 10 * DAY_MS
    timers = Timers(api.service)
    for kind in ("task", "request", "task"):
        await timers.fire_kind(api.market, kind_named(kind))
    assert (await api.call("GET", "/requests/r1"))[0] == 404
    assert lines((await items(api))["r1.1 work"]) == [("agreed", "", 4_500)]
    key = api.store.market(api.market).keys.statement("v1", "2026-03-02")
    left_ms = await api.store.reader.ask("PTTL", key)
    kept_until = (await statement(api))["kept_until"]
    assert kept_until == "2026-07-01T04:00:00Z"  # three months after March, where the market is
    written_ms = START + 10 * MINUTE_MS
    assert left_ms == pytest.approx(1_782_878_400_000 - written_ms, abs=60_000)


async def test_what_is_kept_less_long_is_shown_no_more_and_what_is_kept_longer_all_of_it(api: Api) -> None:
    await taken(api, "r1")
    await vendors(api, "r1", "status", {"status": "completed"})
    key = api.store.market(api.market).keys.statement("v1", "2026-03-02")
    assert await keep_statements(api.service, api.market, 0) == 3
    usual_ms = await api.store.reader.ask("PTTL", key)
    api.clock.ms += 70 * DAY_MS  # May
    for version, (months, work, until) in enumerate(((1, 0, "2026-05-01"), (12, 1, "2027-04-01"))):
        body = {"values": {"statement_months": months}}
        over = {"If-Match": f'"{version}"'}
        assert (await api.call("PUT", "/tuning", body, role=Role.OPS, **over))[0] == 200
        api.service.markets.forget_tuning(api.market)
        told = await statement(api)
        assert (told["work"], told["kept_until"][:10]) == (work, until)
        assert len((await statement(api, f"{MARCH}/items"))["items"]) == work
        assert await keep_statements(api.service, api.market, 3) == months
        left_ms = await api.store.reader.ask("PTTL", key)
        longer_ms = usual_ms if months == 1 else 326 * DAY_MS
        assert left_ms == pytest.approx(longer_ms, abs=2 * DAY_MS)


async def test_as_csv_each_row_is_a_line_with_all_that_a_bill_needs(api: Api) -> None:
    await taken(api, "r1", "back", "none", payer="medicaid")
    for name, status in (("r1", "completed"), ("back", "turned_back"), ("none", "failed")):
        await vendors(api, name, "status", {"status": status})
    headers = api.headers(Role.VENDOR, "v1")
    async with api.client.get(f"{api.base}{MARCH}/csv", headers=headers) as response:
        assert (response.status, response.content_type) == (200, "text/csv")
        rows = list(csv.DictReader(io.StringIO(await response.text(), newline="")))
    told = [(each["dispatch_id"], each["end"], each["for"], each["cents"], each["payer"]) for each in rows]
    assert sorted(told) == [
        ("back.1", "turned_back", "turn_back", "-2000", "medicaid"),
        ("none.1", "failed", "", "0", "medicaid"),
        ("r1.1", "completed", "agreed", "4500", "medicaid"),
    ]
    for payer, rows in (("other", 0), ("medicaid", 3), ("", 0), ("=Blue+Cross", 0), ("%26 %00", 0)):
        path = f"{api.base}{MARCH}/csv?payer={payer}"
        async with api.client.get(path, headers=headers) as response:
            assert (response.status, len((await response.text()).splitlines())) == (200, 1 + rows), payer


async def test_pages_go_on_where_the_one_before_ended(api: Api) -> None:
    await taken(api, "r1", "r2", "r3")
    for name in ("r1", "r2", "r3"):
        await vendors(api, name, "status", {"status": "completed"})
    seen, cursor = [], ""
    while True:
        page = await statement(api, f"{MARCH}/items?limit=2&cursor={cursor}")
        seen += [each["offer_id"] for each in page["items"]]
        if not (cursor := page["cursor"]):
            break
    assert seen == ["r1.1", "r2.1", "r3.1"]


async def test_a_market_lists_each_vendor_that_has_work_in_the_month(api: Api) -> None:
    await taken(api, "r1")
    await api.call("PUT", "/vendors/a-idle", msgspec.to_builtins(replace(VENDOR, id="a-idle")), role=Role.OPS)
    seen, cursor = [], ""
    for _ in range(2):
        page = await statement(api, f"/statements/2026-03?limit=1&cursor={cursor}")
        seen += [(each["vendor_id"], each["work"], each["open_work"]) for each in page["statements"]]
        cursor = page["cursor"]
    assert (seen, cursor) == ([("v1", 0, 1)], "")
    status, _ = await api.call("GET", "/statements/2026-03", role=Role.VENDOR, vendor="v1")
    assert status == 403


async def test_a_vendor_has_its_own_and_no_others_and_months_are_the_markets(api: Api) -> None:
    await offered(api)
    for role, vendor, path, status in (
        (Role.VENDOR, "v1", MARCH, 200),
        (Role.VENDOR, "v2", MARCH, 404),
        (Role.FACILITY, "", MARCH, 403),
        (Role.OPS, "", "/vendors/nobody/statements/2026-03", 404),
        (Role.OPS, "", "/vendors/v1/statements/2026-13", 400),
        (Role.OPS, "", "/vendors/v1/statements/2027-01", 200),
    ):
        for what in ("", "/items", "/csv"):
            sent = api.headers(role, vendor)
            async with api.client.get(f"{api.base}{path}{what}", headers=sent) as response:
                assert response.status == status, (role, path, what, await response.text())
    refused = (await api.call("GET", "/vendors/v1/statements/2026-13"))[1]["detail"]
    assert refused.startswith("month: Expected text of another form; it is '2026-13'\n")
    assert "yyyy-mm, by the market's calendar" in refused
    told = await statement(api)
    assert (told["first_at"], told["end_at"]) == ("2026-03-01T05:00:00Z", "2026-04-01T04:00:00Z")


async def test_the_audit_finds_what_a_statement_lacks_or_has_otherwise(api: Api) -> None:
    await taken(api, "r1", "r2")
    for name in ("r1", "r2"):
        await vendors(api, name, "status", {"status": "completed"})
    key = api.store.market(api.market).keys.statement("v1", "2026-03-02")
    kept = await api.store.reader.ask("HGET", key, "r1.1")
    await api.store.reader.ask("HDEL", key, "r1.1")
    assert await findings(api) == [("r1.1", "is completed and stands in no statement")]
    await api.store.reader.ask("HSET", key, "r1.1.9", kept)
    assert await findings(api) == [("r1.1", "is completed and stands in no statement")], "a correction alone"
    await api.store.reader.ask("HDEL", key, "r1.1.9")
    dearer = msgspec.msgpack.decode(kept, type=Item)
    dearer = replace(dearer, lines=(*dearer.lines, *dearer.lines))
    await api.store.reader.ask("HSET", key, "r1.1", msgspec.msgpack.encode(dearer))
    assert await findings(api) == [("r1.1", "costs 4500 cents, and its vendor's statement says 9000")]
    await api.store.reader.ask("HSET", key, "r1.1", kept, "r1.1.dispute_1", kept)
    assert await findings(api) == [("r1.1", "has 0 open disputes, its statement 1")]
    await api.store.reader.ask("HSET", key, "r1.1.dispute_1", b"\xc1")
    (found,) = (await audit(api.store.reader, api.market))["findings"]
    assert (found["rule"], "r1.1.dispute_1" in found["detail"]) == ("readable", True)


async def findings(api: Api) -> list[tuple[str, str]]:
    found = (await audit(api.store.reader, api.market))["findings"]
    assert {each["rule"] for each in found} <= {"statements"}
    return [(each["subject"], each["detail"]) for each in found]


async def test_the_number_that_a_payer_gave_is_for_who_bills_it(api: Api) -> None:
    await taken(api, "r1")
    await vendors(api, "r1", "status", {"status": "completed"})
    key = api.store.market(api.market).keys.statement("v1", "2026-03-02")
    item = msgspec.msgpack.decode(await api.store.reader.ask("HGET", key, "r1.1"), type=Item)
    named = replace(item, authorization="rides", number="A-1")
    await api.store.reader.ask("HSET", key, "r1.1", msgspec.msgpack.encode(named))
    for role, vendor, number in ((Role.CASE_MANAGER, "", "A-1"), (Role.VENDOR, "v1", "")):
        (one,) = (await statement(api, f"{MARCH}/items", role, vendor=vendor))["items"]
        assert (one["authorization_id"], one["authorization_number"]) == ("rides", number)
