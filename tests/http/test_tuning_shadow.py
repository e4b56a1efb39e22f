"""A shadow is set, read and taken away by ops; what it cannot see is refused, or told."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.codes import Role
from contracts.tuning_shadow import ShadowFound
from tests.http.conftest import Api

CANDIDATE = {"values": {"price_weight": 2.0}, "reason": "cheaper"}


async def call(api: Api, method: str, body: Any = None, version: int = 0) -> tuple[int, Any]:
    headers = {"If_Match": f'"{version}"'} if version else {}
    return await api.call(method, "/tuning/shadow", body, role=Role.OPS, **headers)


async def test_a_candidate_is_set_replaced_over_its_version_and_taken_away(api: Api) -> None:
    assert (await call(api, "GET"))[1]["shadow"] is None
    assert (await call(api, "PUT", CANDIDATE | {"what_if": "w404"}))[0] == 422
    asked = (await api.call("POST", "/what-if", {"change": {}}, role=Role.OPS))[1]["id"]
    status, view = await call(api, "PUT", CANDIDATE | {"what_if": asked})
    assert (status, view["version"], view["shadow"]["values"]) == (200, 1, {"price_weight": 2.0})
    assert (view["shadow"]["by"], view["shadow"]["what_if"]) == ("ops", asked)
    assert [(each["name"], each["after"]) for each in view["changes"]] == [("price_weight", 2.0)]
    found = ShadowFound(of=1, batches=3, moved=2)
    await api.store.market(api.market).tuning_shadow_found.put(found, 0)
    assert (await call(api, "GET"))[1]["found"]["moved"] == 2
    assert (await call(api, "PUT", CANDIDATE))[0] == 428
    other = {"values": {"price_weight": 3.0, "horizon_hours": 20}, "reason": "more"}
    status, view = await call(api, "PUT", other, 1)
    assert (status, view["found"]["moved"], view["unseen"]) == (200, 0, ["horizon_hours"])
    assert (await call(api, "DELETE", version=1))[0] == 412
    gone = await call(api, "DELETE", version=2)
    assert (gone[0], gone[1]["shadow"]) == (200, None)
    assert await call(api, "DELETE", version=2) == gone, "said again, for an answer was lost"
    assert (await call(api, "DELETE", version=3))[0] == 404
    assert (await api.call("GET", "/tuning", role=Role.OPS))[1]["version"] == 0, "nothing of it was in force"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "the candidate is what stands"),
        ({"horizon_hours": 20}, "horizon_hours: no batch is planned otherwise by that alone"),
        ({"price_weight": 99.0}, "0.0..10.0"),
    ],
)
async def test_what_a_shadow_would_not_see_is_refused_in_words(api: Api, values: Any, words: str) -> None:
    status, problem = await call(api, "PUT", {"values": values, "reason": "a test"})
    assert (status, words in problem["detail"]) == (422, True)
