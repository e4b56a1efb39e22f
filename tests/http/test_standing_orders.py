"""Standing orders over HTTP and by the client; and what docs/standing-orders.md says, done as it says."""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from client.errors import Problem
from client.standing_orders import StandingOrderClient
from contracts.codes import Role
from contracts.standing_orders import StandingOrder, StandingOrderState
from dispatcher.jobs.timers import Timers
from tests.http.conftest import Api, trip

PAGE = Path(__file__).parents[2] / "docs" / "standing-orders.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
PATIENT = {"patient": {"name": "Canary Wren", "record_number": "C 17"}}


def daily(order_id: str, **changes: Any) -> dict[str, Any]:
    """From tomorrow, Tuesday, at 10:00."""
    return {"request": trip(order_id, **PATIENT), "rule": "FREQ=DAILY;COUNT=3"} | changes


async def run(api: Api, block: str) -> Any:
    """A `curl` of the page, sent as it stands there."""
    words = shlex.split(block.replace("\\\n", " ").replace("$API/v1/markets/metro", ""))
    path = next(word for word in words if word.startswith("/"))
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    body = json.loads(words[words.index("-d") + 1]) if "-d" in words else None
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    key = {"Idempotency_Key": headers["Idempotency-Key"]} if "Idempotency-Key" in headers else {}
    status, answer = await api.call(method, path, body, **key)
    assert status in (200, 201), answer
    return answer


async def test_the_page_is_true(api: Api) -> None:
    api.clock.ms = int(datetime(2026, 11, 30, 15, tzinfo=UTC).timestamp() * 1000)
    put, skip, shift, read = BLOCKS
    order = await run(api, put)
    assert [each["day"] for each in order["next"][:3]] == ["2026-12-02", "2026-12-04", "2026-12-09"]
    assert order["next"][0]["request_ids"] == ["dialysis-17-20261202", "dialysis-17-20261202-r"]
    assert "Nobody" not in json.dumps(order)
    assert "2026-12-21" in (await run(api, skip))["order"]["except_days"]
    later = await run(api, shift)
    moved = next(each for each in later["next"] if each["day"] == "2026-12-23")
    assert moved["window"]["earliest"] == "2026-12-23T12:30:00Z"
    christmas = next(each for each in later["next"] if each["day"] == "2026-12-25")
    assert christmas["window"]["earliest"].startswith("2026-12-24T11:30")
    while await Timers(api.service).fire_due(api.market):
        pass
    assert (await run(api, read))["standing_order"] == "dialysis-17"
    _, there = await api.call("GET", "/requests/dialysis-17-20261202")
    assert there["asked"]["identifiers"] == order["order"]["request"]["identifiers"]


async def test_an_order_is_put_replaced_by_its_version_and_listed_until_it_ends(api: Api) -> None:
    path = "/standing-orders/o1"
    status, order = await api.call("PUT", path, daily("o1"))
    assert (status, order["state"], order["version"]) == (201, "active", 1)
    assert (await api.call("PUT", path, daily("o1")))[0] == 201, "the same once more is no change"
    status, problem = await api.call("PUT", path, daily("o1", rule="FREQ=DAILY"))
    assert (status, problem["type"]) == (428, "/problems/missing-precondition")
    status, order = await api.call("PUT", path, daily("o1", rule="FREQ=DAILY"), If_Match='"1"')
    assert (status, order["order"]["rule"], len(order["next"])) == (200, "FREQ=DAILY", 10)
    _, page = await api.call("GET", "/standing-orders")
    assert [each["id"] for each in page["standing_orders"]] == ["o1"]
    assert (await api.call("POST", f"{path}/end"))[1]["state"] == "ended"
    assert (await api.call("GET", "/standing-orders"))[1]["standing_orders"] == []
    _, page = await api.call("GET", "/standing-orders?state=ended")
    assert [each["state"] for each in page["standing_orders"]] == ["ended"]
    status, problem = await api.call("PUT", path, daily("o1"), If_Match="*")
    assert (status, problem["type"]) == (409, "/problems/wrong-state")


@pytest.mark.parametrize(
    ("body", "status", "wrong"),
    [
        (daily("o1") | {"request": trip("o2")}, 422, "/request/id"),
        (daily("o1", rule="FREQ=HOURLY"), 422, "daily is most"),
        (daily("o1", shifts=[{"day": "2026-03-04", "minutes": 5}] * 2), 422, "a day twice"),
        (daily("o1", request=trip("o1", episode="e1")), 422, "an episode"),
        (daily("o1", request=trip("o1", patient={"name": "\u200b"})), 422, "/request/patient/name"),
    ],
)
async def test_what_is_no_order_is_refused_in_words_without_its_patient(
    api: Api, body: dict[str, Any], status: int, wrong: str
) -> None:
    found, problem = await api.call("PUT", "/standing-orders/o1", body)
    assert found == status
    assert wrong in json.dumps(problem)
    assert "Canary" not in json.dumps(problem)
    assert (await api.call("GET", "/standing-orders/o1"))[0] == 404


async def test_the_client_puts_reads_pauses_skips_shifts_and_ends(api: Api) -> None:
    url = str(api.client.make_url(""))
    async with StandingOrderClient(url, api.token(Role.PLATFORM), api.market) as client:
        order = msgspec.convert(daily("o1", rule="FREQ=DAILY"), StandingOrder)
        assert (await client.put_standing_order(order)).version == 1
        assert (await client.pause("o1")).state is StandingOrderState.PAUSED
        assert (await client.resume("o1")).state is StandingOrderState.ACTIVE
        assert (await client.skip("o1", date(2026, 3, 4))).next[1].day == date(2026, 3, 5)
        assert (await client.shift("o1", date(2026, 3, 5), 60)).order.shifts[0].minutes == 60
        with pytest.raises(Problem, match="no occurrence on 9999-12-31"):
            await client.shift("o1", date.max, 60)
        assert [each.id async for each in client.standing_orders()] == ["o1"]
        with pytest.raises(Problem, match="428"):
            await client.put_standing_order(order)
        assert (await client.end("o1")).next == ()
        assert (await client.standing_order("o1")).state is StandingOrderState.ENDED
