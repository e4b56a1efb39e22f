"""A vendor's way to work: applied, verified, active, suspended by ops with a reason, and active again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from client.errors import Problem
from client.ops import OpsClient
from contracts.codes import Role
from contracts.onboarding import OnboardingState
from contracts.webhooks import types_for
from dispatcher.audit.judge import judge
from dispatcher.store.events import unpack_event
from dispatcher.store.survey import survey
from tests.http.conftest import Api, trip
from tests.http.test_by_hand import DAY, VENDOR, add, answered, put_to
from tests.http.test_proofs import tuned
from tests.http.test_versions import POOLS

SUSPENDED = {"state": "suspended", "reason": "no seat belts"}
TASK = "/tasks/v1.vendor_suspended"


async def to_state(api: Api, state: str, vendor: str = "v1", **body: Any) -> tuple[int, Any]:
    token = api.token(Role.OPS, subject="ana")
    body = {"state": state} | body
    return await api.call("POST", f"/vendors/{vendor}/onboarding", body, Authorization=f"Bearer {token}")


async def heard(api: Api, stream: str) -> list[dict[str, Any]]:
    entries = await api.store.reader.ask("XRANGE", stream, "-", "+")
    found = [unpack_event(next(iter(each[1].values()))) for each in entries]
    return [each.data for each in found if "onboarding" in each.type]


async def is_sound(api: Api) -> bool:
    return not judge(await survey(api.store.reader, api.market))


async def test_who_registers_itself_is_offered_work_once_ops_has_verified_and_activated_it(api: Api) -> None:
    await tuned(api, onboarding_required=1)
    put = {"role": Role.VENDOR, "vendor": "v1"}
    assert (await api.call("PUT", "/vendors/v1", VENDOR | {"onboarding": None}, **put))[0] == 201
    await api.call("PUT", f"/vendors/v1/capacity/{DAY}", POOLS, **put)
    await api.call("POST", "/requests", trip("r1"))
    for state in ("applied", "verified"):
        _, own = await api.call("GET", "/vendors/v1", **put)
        assert own["onboarding"]["state"] == state
        status, problem = await put_to(api, "v1")
        assert (status, problem["rules"]) == (409, ["onboarding"])
        assert (await to_state(api, "verified" if state == "applied" else "active"))[0] == 200
    _, own = await api.call("GET", "/vendors/v1", **put)
    assert [own["onboarding"][each] for each in ("state", "by", "subject")] == ["active", "ops", "ana"]
    assert (await put_to(api, "v1"))[0] == 200
    keys = api.store.market(api.market).keys
    states = [each["state"] for each in await heard(api, keys.stream("v1"))]
    assert states == ["verified", "active"]
    assert [each["vendor_id"] for each in await heard(api, keys.events)] == ["v1", "v1"]
    assert "dispatch.onboarding.changed" in types_for("v1"), "its webhook has it"
    assert await is_sound(api)


async def test_who_ops_registers_is_active_and_so_is_who_was_there_before_there_were_states(api: Api) -> None:
    await tuned(api, onboarding_required=1)
    await add(api, "v1")
    _, vendor = await api.call("GET", "/vendors/v1", role=Role.OPS)
    assert "onboarding" not in vendor
    await api.call("POST", "/requests", trip("r1"))
    assert (await put_to(api, "v1"))[0] == 200


@pytest.fixture
async def agreed(api: Api) -> Api:
    """A vendor that has agreed to r1 and has an open offer of r2."""
    await add(api, "v1", units=2)
    for name in ("r1", "r2"):
        await api.call("POST", "/requests", trip(name))
        assert (await put_to(api, "v1", name))[0] == 200
    await answered(api, "r1.1", "accept", "v1")
    return api


async def test_what_a_suspended_vendor_has_stays_its_own_and_is_a_task_until_it_is_active(
    agreed: Api,
) -> None:
    status, vendor = await to_state(agreed, **SUSPENDED)
    assert (status, vendor["onboarding"]["reason"]) == (200, "no seat belts")
    _, task = await agreed.call("GET", TASK, role=Role.OPS)
    assert (task["state"], task["vendor_id"], task["code"]) == ("open", "v1", "2")
    assert sorted(task["left"]) == ["r1.1", "r2.1"]
    await answered(agreed, "r2.1", "accept", "v1")
    await agreed.call("POST", "/requests", trip("r3"))
    status, problem = await put_to(agreed, "v1", "r3")
    assert (status, problem["rules"][0]) == (409, "onboarding")
    _, own = await agreed.call("GET", "/vendors/v1", role=Role.VENDOR, vendor="v1")
    assert own["onboarding"]["reason"] == "no seat belts"
    keys = agreed.store.market(agreed.market).keys
    assert [each["keeps"] for each in await heard(agreed, keys.stream("v1"))] == [2]
    assert (await to_state(agreed, "active"))[0] == 200
    _, task = await agreed.call("GET", TASK, role=Role.OPS)
    assert (task["state"], task["outcome"]) == ("done", "settled")
    assert (await to_state(agreed, **SUSPENDED))[0] == 200
    _, task = await agreed.call("GET", TASK, role=Role.OPS)
    assert task["state"] == "open", "again, it is a task again"
    assert await is_sound(agreed)


async def test_the_vendor_cannot_lift_it_and_nobody_but_ops_may_set_it(agreed: Api) -> None:
    await to_state(agreed, **SUSPENDED)
    sent = VENDOR | {"onboarding": None}
    status, _ = await agreed.call("PUT", "/vendors/v1", sent, role=Role.VENDOR, vendor="v1", If_Match="*")
    assert status == 200
    _, own = await agreed.call("GET", "/vendors/v1", role=Role.VENDOR, vendor="v1")
    assert own["onboarding"]["state"] == "suspended"
    body, path = {"state": "active"}, "/vendors/v1/onboarding"
    assert (await agreed.call("POST", path, body, role=Role.VENDOR, vendor="v1"))[0] == 403
    for role in (Role.PLATFORM, Role.COORDINATOR, Role.CASE_MANAGER):
        assert (await agreed.call("POST", path, body, role=role))[0] in (403, 404)


async def test_a_step_that_there_is_not_and_a_suspension_without_a_reason_are_refused(api: Api) -> None:
    await add(api, "v1")
    status, problem = await to_state(api, "verified")
    assert (status, problem["state"]) == (409, "active")
    assert "suspended" in problem["detail"]
    for body in ({"state": "suspended"}, {"state": "suspended", "reason": ""}, {"state": "gone"}):
        assert (await api.call("POST", "/vendors/v1/onboarding", body, role=Role.OPS))[0] == 422
    assert (await to_state(api, "active", vendor="nobody"))[0] == 404


async def test_said_twice_or_by_several_at_once_it_is_one_step_and_one_entry_of_the_audit(api: Api) -> None:
    await add(api, "v1")
    found = await asyncio.gather(*(to_state(api, **SUSPENDED) for _ in range(6)))
    assert {status for status, _ in found} == {200}
    keys = api.store.market(api.market).keys
    assert len(await heard(api, keys.events)) == 1
    _, page = await api.call("GET", "/audit?group=vendors", role=Role.OPS)
    acts = [(each["act"], each["subject"], each["reason"]) for each in page["acts"]]
    assert [each for each in acts if each[0] == "onboard_suspended"] == [
        ("onboard_suspended", "ana", "no seat belts")
    ]


async def test_ops_does_it_from_the_client(api: Api) -> None:
    await add(api, "v1")
    url = str(api.client.make_url("/"))
    async with OpsClient(url, api.token(Role.OPS, subject="ana"), api.market) as ops:
        assert not (await ops.onboard("v1", OnboardingState.SUSPENDED, "late")).takes_work
        assert (await ops.onboard("v1", OnboardingState.ACTIVE)).takes_work
        with pytest.raises(Problem, match="active"):
            await ops.onboard("v1", OnboardingState.VERIFIED)
