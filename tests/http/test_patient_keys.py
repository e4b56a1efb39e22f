"""A process that lacks a patient key says so before a command has its effect."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.codes import Role
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.store.keys import Keys
from tests.http.conftest import RING, Api
from tests.http.test_offers import DAY, offered

LACKING = PatientKeyFile("new", {"new": bytes(32)})
COMMANDS: dict[str, tuple[str, Any]] = {
    "accept": ("/offers/r1.1/accept", {"reference": "T-1"}),
    "decline": ("/offers/r1.1/decline", {"code": "OTHER"}),
    "report": ("/dispatches/r1.1/status", {"status": "en_route"}),
}


async def as_vendor(api: Api, method: str, path: str, body: Any = None, name: str = "v1") -> tuple[int, Any]:
    return await api.call(method, path, body, role=Role.VENDOR, vendor=name)


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_command_whose_answer_cannot_be_read_here_has_no_effect(api: Api, name: str) -> None:
    await offered(api)
    if name == "report":
        assert (await as_vendor(api, "POST", "/offers/r1.1/accept"))[0] == 200
    version = (await api.store.market(api.market).requests.records.get_all(["r1"]))["r1"].version
    api.store.vault.take(LACKING)
    path, body = COMMANDS[name]
    status, problem = await as_vendor(api, "POST", path, body)
    assert (status, problem["type"], problem["key_id"]) == (503, "/problems/patient-key-missing", "dev")
    assert problem["retry_after_s"] > 0
    assert (await as_vendor(api, "POST", path, body, "v2"))[0] == 404, "of another's nothing is told"
    after = (await api.store.market(api.market).requests.records.get_all(["r1"]))["r1"]
    assert after.version == version
    api.store.vault.take(RING)
    assert (await as_vendor(api, "POST", path, body))[0] == 200


async def test_reading_and_repeating_without_the_key_is_a_problem_of_its_own(api: Api) -> None:
    await offered(api)
    assert (await as_vendor(api, "POST", "/offers/r1.1/accept"))[0] == 200
    api.store.vault.take(LACKING)
    status, problem = await as_vendor(api, "GET", "/dispatches/r1.1")
    assert (status, problem["type"]) == (503, "/problems/patient-key-missing")
    assert (await api.call("GET", "/requests/r1"))[0] == 200, "what is not sealed is read"
    assert (await as_vendor(api, "GET", "/offers")) == (200, {"offers": [], "unread": {}})


@pytest.mark.parametrize("damage", ["cut", "gone"])
async def test_who_could_not_be_given_the_door_does_not_accept(api: Api, damage: str) -> None:
    await offered(api)
    key = Keys(api.market).body(REQUEST_KIND, "r1")
    await api.store.reader.ask(*(("SET", key, bytes(5)) if damage == "cut" else ("DEL", key)))
    for _ in range(2):
        status, problem = await as_vendor(api, "POST", "/offers/r1.1/accept")
        assert (status, problem["type"], problem["id"]) == (500, "/problems/unreadable", "r1")
    assert (await api.call("GET", "/requests/r1"))[1]["state"] == "offered"
    assert (await api.call("GET", f"/vendors/v1/capacity/{DAY}", role=Role.OPS))[0] == 200
