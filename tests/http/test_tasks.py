"""Tasks over HTTP: who has to do what next, taken on by one person, and gone when it is done."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from contracts.codes import Role
from contracts.tasks import OwnerRole
from dispatcher.jobs.timers import Timers
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.vault import Vault
from dispatcher.store.tasks import UNREADABLE
from tests.http.conftest import Api, trip

TASK = "/tasks/r1.unmatched"
SECRET = "call Ms Canary's daughter"


@pytest.fixture
async def unmatched(api: Api) -> Api:
    """A request that found no vendor by its deadline."""
    assert (await api.call("POST", "/requests", trip("r1")))[0] == 202
    record = await api.store.market(api.market).requests.records.get("r1")
    assert record is not None
    api.clock.ms = record.timer_ms
    assert await Timers(api.service).fire_due(api.market) == 1
    return api


async def listed(api: Api, query: str = "", role: Role = Role.PLATFORM) -> list[dict[str, Any]]:
    status, page = await api.call("GET", f"/tasks{query}", role=role)
    assert status == 200, page
    return list(page["tasks"])


async def test_what_found_no_vendor_is_a_task_of_the_coordinator_and_its_view_says_so(unmatched: Api) -> None:
    (task,) = await listed(unmatched)
    assert (task["id"], task["kind"], task["owner"], task["state"]) == (
        "r1.unmatched",
        "unmatched",
        "care_coordinator",
        "open",
    )
    assert task["request_id"] == "r1"
    assert (await unmatched.call("GET", "/requests/r1"))[1]["tasks"] == ["r1.unmatched"]


async def test_tasks_are_listed_by_role_state_and_due_time(unmatched: Api) -> None:
    (task,) = await listed(unmatched, "?role=care_coordinator")
    assert await listed(unmatched, "?role=ops", Role.OPS) == []
    assert await listed(unmatched, "?state=claimed") == []
    due = task["due_at"].replace("+", "%2B")
    assert await listed(unmatched, f"?due_before={due}") == []
    later = due.replace("2026", "2027")
    assert len(await listed(unmatched, f"?due_before={later}")) == 1


async def test_one_person_has_a_task_and_nobody_else_claims_it_until_it_is_released(unmatched: Api) -> None:
    status, task = await unmatched.call("POST", f"{TASK}/claim", {"by": "ann"})
    assert (status, task["state"], task["claimed_by"]) == (200, "claimed", "ann")
    assert (await unmatched.call("POST", f"{TASK}/claim", {"by": "ann"}))[0] == 200
    status, refused = await unmatched.call("POST", f"{TASK}/claim", {"by": "bob"}, role=Role.OPS)
    assert (status, refused["type"]) == (409, "/problems/wrong-state")
    assert "claimed by ann" in refused["detail"]
    assert (await unmatched.call("POST", f"{TASK}/release", {"by": "ann"}))[1]["state"] == "open"
    assert (await unmatched.call("POST", f"{TASK}/claim", {"by": "bob"}))[1]["claimed_by"] == "bob"


async def test_a_task_is_finished_once_and_is_listed_no_more(unmatched: Api) -> None:
    for _ in range(2):
        status, task = await unmatched.call("POST", f"{TASK}/finish", {"outcome": "arranged_otherwise"})
        assert (status, task["state"], task["outcome"]) == (200, "done", "arranged_otherwise")
    assert await listed(unmatched) == []
    assert len(await listed(unmatched, "?state=done")) == 1
    assert (await unmatched.call("POST", f"{TASK}/finish", {"outcome": "resolved"}))[0] == 409


@pytest.mark.parametrize("outcome", ["settled", "lapsed", "nonsense"])
async def test_how_a_task_ends_by_itself_is_not_for_people_to_say(unmatched: Api, outcome: str) -> None:
    status, refused = await unmatched.call("POST", f"{TASK}/finish", {"outcome": outcome})
    assert (status, refused["type"]) == (422, "/problems/invalid-message")
    assert "arranged_otherwise" in refused["detail"]


async def test_a_comment_may_name_a_patient_so_it_is_stored_sealed(unmatched: Api) -> None:
    status, task = await unmatched.call("POST", f"{TASK}/comments", {"text": SECRET, "by": "ann"})
    assert status == 200
    assert [(each["by"], each["text"]) for each in task["comments"]] == [("ann", SECRET)]
    ask = unmatched.store.reader.ask
    for key in await ask("KEYS", f"dispatch:{{{unmatched.market}}}:*"):
        assert b"Canary" not in bytes(await ask("DUMP", key)), key


async def test_a_comment_under_one_key_is_said_once(unmatched: Api) -> None:
    for _ in range(2):
        body = {"text": "called", "by": "ann"}
        status, task = await unmatched.call("POST", f"{TASK}/comments", body, Idempotency_Key="once")
        assert (status, len(task["comments"])) == (200, 1)


async def test_a_task_past_its_time_goes_to_ops_and_stays_somebodys(unmatched: Api) -> None:
    (task,) = await listed(unmatched)
    unmatched.clock.ms += 31 * 60_000
    assert await Timers(unmatched.service).fire_due(unmatched.market) == 1
    (late,) = await listed(unmatched, "?role=ops", Role.OPS)
    assert task["may_act"] == late["may_act"] == ["coordinator", "ops", "platform"]  # it stays theirs, too
    assert (late["id"], late["escalations"]) == (task["id"], 1)
    assert await listed(unmatched, "?role=care_coordinator") == []


async def test_an_authorization_is_lifted_by_a_case_manager_whose_task_that_is_and_by_nobody_else(
    api: Api,
) -> None:
    await api.call("POST", "/requests", trip("r1", hold=["authorization", "predecessor"]))
    lift = {"requirement": "authorization"}
    for role in (Role.PLATFORM, Role.OPS, Role.COORDINATOR):
        for body in (lift, None):
            status, refused = await api.call("POST", "/requests/r1/resume", body, role=role)
            assert (status, refused["type"]) == (403, "/problems/forbidden")
            assert f"is for case_manager, and the token's role is {role}" in refused["detail"]
    (task,) = await listed(api, "?role=case_manager", Role.CASE_MANAGER)
    assert (task["id"], task["kind"]) == ("r1.authorization_missing", "authorization_missing")
    for each, role in (("authorization", Role.CASE_MANAGER), ("predecessor", Role.COORDINATOR)):
        status, refused = await api.call("POST", f"/tasks/r1.{each}_missing/finish", role=role)
        assert (status, f"is on hold for {each} still" in refused["detail"]) == (409, True)
    ann = f"Bearer {api.token(Role.CASE_MANAGER, subject='ann')}"
    status, view = await api.call("POST", "/requests/r1/resume", lift, Authorization=ann)
    assert (status, [each["requirement"] for each in view["waits_for"]]) == (200, ["predecessor"])
    step = view["history"][-1]
    assert (step["by"], step["subject"], step["code"]) == ("case_manager", "ann", "authorization_lifted")
    assert await listed(api, "?role=case_manager") == []
    (left,) = await listed(api, "?role=care_coordinator", Role.COORDINATOR)
    assert left["kind"] == "predecessor_missing"
    assert (await api.call("POST", "/requests/r1/resume", role=Role.COORDINATOR))[1]["state"] == "received"


async def test_a_task_is_claimed_in_ones_own_name_and_is_not_another_roles(unmatched: Api) -> None:
    ann, bob = (
        f"Bearer {unmatched.token(Role.COORDINATOR, Role.CASE_MANAGER, subject=name)}"
        for name in ("ann", "bob")
    )
    for _ in range(2):
        status, task = await unmatched.call("POST", f"{TASK}/claim", Authorization=ann)
        assert (status, task["claimed_by"]) == (200, "ann")
    status, refused = await unmatched.call("POST", f"{TASK}/claim", {"by": "ann"}, Authorization=bob)
    assert (status, refused["type"]) == (403, "/problems/forbidden")
    for step in ("claim", "release", "finish"):
        status, refused = await unmatched.call("POST", f"{TASK}/{step}", Authorization=bob)
        assert (status, refused["state"]) == (409, "claimed")
        assert (await unmatched.call("POST", f"{TASK}/{step}", role=Role.CASE_MANAGER))[0] == 403
    status, task = await unmatched.call("POST", f"{TASK}/comments", {"text": "x"}, role=Role.CASE_MANAGER)
    assert (status, task["comments"][0]["by"]) == (200, "case_manager")
    assert (await unmatched.call("POST", f"{TASK}/release", role=Role.OPS))[1]["state"] == "open"
    assert (await unmatched.call("POST", f"{TASK}/claim", Authorization=bob))[1]["claimed_by"] == "bob"


async def test_metrics_tell_of_each_owner_how_much_there_is_how_much_is_late_and_how_late(api: Api) -> None:
    hold = {"hold": ["authorization", "predecessor"]}
    await api.call("POST", "/requests", {"requests": [trip("r1", **hold), trip("r2", **hold)]})
    await api.call("POST", "/tasks/r1.authorization_missing/claim", role=Role.CASE_MANAGER)
    await api.call("POST", "/requests/r2/resume", {"requirement": "predecessor"}, role=Role.COORDINATOR)
    (held, _) = await listed(api, "?role=case_manager")
    due = datetime.fromisoformat(held["due_at"])
    api.clock.ms = int(due.timestamp() * 1000) + 90_000
    async with api.client.get("/metrics") as answer:
        page = await answer.text()

    def told(name: str, owner: str, **more: str) -> float:
        labels = {"market": api.market, "owner": owner} | more
        (line,) = (
            each
            for each in page.splitlines()
            if each.startswith(f"dispatcher_tasks{name}{{")
            and all(f'{label}="{value}"' in each for label, value in labels.items())
        )
        return float(line.rsplit(" ", 1)[1])

    assert [told("", "case_manager", state=each) for each in ("open", "claimed")] == [1, 1]
    assert [told("", "care_coordinator", state=each) for each in ("open", "claimed")] == [1, 0]
    assert [told("_overdue", each) for each in ("case_manager", "care_coordinator", "ops")] == [2, 1, 0]
    assert [told("_oldest_seconds", each) for each in ("case_manager", "ops")] == [90, 0]


async def test_what_is_late_stays_late_for_whoever_has_it_now(unmatched: Api) -> None:
    (task,) = await listed(unmatched)
    unmatched.clock.ms += 31 * 60_000
    await Timers(unmatched.service).fire_due(unmatched.market)
    (late,) = await listed(unmatched, "?role=ops")
    assert late["due_at"] == task["due_at"]
    backlogs = await unmatched.store.market(unmatched.market).tasks.backlogs(unmatched.clock.now_ms())
    assert {owner: each.overdue for owner, each in backlogs.items() if each.overdue} == {OwnerRole.OPS: 1}


async def test_tasks_are_not_there_for_vendors_and_unknown_ones_for_nobody(unmatched: Api) -> None:
    assert (await unmatched.call("GET", TASK, role=Role.VENDOR, vendor="v1"))[0] == 403
    assert (await unmatched.call("GET", "/tasks/r2.unmatched"))[0] == 404
    assert (await unmatched.call("POST", "/tasks/r2.unmatched/claim"))[0] == 404


async def test_a_comment_whose_key_is_gone_hides_neither_its_task_nor_others(unmatched: Api) -> None:
    assert (await unmatched.call("POST", f"{TASK}/comments", {"text": SECRET, "by": "ann"}))[0] == 200
    unmatched.store.market(unmatched.market).tasks.vault = Vault(PatientKeyFile("new", {"new": bytes(32)}))
    (task,) = await listed(unmatched)
    assert [(each["by"], each["text"]) for each in task["comments"]] == [("ann", UNREADABLE)]
    assert (await unmatched.call("POST", f"{TASK}/claim", {"by": "bob"}))[1]["claimed_by"] == "bob"
