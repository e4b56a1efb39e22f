"""Every change of the tuning is kept with who made it and why, and one call brings a version back."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.codes import Role
from contracts.tuning import Tuning
from contracts.tuning_versions import KEPT_VERSIONS
from dispatcher.audit.auditor import audit
from dispatcher.store import codec
from dispatcher.store.keys import Keys
from tests.http.conftest import Api


async def put(api: Api, values: dict[str, Any], version: int, **more: Any) -> tuple[int, Any]:
    headers = {"If_Match": f'"{version}"'} if version else {}
    return await api.call("PUT", "/tuning", {"values": values} | more, role=Role.OPS, **headers)


async def get(api: Api, path: str) -> tuple[int, Any]:
    return await api.call("GET", path, role=Role.OPS)


async def restore(api: Api, number: int, standing: int | None, **body: Any) -> tuple[int, Any]:
    headers = {} if standing is None else {"If_Match": f'"{standing}"'}
    sent = {"reason": "as it was"} | body
    return await api.call("POST", f"/tuning/versions/{number}/restore", sent, role=Role.OPS, **headers)


async def what_if(api: Api) -> str:
    """The id of one that was asked for."""
    status, view = await api.call("POST", "/what-if", {"change": {}}, role=Role.OPS)
    assert status == 202, view
    return str(view["id"])


async def test_a_change_names_a_what_if_of_this_market_or_none(api: Api) -> None:
    status, problem = await put(api, {}, 0, reason="cheaper", what_if="w404")
    assert (status, problem["problems"]) == (422, ["there is no what-if w404"])
    assert "Maybe it is misspelt" in problem["detail"]
    assert (await get(api, "/tuning"))[1]["version"] == 0
    await put(api, {}, 0)
    assert (await restore(api, 1, 1, what_if="w404"))[0] == 422
    known = await what_if(api)
    assert (await restore(api, 1, 1, what_if=known))[1]["what_if"] == known


async def test_versions_say_who_why_and_what_changed_the_newest_first(api: Api) -> None:
    await put(api, {"max_attempts": 3}, 0, reason="spring")
    asked = await what_if(api)
    await put(api, {"max_attempts": 3, "price_weight": 2.0}, 1, reason="cheaper", what_if=asked)
    status, page = await get(api, "/tuning/versions")
    assert (status, page["current"], page["next"]) == (200, 2, None)
    newest, first = page["versions"]
    assert (newest["version"], newest["reason"], newest["what_if"], newest["made"]) == (
        2,
        "cheaper",
        asked,
        "sent",
    )
    assert newest["values"] == {"max_attempts": 3, "price_weight": 2.0}
    assert [(each["name"], each["before"], each["after"]) for each in newest["changes"]] == [
        ("price_weight", 1.0, 2.0)
    ]
    assert [(each["name"], each["before"], each["after"]) for each in first["changes"]] == [
        ("max_attempts", 12, 3)
    ]
    page = (await get(api, "/tuning/versions?limit=1"))[1]
    assert ([each["version"] for each in page["versions"]], page["next"]) == ([2], 2)
    page = (await get(api, "/tuning/versions?limit=1&before=2"))[1]
    assert ([each["version"] for each in page["versions"]], page["next"]) == ([1], None)


async def test_a_version_is_read_compared_and_brought_back_in_one_call(api: Api) -> None:
    await put(api, {"max_attempts": 3, "authorization_hcpcs": ["E13"]}, 0)
    await put(api, {"price_weight": 2.0}, 1)
    status, view = await get(api, "/tuning/versions/1")
    values = {each["name"]: each["value"] for each in view["parameters"]}
    assert (status, view["version"], values["max_attempts"], values["price_weight"]) == (200, 1, 3, 1.0)
    diff = (await get(api, "/tuning/versions/1/diff"))[1]
    changed = {each["name"]: (each["before"], each["after"]) for each in diff["changes"]}
    assert (diff["before"], diff["after"]) == (1, 2)
    assert changed == {
        "max_attempts": (3, 12),
        "price_weight": (1.0, 2.0),
        "authorization_hcpcs": (["E13"], []),
    }
    assert (await get(api, "/tuning/versions/2/diff?to=2"))[1]["changes"] == []
    assert (await restore(api, 1, None))[0] == 428
    assert (await restore(api, 1, 1))[0] == 412
    asked = await what_if(api)
    status, view = await restore(api, 1, 2, reason="too dear", what_if=asked)
    assert (status, view["version"], view["made"], view["source"], view["what_if"]) == (
        200,
        3,
        "restored",
        "1",
        asked,
    )
    assert (await get(api, "/tuning/versions/1/diff"))[1]["changes"] == []
    assert (await restore(api, 7, 3))[0] == 404
    assert (await restore(api, 1, 3, reason=""))[0] == 422


async def test_so_many_versions_are_kept_and_no_more(api: Api) -> None:
    await put(api, {}, 0)
    keys, reader = Keys(api.market), api.store.reader
    later = Tuning(version=KEPT_VERSIONS)
    await reader.ask("SET", keys.tuning, codec.pack(later.version, later))
    assert (await put(api, {"max_attempts": 2}, KEPT_VERSIONS))[0] == 200
    assert await reader.get(keys.tuning_version(1)) is None
    assert (await get(api, "/tuning/versions"))[1]["versions"][0]["version"] == KEPT_VERSIONS + 1
    assert (await get(api, "/tuning/versions/1"))[0] == 404


async def test_the_change_is_told_as_an_event_without_values(api: Api) -> None:
    await put(api, {"max_attempts": 3}, 0, reason="spring")
    entries = await api.store.reader.ask("XRANGE", Keys(api.market).events, "-", "+")
    told = entries[-1][1][b"ce"]
    assert b"dispatch.tuning.changed" in told
    assert b"max_attempts" not in told
    assert b"spring" not in told


@pytest.mark.parametrize("role", [Role.PLATFORM, Role.COORDINATOR, Role.CASE_MANAGER, Role.VENDOR])
async def test_versions_are_for_ops_alone(api: Api, role: Role) -> None:
    await put(api, {}, 0)
    vendor = "v1" if role is Role.VENDOR else ""
    for path in ("/tuning/versions", "/tuning/versions/1", "/tuning/versions/1/diff"):
        assert (await api.call("GET", path, role=role, vendor=vendor))[0] == 403


async def test_tuning_that_is_lost_is_told_and_never_begun_anew_at_version_1(api: Api) -> None:
    await put(api, {"max_attempts": 3}, 0)
    await put(api, {"max_attempts": 4}, 1)
    keys, reader = Keys(api.market), api.store.reader
    await reader.ask("DEL", keys.tuning)
    status, problem = await get(api, "/tuning")
    assert (status, problem["type"], problem["version"]) == (500, "/problems/unreadable", 2)
    assert 'If-Match: "2"' in problem["detail"]
    assert (await put(api, {}, 0))[0] == 428
    assert (await put(api, {}, 1))[0] == 412
    fresh = api.store.market(api.market).tuning
    fresh._last = type(fresh._last)()  # as a process that has just begun
    assert (await fresh.in_force(0)).values == {"max_attempts": 4}
    assert api.store.aside.met_lately(api.market) == {"tuning": 1}
    assert [each["version"] for each in (await get(api, "/tuning/versions"))[1]["versions"]] == [2, 1]
    status, view = await restore(api, 1, 2)
    assert (status, view["version"]) == (200, 3)
    assert (await get(api, "/tuning"))[1]["version"] == 3


async def test_tuning_under_a_key_of_another_type_is_told_with_what_mends_it(api: Api) -> None:
    await put(api, {"max_attempts": 3}, 0)
    keys, reader = Keys(api.market), api.store.reader
    await reader.ask("DEL", keys.tuning)
    await reader.ask("LPUSH", keys.tuning, "x")
    for made in (get(api, "/tuning"), put(api, {}, 0), put(api, {}, 1), restore(api, 1, 1)):
        status, problem = await made
        assert status in {500, 503}
        assert problem["type"] in {"/problems/unreadable", "/problems/unavailable"}
    assert keys.tuning in (await get(api, "/tuning"))[1]["detail"]
    assert (await api.store.market(api.market).tuning.in_force(0)).values == {"max_attempts": 3}
    assert api.store.aside.met_lately(api.market) == {"tuning": 1}
    await reader.ask("DEL", keys.tuning)
    assert (await restore(api, 1, 1))[0] == 200
    assert (await audit(reader, api.market))["findings"] == []


async def test_a_kept_version_that_cannot_be_read_is_left_out_and_named_by_the_audit(api: Api) -> None:
    await put(api, {"max_attempts": 3}, 0)
    await put(api, {}, 1)
    keys, reader = Keys(api.market), api.store.reader
    await reader.ask("SETRANGE", keys.tuning_version(1), 4, b"\xc1" * 40)
    assert [each["version"] for each in (await get(api, "/tuning/versions"))[1]["versions"]] == [2]
    assert (await restore(api, 1, 2))[0] == 404
    found = (await audit(reader, api.market))["findings"]
    assert [(each["rule"], each["subject"]) for each in found] == [("readable", "tuning 1")]
