"""How requests fare by level of service and area: for ops, over HTTP, from what was really done."""

from __future__ import annotations

import pytest

from client.ops import OpsClient
from contracts.codes import Role
from dispatcher.domain.fairness import Fared, behind
from tests.http.conftest import Api

KEY, YESTERDAY = "wheelchair@-73.9,40.7", "2026-03-01"


async def counted(api: Api, group: str, asked: int, unmatched: int = 0, minutes: int = 0) -> Fared:
    told = Fared(asked, unmatched, asked * minutes * 60)
    key = api.store.market(api.market).keys.fairness(YESTERDAY)
    for name, number in told._asdict().items():
        await api.store.reader.ask("HINCRBY", key, f"{name}:{group}", number)
    return told


async def test_groups_stand_with_their_figures_the_farthest_behind_first(api: Api) -> None:
    groups = {
        "ambulatory@-73.9,40.7": await counted(api, "ambulatory@-73.9,40.7", 400, 8, 6),
        "stretcher@-73.8,40.9": await counted(api, "stretcher@-73.8,40.9", 60, 24, 50),
        "equipment@-73.9,40.7": await counted(api, "equipment@-73.9,40.7", 10),
    }
    url = str(api.client.make_url("/")).rstrip("/")
    async with OpsClient(url, api.token(Role.OPS), api.market) as ops:
        found = await ops.fairness()
    assert [each.level_of_service for each in found.groups] == ["stretcher", "ambulatory", "equipment"]
    first = found.groups[0]
    assert (first.area, first.asked, first.unmatched, first.waiting) == ((-73.8, 40.9), 60, 24, 0)
    assert (first.wait_minutes, first.unmatched_share) == (50.0, 0.4)
    assert (first.others_wait_minutes, first.others_unmatched_share) == (5.85, 0.0195)
    assert first.behind == behind(groups, {})["stretcher@-73.8,40.9"] == 1.0
    assert [each.behind for each in found.groups[1:]] == [0.0, 0.0]
    assert (str(found.since), str(found.until), found.more) == ("2026-02-24", "2026-03-02", 0)
    assert (found.floor_wait_minutes, found.floor_unmatched_share) == (30, 0.1)
    status, page = await api.call("GET", "/fairness?limit=1", role=Role.OPS)
    assert (status, len(page["groups"]), page["more"]) == (200, 1, 2)


async def test_beside_a_single_group_there_are_no_others_to_tell_of(api: Api) -> None:
    await counted(api, "ambulatory@-73.9,40.7", 400, 8, 6)
    _, page = await api.call("GET", "/fairness", role=Role.OPS)
    (only,) = page["groups"]
    assert (only["others_wait_minutes"], only["others_unmatched_share"]) == (None, None)
    assert (only["wait_minutes"], only["behind"]) == (6.0, 0.0)


@pytest.mark.parametrize("limit", ["0", "1001", "many"])
async def test_a_limit_that_is_none_is_refused_with_the_limits(api: Api, limit: str) -> None:
    assert (await api.call("GET", f"/fairness?limit={limit}", role=Role.OPS))[0] == 400


async def test_the_figures_are_for_ops_alone(api: Api) -> None:
    for role in (Role.PLATFORM, Role.COORDINATOR, Role.CASE_MANAGER):
        assert (await api.call("GET", "/fairness", role=role))[0] == 403
    assert (await api.call("GET", "/fairness", role=Role.VENDOR, vendor="v1"))[0] == 403
    status, nobody = await api.call("GET", "/fairness", role=Role.OPS)
    assert (status, nobody["groups"]) == (200, [])


async def test_a_count_that_was_damaged_hides_no_other(api: Api) -> None:
    await counted(api, KEY, 3)
    key = api.store.market(api.market).keys.fairness(YESTERDAY)
    await api.store.reader.ask("HSET", key, "asked:no group at all", 4, "asked:x@1", 2, "asked:y@a,b", 1)
    status, page = await api.call("GET", "/fairness", role=Role.OPS)
    assert (status, [each["asked"] for each in page["groups"]]) == (200, [3])
