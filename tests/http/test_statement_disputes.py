"""A line of a statement is disputed, and settled, also once its request is forgotten."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from client.ops import OpsClient
from client.vendor import VendorClient
from contracts.codes import Role
from contracts.instants import DAY_MS
from contracts.tasks import TaskOutcome
from dispatcher.domain.kinds import kind_named
from dispatcher.jobs.timers import Timers
from tests.http.conftest import Api
from tests.http.test_statements import MARCH, items, lines, statement, taken, vendors

ITEM, APRIL = f"{MARCH}/items/r1.1", "/vendors/v1/statements/2026-04"
TEXT = "Nightingale was driven twice"
SAID = {"line": 1, "text": TEXT}


async def forgotten(api: Api, *names: str) -> None:
    """Their work is done, and it is 35 days later: only the statement has them."""
    await taken(api, *names)
    for name in names:
        await vendors(api, name, "status", {"status": "completed"})
    api.clock.ms += 35 * DAY_MS
    timers = Timers(api.service)
    for kind in ("task", "request", "task"):
        await timers.fire_kind(api.market, kind_named(kind))
    assert (await api.call("GET", "/requests/r1"))[0] == 404


async def vendor(api: Api, said: Any, path: str = ITEM, **more: str) -> tuple[int, Any]:
    return await api.call("POST", f"{path}/disputes", said, role=Role.VENDOR, vendor="v1", **more)


async def settle(api: Api, said: Any, path: str = ITEM, **more: str) -> tuple[int, Any]:
    return await api.call("POST", f"{path}/disputes/1/settle", said, role=Role.OPS, **more)


async def test_a_line_is_disputed_and_corrected_when_only_the_statement_is_left(api: Api) -> None:
    await forgotten(api, "r1")
    before = await items(api)
    told = await asyncio.gather(*(vendor(api, SAID, Idempotency_Key=str(n)) for n in range(4)))
    assert sorted(status for status, _ in told) == [200, 409, 409, 409]
    said = next(body for status, body in told if status == 200)
    assert (said["id"], [each["disputed"] for each in said["lines"]]) == ("r1.1", [True])
    assert (await items(api))["r1.1 work"] == said
    told_now = await statement(api)
    assert (told_now["open_disputes"], told_now["cents"], told_now["final"]) == (1, 4_500, True)
    (task,) = (await api.call("GET", "/tasks", role=Role.OPS))[1]["tasks"]
    assert (task["kind"], task["owner"], task["vendor_id"], task["offer_id"], task["code"]) == (
        "statement_dispute", "ops", "v1", "r1.1", "agreed",
    )  # fmt: skip
    assert task["comments"][0]["text"] == TEXT
    status, problem = await api.call("POST", f"/tasks/{task['id']}/finish", {}, role=Role.OPS)
    assert (status, f"POST …{ITEM}/disputes/1/settle" in problem["detail"]) == (409, True)
    changed = {"cents": 5_500, "reason": "the log says so"}
    assert (await api.call("POST", f"{ITEM}/disputes/1/settle", changed))[0] == 403, "the platform is a party"
    told = await asyncio.gather(*(settle(api, changed, Idempotency_Key=str(n)) for n in range(4)))
    assert sorted(status for status, _ in told) == [200, 409, 409, 409]
    task = next(body for status, body in told if status == 200)
    assert (task["state"], task["outcome"], task["comments"][1]["text"]) == (
        "done",
        "settled",
        "the log says so",
    )
    assert await items(api) == before, "what was written down stays as it is"
    (item,) = (await items(api, APRIL)).values()
    assert lines(item) == [("agreed", "", -4_500), ("agreed", "", 5_500)]
    assert (item["lines"][1]["note"], item["day"]) == ("dispute_202603_1", "2026-03-02")
    told_now = await statement(api, APRIL)
    assert (told_now["corrections_cents"], (await statement(api))["open_disputes"]) == (1_000, 0)
    act = (await api.call("GET", "/audit", role=Role.OPS))[1]["acts"][0]
    assert (act["act"], act["detail"], act["reason"]) == ("settle_item", "v1 5500", "the log says so")
    assert "Nightingale" not in json.dumps(act)


async def test_a_line_that_a_correction_took_back_is_disputed_where_that_put_it(api: Api) -> None:
    await forgotten(api, "r1")
    assert (await vendor(api, SAID))[0] == 200
    assert (await settle(api, {"cents": 5_500, "reason": "so it was"}))[0] == 200
    status, problem = await vendor(api, SAID)
    assert (status, "a correction took it back" in problem["detail"]) == (409, True)
    (item,) = (await items(api, APRIL)).values()
    path = f"{APRIL}/items/{item['id']}"
    assert (await vendor(api, SAID, path))[0] == 409, "what it took back is no charge"
    assert (await vendor(api, SAID | {"line": 2}, path))[1]["lines"][1]["disputed"]
    status, _ = await api.call(
        "POST", f"{path}/disputes/2/settle", {"cents": 0, "reason": "none"}, role=Role.OPS
    )
    assert (status, (await statement(api, APRIL))["cents"]) == (200, -4_500)


async def test_a_line_that_stays_is_told_and_may_be_disputed_anew(api: Api) -> None:
    await forgotten(api, "r1")
    before = await items(api)
    for _ in range(2):
        for _ in range(2):
            assert (await vendor(api, SAID, Idempotency_Key="same"))[0] == 200
            assert (await settle(api, {"reason": "no"}, Idempotency_Key="same"))[0] == 200
    assert (await items(api), (await statement(api))["open_disputes"]) == (before, 0)
    for said, status in (
        (SAID | {"line": 2}, 422),
        ({"line": 1}, 422),
        (SAID, 200),
    ):
        assert (await vendor(api, said))[0] == status
    assert (await settle(api, {"cents": -1, "reason": "no"}))[0] == 422
    assert (await vendor(api, SAID, f"{MARCH}/items/r1.2"))[0] == 404
    assert (await vendor(api, SAID, "/vendors/v2/statements/2026-03/items/r1.1"))[0] == 404
    api.clock.ms += 150 * DAY_MS
    key = api.store.market(api.market).keys.statement("v1", "2026-03-02")
    await api.store.reader.ask("DEL", key)  # the month went meanwhile
    assert (await settle(api, {"cents": 1, "reason": "no"}))[0] == 404
    assert (await settle(api, {"reason": "no"}))[0] == 200


async def test_as_long_as_the_request_is_there_it_is_a_dispute_of_its_price(api: Api) -> None:
    await taken(api, "r1")
    await vendors(api, "r1", "status", {"status": "completed"})
    status, item = await vendor(api, SAID)
    assert (status, item["lines"][0]["disputed"]) == (200, True)
    assert (await vendor(api, SAID))[0] == 409
    (task,) = (await api.call("GET", "/tasks", role=Role.OPS))[1]["tasks"]
    assert task["kind"] == "price_dispute"
    assert (await settle(api, {"reason": "x"}))[0] == 404
    said = {"cents": 5_500, "reason": "so it was"}
    assert (await api.call("POST", "/dispatches/r1.1/price/disputes/1/settle", said, role=Role.OPS))[0] == 200
    assert (await vendor(api, SAID))[0] == 409, "corrected"
    correction = (await items(api))["r1.1 correction"]
    said = SAID | {"line": 2}
    assert (await vendor(api, said, f"{MARCH}/items/{correction['id']}"))[0] == 200


async def test_the_clients_do_the_same_and_the_vendor_hears_of_it(api: Api) -> None:
    await forgotten(api, "r1")
    root = str(api.client.make_url("/"))
    async with (
        VendorClient(root, api.token(Role.VENDOR, vendor="v1"), api.market) as van,
        OpsClient(root, api.token(Role.OPS), api.market) as ops,
    ):
        item = await van.dispute_item("v1", "2026-03", "r1.1", 1, TEXT)
        assert item.lines[0].disputed
        assert await ops.statement_item("v1", "2026-03", item.id) == item
        task = await ops.settle_item("v1", "2026-03", item.id, 1, "so it was", cents=4_000)
        assert task.outcome is TaskOutcome.SETTLED
        async for _, event in van.events(after="0-0"):
            if event.type == "dispatch.statement.settled":
                assert event.data["cents"] == -500
                break
