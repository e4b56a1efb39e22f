"""Vendors, capacity and tuning are changed only over the version that the caller has read."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.codes import Role
from tests.http.conftest import Api

VENDOR = {
    "id": "v1",
    "name": "Example Rides",
    "levels_of_service": ["wheelchair"],
    "service_area": [{"kind": "circle", "centre": [-73.97, 40.78], "radius_m": 20_000}],
}
POOLS = {"kind": "pools", "pools": [{"id": "vans", "serves": ["wheelchair"], "units": [3]}]}
TUNING: dict[str, Any] = {"values": {}, "reason": "a test"}
BODIES = {"/vendors/v1": VENDOR, "/vendors/v1/capacity/2026-03-03": POOLS, "/tuning": TUNING}


@pytest.fixture(params=BODIES)
async def path(api: Api, request: pytest.FixtureRequest) -> str:
    """The three kinds of versioned resource, of which a vendor stands already where capacity needs it."""
    if "capacity" in request.param:
        await api.call("PUT", "/vendors/v1", VENDOR, role=Role.OPS)
    return str(request.param)


async def _put(api: Api, path: str, **headers: str) -> tuple[int, str, Any]:
    sent = api.headers(Role.OPS) | {name.replace("_", "-"): value for name, value in headers.items()}
    async with api.client.put(api.base + path, json=BODIES[path], headers=sent) as answer:
        return answer.status, answer.headers.get("ETag", ""), await answer.json(content_type=None)


async def test_a_first_version_is_made_without_if_match(api: Api, path: str) -> None:
    status, etag, _ = await _put(api, path)
    assert (status, etag) == (200 if path == "/tuning" else 201, '"1"')
    async with api.client.get(api.base + path, headers=api.headers(Role.OPS)) as answer:
        assert answer.headers["ETag"] == '"1"'


async def test_a_change_without_if_match_is_a_428(api: Api, path: str) -> None:
    await _put(api, path)
    status, _, problem = await _put(api, path)
    assert (status, problem["type"]) == (428, "/problems/missing-precondition")


async def test_a_change_over_a_stale_version_is_a_412_and_changes_nothing(api: Api, path: str) -> None:
    await _put(api, path)
    assert (await _put(api, path, If_Match='"1"'))[:2] == (200, '"2"')
    status, _, problem = await _put(api, path, If_Match='"1"')
    assert (status, problem["type"]) == (412, "/problems/stale-version")
    async with api.client.get(api.base + path, headers=api.headers(Role.OPS)) as answer:
        assert answer.headers["ETag"] == '"2"'


@pytest.mark.parametrize("tag", ["1", "", "**", '*, "1"', '"1" "2"', '"1', 'w/"1"', '"1";', "W/*"])
async def test_an_if_match_that_is_no_etag_is_a_400(api: Api, tag: str) -> None:
    assert (await _put(api, "/vendors/v1", If_Match=tag))[0] == 400


async def _twice(api: Api, path: str) -> None:
    await _put(api, path)
    assert (await _put(api, path, If_Match='"1"'))[:2] == (200, '"2"')


@pytest.mark.parametrize(
    "tag", ['W/"2"', '"x"', '"02x"', '"1", W/"2"', '"3"', '""', '"4294967296"', '"999999999"']
)
async def test_a_weak_etag_and_one_that_is_not_ours_never_match(api: Api, path: str, tag: str) -> None:
    await _twice(api, path)
    status, etag, problem = await _put(api, path, If_Match=tag)
    assert (status, etag, problem["type"]) == (412, "", "/problems/stale-version")
    assert '"1000000000"' not in str(problem)
    assert "1000000000" not in problem["detail"]


@pytest.mark.parametrize("tag", ["*", '"1", "2"', '"2","9"', 'W/"1" , "2"'])
async def test_a_star_matches_whatever_stands_and_a_list_what_it_names(api: Api, path: str, tag: str) -> None:
    await _twice(api, path)
    assert (await _put(api, path, If_Match=tag))[:2] == (200, '"3"')


@pytest.mark.parametrize("tag", ["*", '"1"', 'W/"1"'])
async def test_nothing_matches_where_nothing_stands_and_it_says_how_to_say_new(
    api: Api, path: str, tag: str
) -> None:
    if path == "/tuning" and tag == "*":
        assert (await _put(api, path, If_Match=tag))[:2] == (
            200,
            '"1"',
        )  # it stands from the beginning, as "0"
        return
    status, _, problem = await _put(api, path, If_Match=tag)
    assert (status, problem["type"]) == (412, "/problems/stale-version")
    if path != "/tuning":
        assert "nothing is there yet" in problem["detail"]
        assert "If-None-Match: *" in problem["detail"]
        async with api.client.get(api.base + path, headers=api.headers(Role.OPS)) as answer:
            assert answer.status == 404


NEW = {
    "/vendors/v1": VENDOR,
    "/vendors/v1/capacity/2026-03-03": POOLS,
    "/vendors/v1/caps": {"caps": []},
    "/tuning": TUNING,
    "/tuning/shadow": {"values": {"price_weight": 2.0}, "reason": "a test"},
    "/tuning/sets/cheap": {"values": {"price_weight": 2.0}},
    "/board/views": {"views": []},
    "/episodes/e1": {},
    "/authorizations/a1": {
        "number": "A-1",
        "payer": "Medicaid",
        "services": ["wheelchair"],
        "granted": 10,
        "first_day": "2026-03-01",
        "last_day": "2026-12-31",
        "requests": ["r1"],
    },
}


@pytest.mark.parametrize(
    "headers", [{"If_None_Match": "*"}, {"If_Match": '"0"'}, {"If_Match": '"0", "7"'}, {}]
)
async def test_what_is_new_may_be_said_in_each_way_and_is_made_once(
    api: Api, headers: dict[str, str]
) -> None:
    for path, body in NEW.items():
        told = []
        for change in (body, body | ({"name": "Other Rides"} if body is VENDOR else {})):
            role = Role.CASE_MANAGER if "authorizations" in path else Role.OPS
            role = Role.PLATFORM if "episodes" in path else role
            told.append(await api.call("PUT", path, change, role=role, **headers))
        assert told[0][0] in (200, 201), (path, told[0])
        again = 412 if headers else 428
        assert told[1][0] == again or told[1][1] == told[0][1], (path, told[1])


async def test_a_condition_that_cannot_be_meant_is_a_400(api: Api) -> None:
    headers = {"If_None_Match": '"1"'}
    status, problem = await api.call("PUT", "/vendors/v1", VENDOR, role=Role.OPS, **headers)
    assert (status, "Maybe If-Match is meant" in problem["detail"]) == (400, True)


async def test_of_two_conditions_both_must_hold(api: Api) -> None:
    for tag, status in (('"1"', 412), ("*", 412), ('"0", "1"', 201), ('"1"', 412), ('"0"', 412)):
        headers = {"If_None_Match": "*", "If_Match": tag}
        told = await api.call("PUT", "/vendors/v1", VENDOR, role=Role.OPS, **headers)
        assert told[0] == status, tag
        assert ("no change fits both" in told[1].get("detail", "")) is ("0" not in tag), tag


async def test_what_was_there_is_no_201_also_where_nothing_of_it_changes(api: Api) -> None:
    for tag, status in ((None, 201), ('"1"', 200), ("*", 200)):
        headers = {} if tag is None else {"If_Match": tag}
        told = await api.call("PUT", "/episodes/e1", {}, role=Role.PLATFORM, **headers)
        assert told == (status, {"version": 1}), tag


async def test_a_star_on_what_is_another_s_is_a_404(api: Api) -> None:
    await api.call("PUT", "/vendors/v1", VENDOR, role=Role.OPS)
    for tag in ("*", '"1"', 'W/"1"'):
        sent = api.headers(Role.VENDOR, "v2", If_Match=tag)
        async with api.client.put(f"{api.base}/vendors/v1", json=VENDOR, headers=sent) as answer:
            assert answer.status == 404


async def test_a_star_holds_when_another_change_comes_between(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _put(api, "/vendors/v1")
    vendors, between = api.service.vendors, 2
    get = vendors.get

    async def late(*where: Any) -> Any:
        nonlocal between
        found = await get(*where)
        if between:
            between -= 1
            await vendors.put(where[0], where[1], found.value, found.version)
        return found

    monkeypatch.setattr(vendors, "get", late)
    assert (await _put(api, "/vendors/v1", If_Match="*"))[:2] == (200, '"4"')
    between = 1
    assert (await _put(api, "/vendors/v1", If_Match='"4"'))[0] == 412


async def test_a_vendor_may_change_itself_and_no_other(api: Api) -> None:
    for vendor, expected in (("v1", 201), ("v2", 404)):
        sent = api.headers(Role.VENDOR, vendor)
        async with api.client.put(f"{api.base}/vendors/v1", json=VENDOR, headers=sent) as answer:
            assert answer.status == expected


async def test_a_vendor_under_another_id_than_its_path_is_refused(api: Api) -> None:
    async with api.client.put(f"{api.base}/vendors/v9", json=VENDOR, headers=api.headers(Role.OPS)) as answer:
        assert answer.status == 422


async def test_tuning_out_of_bounds_is_refused_with_the_bounds(api: Api) -> None:
    _, view = await api.call("GET", "/tuning", role=Role.OPS)
    first = view["parameters"][0]
    for values in ({first["name"]: first["maximum"] + 1}, {"no-such-parameter": 1}):
        sent = api.headers(Role.OPS)
        async with api.client.put(f"{api.base}/tuning", json={"values": values}, headers=sent) as answer:
            assert answer.status == 422
            assert next(iter(values)) in (await answer.json(content_type=None))["detail"]
