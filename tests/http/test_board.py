"""The board: all requests as columns and what changes of them; no patient; a damage hides itself."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import ClientResponse

from contracts.codes import Role
from dispatcher.delivery import board_listener
from dispatcher.delivery.board_listener import Listener, changes
from dispatcher.domain.request_kind import REQUEST_KIND, index_of
from dispatcher.domain.states import R
from dispatcher.store.keys import Keys
from tests.http.conftest import Api, trip
from tests.http.test_offers import offered
from tests.http.test_unreadable import spoil
from tests.http.test_will_call import will_call

PATIENT = {"name": "Ada Sample", "phone": "+1 555 0100"}


def rows(page: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By id, each value by its column."""
    named = [dict(zip(page["columns"], row, strict=True)) for row in page["rows"]]
    return {each["id"]: each for each in named}


async def change(answer: ClientResponse) -> dict[str, Any]:
    """The next change that is one."""
    while True:
        line = await asyncio.wait_for(answer.content.readline(), 30)
        if line.startswith(b"data: "):
            found: dict[str, Any] = json.loads(line[6:])
            return found


async def test_a_row_has_codes_and_coarse_places_and_no_patient(api: Api) -> None:
    await api.call("POST", "/requests", trip("r1", patient=PATIENT, priority="urgent"))
    status, page = await api.call("GET", "/board", role=Role.OPS)
    row = rows(page)["r1"]
    assert (status, row["state"], row["class"], row["priority"]) == (200, "received", "wheelchair", "urgent")
    assert (row["risk"], row["due"]) == ("no_vendor", row["match_by"])
    while page["partial"]:  # places come after the rest
        _, page = await api.call("GET", "/board", role=Role.OPS)
    assert rows(page)["r1"]["from"] != [-73.97, 40.78]
    assert "Ada" not in json.dumps(page)


async def test_whose_a_request_on_hold_is_to_move_stands_in_its_row_as_in_its_view(api: Api) -> None:
    holds = {each: trip(each, hold=each) for each in ("authorization", "predecessor")}
    both = trip("both", hold=["predecessor", "authorization"])
    await api.call("POST", "/requests", {"requests": [*holds.values(), both, will_call("call")]})
    owners = {each: row["owner"] for each, row in rows((await api.call("GET", "/board"))[1]).items()}
    assert owners == {
        "authorization": "case_manager",
        "predecessor": "care_coordinator",
        "both": "care_coordinator",
        "call": "care_coordinator",
    }
    for each, owner in owners.items():
        assert (await api.call("GET", f"/requests/{each}"))[1]["owner"] == owner


async def test_what_changes_comes_with_its_row_and_what_it_was(api: Api) -> None:
    await offered(api)
    headers = api.headers(Role.OPS)
    async with api.client.get(f"{api.base}/board/changes", headers=headers) as answer:
        await api.call("POST", "/requests/r1/cancel")
        found, told = dict[str, Any](), dict[str, Any]()
        while found.get("state") != "cancelled":
            told = await change(answer)
            found = rows(told["rows"]).get("r1", {})
    assert (found["risk"], found["ended"] > 0) == ("", True)
    assert told["kinds"]["dispatch.request.changed"] == ["r1"]


async def test_a_damage_hides_itself_and_nothing_else(api: Api) -> None:
    for each in ("good", "bad"):
        await api.call("POST", "/requests", trip(each))
    keys = Keys(api.market)
    await spoil(api, keys.record(REQUEST_KIND, "bad"))
    await api.store.reader.ask("SET", keys.list(index_of(R.COMPLETED)), "no list")
    await api.store.reader.ask("XADD", keys.events, "*", "ce", "no event")
    status, page = await api.call("GET", "/board", role=Role.COORDINATOR)
    assert (status, set(rows(page))) == (200, {"good"})


@pytest.mark.parametrize("role", [Role.VENDOR, Role.FACILITY])
async def test_who_reads_no_requests_has_no_board(api: Api, role: Role) -> None:
    vendor = "v1" if role is Role.VENDOR else ""
    for path in ("/board", "/board/changes", "/board/views"):
        assert (await api.call("GET", path, role=role, vendor=vendor))[0] == 403


async def test_who_is_too_slow_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_listener, "QUEUE", 2)
    slow = Listener()
    for number in range(4):
        slow.tell(b"%d" % number)
    assert [each async for each in changes(slow, 1)] == [], (
        "what it missed is not known to it: all is read anew"
    )


async def test_views_are_saved_over_the_version_that_was_read(api: Api) -> None:
    views = {"views": [{"name": "Late", "query": "state=offered&sort=due+down"}]}
    assert (await api.call("PUT", "/board/views", views, role=Role.OPS))[0] == 201
    assert await api.call("GET", "/board/views", role=Role.COORDINATOR) == (200, views)
    assert (await api.call("PUT", "/board/views", views, role=Role.OPS))[0] == 428
    assert (await api.call("PUT", "/board/views", views, role=Role.OPS, If_Match='"9"'))[0] == 412
    twice = {"views": views["views"] * 2}
    status, problem = await api.call("PUT", "/board/views", twice, role=Role.OPS, If_Match='"1"')
    assert (status, "two views are named Late" in problem["detail"]) == (422, True)
