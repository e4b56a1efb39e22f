"""A pool carries less than its vendor where it says so: a ride that is too much for it goes to another."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from contracts.codes import Role
from tests.http.conftest import Api, trip
from tests.http.test_by_hand import DAY, VENDOR, put_to

CARRIES = {"max_weight_kg": 200, "max_stairs": 20, "max_oxygen_l_min": 6.0, "skills": ["attendant"]}


def pool(name: str, **limits: Any) -> dict[str, Any]:
    return {"id": name, "serves": ["wheelchair"], "units": [1], **limits}


async def post(api: Api, *pools: dict[str, Any], **vendor: Any) -> tuple[int, Any]:
    body = VENDOR | CARRIES | vendor
    status, told = await api.call("PUT", "/vendors/v1", body, role=Role.OPS)
    assert status == 201, told
    path = f"/vendors/v1/capacity/{DAY}"
    return await api.call("PUT", path, {"kind": "pools", "pools": list(pools)}, role=Role.OPS)


async def ask(api: Api, name: str, **needs: Any) -> tuple[int, Any]:
    await api.call("POST", "/requests", trip(name) | {"needs": needs})
    return await put_to(api, "v1", name)


@pytest.mark.parametrize(
    ("limit", "needs"),
    [
        ({"max_weight_kg": 120}, {"weight_kg": 121}),
        ({"max_attendants": 0}, {"attendants": 1}),
    ],
)
async def test_what_is_too_much_for_one_pool_goes_to_one_that_carries_it(
    api: Api, limit: dict[str, Any], needs: dict[str, Any]
) -> None:
    assert (await post(api, pool("a", **limit), pool("b")))[0] == 201
    assert (await ask(api, "r1", **needs))[0] == 200
    record = await api.store.market(api.market).requests.records.get("r1")
    assert record is not None
    assert record.offers[0].pool_id == "b"
    status, problem = await ask(api, "r2", **needs)
    assert (status, problem["rules"]) == (409, ["capacity"]), "the free one carries less"
    assert (await ask(api, "r3"))[0] == 200, "and takes what asks for nothing"


async def test_where_no_pool_carries_it_the_rule_says_so(api: Api) -> None:
    await post(api, pool("a", max_weight_kg=120), pool("b", max_weight_kg=119))
    status, problem = await ask(api, "r1", weight_kg=121)
    assert (status, problem["rules"]) == (409, ["pool_limits"])
    assert (await ask(api, "r2", weight_kg=120))[0] == 200


async def test_a_limit_is_of_its_day_alone(api: Api) -> None:
    await post(api, pool("a"))
    await api.call(
        "PUT",
        "/vendors/v1/capacity/2026-03-02",
        {"kind": "pools", "pools": [pool("a", max_weight_kg=50), pool("0", max_weight_kg=50)]},
        role=Role.OPS,
    )
    assert (await ask(api, "r1", weight_kg=121))[0] == 200


async def test_a_pool_cannot_carry_more_than_its_vendor(api: Api) -> None:
    await post(api, pool("a"), max_attendants=2)
    path = f"/vendors/v1/capacity/{DAY}"
    for limit, words in (
        ({"max_weight_kg": 201}, "max_weight_kg of pool a is 201; vendor v1 carries 200 at most"),
        ({"max_stairs": 21}, "carries 20 at most"),
        ({"max_oxygen_l_min": 6.5}, "is 6.5; vendor v1 carries 6 at most"),
        ({"max_attendants": 3}, "raise max_attendants of the vendor"),
    ):
        body = {"kind": "pools", "pools": [pool("a", **limit)]}
        status, problem = await api.call("PUT", path, body, role=Role.OPS, If_Match="*")
        assert (status, problem["type"]) == (422, "/problems/invalid-request")
        assert words in problem["detail"]


async def test_a_limit_that_is_none_is_refused_by_its_name(api: Api) -> None:
    path = f"/vendors/v1/capacity/{DAY}"
    for name, odd in {
        "max_weight_kg": 0,
        "max_stairs": -1,
        "max_oxygen_l_min": 16,
        "max_attendants": 5,
    }.items():
        body = {"kind": "pools", "pools": [pool("a", **{name: odd})]}
        status, problem = await api.call("PUT", path, body, role=Role.OPS)
        assert (status, problem["errors"][0]["pointer"]) == (422, f"/pools/0/{name}")


async def test_crew_beyond_what_the_vendor_has_is_refused_by_needs(api: Api) -> None:
    await post(api, pool("a"), max_attendants=1)
    status, problem = await ask(api, "r1", attendants=2)
    assert (status, problem["rules"]) == (409, ["needs"])


async def test_who_declined_and_posts_a_higher_limit_is_asked_again(api: Api) -> None:
    await post(api, pool("a", max_weight_kg=130))
    stored = api.store.market(api.market)
    (before,) = (await stored.capacity.get_all([date(2026, 3, 3)])).values()
    api.clock.ms += 1_000
    path, body = f"/vendors/v1/capacity/{DAY}", {"kind": "pools", "pools": [pool("a", max_weight_kg=140)]}
    assert (await api.call("PUT", path, body, role=Role.OPS, If_Match='"1"'))[0] == 200
    (after,) = (await stored.capacity.get_all([date(2026, 3, 3)])).values()
    assert after.changed_ms > before.changed_ms
