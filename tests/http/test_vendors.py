"""Who says what of a vendor: it claims and pauses itself, ops pauses and verifies, each by name and time."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from client.errors import Problem
from client.ops import OpsClient
from contracts.codes import Role
from contracts.vendors import Vendor
from dispatcher.store import codec
from dispatcher.store.keys import Keys
from tests.http.conftest import NOW, Api, trip
from tests.http.test_versions import VENDOR

PAPER, LATER = (
    {"kind": "auto_insurance", "expires_on": "2026-12-31"},
    {"kind": "auto_insurance", "expires_on": "2027-12-31"},
)
AT = NOW.isoformat().replace("+00:00", "Z")


async def put(api: Api, role: Role = Role.VENDOR, **changes: Any) -> int:
    """The vendor's document, new or over whatever stands."""
    body, vendor = VENDOR | changes, "v1" if role is Role.VENDOR else ""
    status, _ = await api.call("PUT", "/vendors/v1", body, role=role, vendor=vendor, If_Match="*")
    if status == 412:
        status, _ = await api.call("PUT", "/vendors/v1", body, role=role, vendor=vendor)
    return status


async def by_ops(api: Api, step: str, body: Any = None, subject: str = "ana") -> tuple[int, Any]:
    token = api.token(Role.OPS, subject=subject)
    return await api.call("POST", f"/vendors/v1/{step}", body, Authorization=f"Bearer {token}")


async def read(api: Api) -> Any:
    """As the vendor reads itself."""
    status, vendor = await api.call("GET", "/vendors/v1", role=Role.VENDOR, vendor="v1")
    assert status == 200
    return vendor


async def test_an_area_given_as_lat_lon_is_refused_where_the_zone_of_the_market_tells(api: Api) -> None:
    swapped = {"kind": "circle", "centre": [40.71, -74.0], "radius_m": 20_000}
    status, told = await api.call("PUT", "/vendors/v1", VENDOR | {"service_area": [swapped]}, role=Role.OPS)
    assert (status, told["errors"][0]["pointer"]) == (422, "/service_area/0")
    assert "the two are swapped" in told["errors"][0]["detail"]
    assert (await api.call("GET", "/vendors/v1", role=Role.OPS))[0] == 404


async def test_ops_pauses_a_vendor_which_sees_who_when_and_why_and_cannot_lift_it(api: Api) -> None:
    await put(api)
    status, paused = await by_ops(api, "pause", {"reason": "no insurance"})
    pause = {"by": "ops", "subject": "ana", "at": AT, "reason": "no insurance"}
    assert (status, paused["ops_pause"], paused.get("paused", False)) == (200, pause, False)
    for changes in ({}, {"paused": False}, {"ops_pause": None}, {"paused": True}):
        assert await put(api, **changes) == 200
        assert (await read(api))["ops_pause"] == pause
    for step, body in (("resume", None), ("pause", {"reason": "mine"})):
        status, _ = await api.call("POST", f"/vendors/v1/{step}", body, role=Role.VENDOR, vendor="v1")
        assert status == 403
    _, lifted = await by_ops(api, "resume", subject="ben")
    assert ("ops_pause" in lifted, lifted["paused"]) == (False, True), "its own pause stands"


async def test_a_vendor_claims_no_paper_that_is_over_and_keeps_one_that_ran_out(api: Api) -> None:
    over = {"kind": "auto_insurance", "expires_on": "2020-12-31"}
    assert await put(api, credentials=[PAPER, over]) == 422
    assert await put(api, Role.OPS, credentials=[over]) == 201, "ops may say that it ended"
    assert await put(api, credentials=[over], name="Other Rides") == 200, "it stands, and is sent as it is"
    assert await put(api, credentials=[over, PAPER]) == 200
    past = over | {"expires_on": "2026-03-01"}
    body = VENDOR | {"credentials": [past]}
    status, told = await api.call("PUT", "/vendors/v1", body, role=Role.VENDOR, vendor="v1", If_Match="*")
    assert status == 422
    assert "auto_insurance until 2026-03-01; in this market it is 2026-03-02" in told["detail"]
    values = {"values": {"credentials_grace_days": 1}, "reason": "renewals are slow"}
    assert (await api.call("PUT", "/tuning", values, role=Role.OPS))[0] == 200
    assert await put(api, credentials=[past]) == 200, "it still counts"


async def test_a_pause_keeps_the_name_of_who_made_it(api: Api) -> None:
    await put(api)
    await by_ops(api, "pause", {"reason": "late"})
    _, again = await by_ops(api, "pause", {"reason": "late"}, subject="ben")
    assert again["ops_pause"]["subject"] == "ana"
    status, problem = await by_ops(api, "pause", {"reason": "rude"}, subject="ben")
    assert (status, problem["state"]) == (409, "paused")
    assert "ana" in problem["detail"]


async def test_a_late_retry_of_a_pause_does_not_pause_again(api: Api) -> None:
    await put(api)
    headers = api.headers(Role.OPS)
    url, body = f"{api.base}/vendors/v1/pause", {"reason": "late"}
    for paused in (True, False):
        async with api.client.post(url, json=body, headers=headers) as answer:
            assert (answer.status, "ops_pause" in await answer.json()) == (200, paused)
        await by_ops(api, "resume", subject="ana")


async def test_papers_are_claimed_by_a_vendor_and_verified_by_ops_each_with_author_and_time(api: Api) -> None:
    fake = {"by": "ops", "at": AT}
    await put(api, credentials=[PAPER | {"verified": fake, "claimed": fake}])
    (claimed,) = (await read(api))["credentials"]
    assert claimed["claimed"] == {"by": "vendor:v1", "subject": "v1", "at": AT}
    assert "verified" not in claimed, "what a vendor sends of it is not taken"
    _, seen = await by_ops(api, "verify", {"credentials": [PAPER]})
    verified = {"by": "ops", "subject": "ana", "at": AT}
    assert seen["credentials"] == [claimed | {"verified": verified}]
    _, again = await by_ops(api, "verify", {"credentials": [PAPER]}, subject="ben")
    assert again["credentials"] == seen["credentials"]
    _, back = await by_ops(api, "verify", {"credentials": [PAPER], "verified": False})
    assert back["credentials"] == [claimed]


async def test_a_paper_that_is_changed_is_unverified_and_the_others_stay_verified(api: Api) -> None:
    other = {"kind": "drug_screen", "expires_on": "2026-12-31"}
    await put(api, credentials=[PAPER, other])
    await by_ops(api, "verify", {"credentials": [PAPER, other]})
    await put(api, credentials=[LATER, other], name="Another Name")
    assert ["verified" in each for each in (await read(api))["credentials"]] == [False, True]
    await put(api, credentials=[PAPER, other])
    assert ["verified" in each for each in (await read(api))["credentials"]] == [False, True]
    status, problem = await by_ops(api, "verify", {"credentials": [LATER]})
    assert (status, problem["type"]) == (409, "/problems/wrong-state")
    assert "2027-12-31" in problem["detail"]


async def test_a_document_as_it_was_read_can_be_sent_back(api: Api) -> None:
    await put(api, credentials=[PAPER])
    await by_ops(api, "pause", {"reason": "late"})
    _, whole = await by_ops(api, "verify", {"credentials": [PAPER]})
    assert await put(api, Role.OPS, **whole) == 200
    assert await read(api) == whole


async def test_what_ops_says_is_no_reason_to_ask_a_vendor_again_for_what_it_declined(api: Api) -> None:
    await put(api, credentials=[PAPER])
    api.clock.ms += 60_000
    await by_ops(api, "verify", {"credentials": [PAPER]})
    found = await api.store.market(api.market).vendors.get("v1")
    assert found is not None
    assert found.changed_ms == api.clock.ms - 60_000


async def test_a_document_of_the_version_before_is_read_and_may_be_paused(api: Api) -> None:
    await put(api)
    older = msgspec.convert(VENDOR | {"credentials": [PAPER]}, Vendor)  # defaults are left out: as it was
    raw = codec.pack(7, older, 5)
    await api.store.reader.ask("SET", Keys(api.market).vendor("v1"), raw)
    assert "ops_pause" not in await read(api)
    status, paused = await by_ops(api, "pause", {"reason": "late"})
    assert (status, paused["ops_pause"]["reason"]) == (200, "late")


async def test_vendors_are_listed_in_pages_and_a_vendor_sees_itself_alone(api: Api) -> None:
    for name in ("v3", "v1", "v2"):
        await api.call("PUT", f"/vendors/{name}", VENDOR | {"id": name}, role=Role.OPS)
    _, first = await api.call("GET", "/vendors?limit=2", role=Role.OPS)
    assert [(each["vendor"]["id"], each["version"]) for each in first["vendors"]] == [("v1", 1), ("v2", 1)]
    _, last = await api.call("GET", f"/vendors?cursor={first['cursor']}", role=Role.OPS)
    assert ([each["vendor"]["id"] for each in last["vendors"]], last["cursor"]) == (["v3"], "")
    _, own = await api.call("GET", "/vendors", role=Role.VENDOR, vendor="v2")
    assert ([each["vendor"]["id"] for each in own["vendors"]], own["cursor"]) == (["v2"], "")
    assert (await api.call("GET", "/vendors", role=Role.VENDOR, vendor="v9"))[1]["vendors"] == []


async def test_the_client_of_ops_does_all_of_it(api: Api) -> None:
    await put(api, credentials=[PAPER])
    url = str(api.client.make_url("/"))
    async with OpsClient(url, api.token(Role.OPS, subject="ana"), api.market) as ops:
        vendors = [each async for each in ops.vendors()]
        (paper,) = vendors[0].vendor.credentials
        seen = await ops.verify("v1", [paper])
        assert seen.credentials[0].verified is not None
        assert (await ops.verify("v1", seen.credentials, holds=False)).credentials == (paper,)
        assert not (await ops.pause_vendor("v1", "late")).takes_work
        assert (await ops.resume_vendor("v1")).takes_work
        again = await ops.put_vendor(vendors[0].vendor, version='"1"')
        assert again == '"5"', "a repetition whose first answer was lost finds what it sent"
        await api.call("POST", "/requests", trip("r1"))
        with pytest.raises(Problem, match="may not serve") as refused:
            await ops.offer("r1", "v1")
        assert refused.value.facts["rules"] == ["pools"], "it has posted nothing"
        assert [each.id async for each in ops.views(id="r1", service_class="wheelchair")] == ["r1"]


async def test_a_paper_is_claimed_with_its_document_and_another_document_is_to_be_verified_anew(
    api: Api,
) -> None:
    paper = PAPER | {"document": "policy 4711, Example Mutual"}
    await put(api, credentials=[paper])
    status, _ = await by_ops(api, "verify", {"credentials": [PAPER]})
    assert status == 200
    await put(api, credentials=[paper], name="Another Name")
    (stands,) = (await read(api))["credentials"]
    assert (stands["document"], stands["verified"]["subject"]) == ("policy 4711, Example Mutual", "ana")
    await put(api, credentials=[PAPER | {"document": "policy 4712, Example Mutual"}])
    (changed,) = (await read(api))["credentials"]
    assert "verified" not in changed
    body = VENDOR | {"credentials": [PAPER | {"document": "two\nlines"}]}
    status, problem = await api.call("PUT", "/vendors/v1", body, role=Role.OPS, If_Match="*")
    assert (status, problem["errors"][0]["pointer"]) == (422, "/credentials/0/document")
