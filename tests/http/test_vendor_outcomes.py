"""Vendors in one list: outcomes, papers to verify, pauses, open work; for ops."""

from __future__ import annotations

import msgspec

from contracts.codes import Role
from tests.domain import make
from tests.http.conftest import Api


async def test_a_vendor_stands_with_its_outcomes_and_the_papers_that_wait_for_ops(api: Api) -> None:
    body = msgspec.to_builtins(make.vendor("v1")) | {
        "credentials": [
            {"kind": "auto_insurance", "expires_on": "2026-12-31"},
            {"kind": "drug_screen", "expires_on": "2026-01-01"},
        ]
    }
    assert (await api.call("PUT", "/vendors/v1", body, role=Role.OPS))[0] == 201
    key = api.store.market(api.market).keys.scorecards("2026-03")
    await api.store.reader.ask("HSET", key, "v1:on_time", 30, "v1:late", 10, "v1:late_minutes", 95)
    status, page = await api.call("GET", "/vendor-outcomes", role=Role.OPS)
    assert status == 200, page
    (one,) = page["vendors"]
    assert (one["outcomes"], one["late_minutes"], one["went_well"]) == ({"on_time": 30, "late": 10}, 95, 0.75)
    assert 0.75 < one["matching_share"] < 0.92
    assert [each["kind"] for each in one["to_verify"]] == ["auto_insurance"]
    assert (one["expired"], one["expires_on"], one["open"], one["posted_today"]) == (1, None, 0, False)
    assert (page["today"], page["since"][:10]) == ("2026-03-02", "2026-02-01")
    papers = {"credentials": [{"kind": "auto_insurance", "expires_on": "2026-12-31"}]}
    assert (await api.call("POST", "/vendors/v1/verify", papers, role=Role.OPS))[0] == 200
    (one,) = (await api.call("GET", "/vendor-outcomes", role=Role.OPS))[1]["vendors"]
    assert (one["to_verify"], one["expires_on"]) == ([], "2026-12-31")
    alone = (await api.call("GET", "/vendor-outcomes?vendor_id=v1", role=Role.OPS))[1]["vendors"]
    assert alone == [one]
    assert (await api.call("GET", "/vendor-outcomes?vendor_id=v2", role=Role.OPS))[1]["vendors"] == []


async def test_outcomes_are_for_ops_alone_and_a_key_of_another_type_hides_no_vendor(api: Api) -> None:
    body = msgspec.to_builtins(make.vendor("v1"))
    assert (await api.call("PUT", "/vendors/v1", body, role=Role.OPS))[0] == 201
    await api.store.reader.ask("SADD", api.store.market(api.market).keys.scorecards("2026-03"), "x")
    status, page = await api.call("GET", "/vendor-outcomes", role=Role.OPS)
    assert (status, [each["id"] for each in page["vendors"]]) == (200, ["v1"])
    for role in (Role.PLATFORM, Role.COORDINATOR, Role.CASE_MANAGER):
        assert (await api.call("GET", "/vendor-outcomes", role=role))[0] == 403
    assert (await api.call("GET", "/vendor-outcomes", role=Role.VENDOR, vendor="v1"))[0] == 403
