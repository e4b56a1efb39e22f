"""Tasks over HTTP: who has to do what next, taken on by one person, and gone when it is done."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.codes import Role
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
    assert (late["id"], late["escalations"]) == (task["id"], 1)
    assert await listed(unmatched, "?role=care_coordinator") == []


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
