"""The health of one market: one answer for ops, whole even where a key is not what it should be."""

from __future__ import annotations

from contracts.codes import Role
from dispatcher.store.pulse import Workers, of_workers
from tests.http.conftest import Api, trip


async def test_ops_read_matchers_lease_queues_and_store_in_one_answer(api: Api) -> None:
    stored = api.store.market(api.market)
    assert await stored.lease.acquire("m-1", 60_000)
    await stored.matchers.announce("m-1", 60_000)
    await stored.matchers.announce("m-2", 60_000)
    assert (await api.call("POST", "/requests", trip("r1")))[0] == 202
    await stored.troubles.tell("matching", "Ended")
    status, found = await api.call("GET", "/health", role=Role.OPS)
    assert status == 200, found
    assert (found["owner"], found["fence"], found["waiting"]) == ("m-1", "1", 1)
    assert [(each["name"], each["owns"]) for each in found["matchers"]] == [("m-1", True), ("m-2", False)]
    assert found["store"]["durable"] and found["store"]["memory_bytes"] > 0
    assert found["troubles"] == {"matching": "Ended"}
    assert [each["kind"] for each in found["totals"]] == ["matches", "events", "vendors", "replies"]


async def test_a_queue_that_nobody_works_off_is_named_with_its_age(api: Api) -> None:
    stored = api.store.market(api.market)
    await api.store.reader.ask("XADD", stored.keys.shared_replies, "*", "ce", "x")
    await api.store.streams.ensure_group(stored.keys.shared_replies, "service")
    await api.store.streams.read_group(stored.keys.shared_replies, "service", "c1")
    _, found = await api.call("GET", "/health", role=Role.OPS)
    (queue,) = found["queues"]
    assert (queue["group"], queue["unfinished"], queue["unread"]) == ("service", 1, 0)
    assert queue["oldest_s"] >= 0


async def test_a_key_of_another_type_is_named_and_hides_nothing_else(api: Api) -> None:
    stored = api.store.market(api.market)
    for key in (stored.keys.lease, stored.keys.matches, stored.keys.pulse, stored.keys.troubles):
        await api.store.reader.ask("SADD", key, "x")
    assert (await api.call("POST", "/requests", trip("r1")))[0] in (202, 503)
    status, found = await api.call("GET", "/health", role=Role.OPS)
    assert status == 200, found
    assert {each.partition(":")[0] for each in found["strange"]} >= {"lease", "matches"}
    assert found["store"]["durable"]


async def test_health_of_a_market_is_for_ops_alone(api: Api) -> None:
    for role in (Role.PLATFORM, Role.COORDINATOR, Role.CASE_MANAGER):
        assert (await api.call("GET", "/health", role=role))[0] == 403
    assert (await api.call("GET", "/health", role=Role.VENDOR, vendor="v1"))[0] == 403


async def test_workers_are_told_with_what_they_have_to_do(api: Api) -> None:
    pulse = api.store.market(api.market).pulse
    await pulse.solved_by(Workers(3, busy=2, tasks_waiting=4, oldest_task_s=90.0))
    _, health = await api.call("GET", "/health", role=Role.OPS)
    async with api.client.get("/readyz") as answer:
        ready = (await answer.json())["matching"][api.market]
    for told in (health, ready):
        assert (told["workers"], told["workers_busy"], told["tasks_waiting"]) == (3, 2, 4)
        assert 90 <= told["oldest_task_s"] < 600, "as long as it was, and what has gone by since"
    await pulse.solved_by(Workers(1))
    assert of_workers((await pulse.read()).workers) == {
        "workers": 1, "workers_busy": 0, "tasks_waiting": 0, "oldest_task_s": None
    }  # fmt: skip
    await pulse.solved_by(None)
    assert (await pulse.read()).workers is None, "no broker is set any more"


async def test_a_batch_is_as_old_as_it_is_though_the_stores_clock_was_a_day_ahead(api: Api) -> None:
    """Else no alert would ring for a day on batches that stand."""
    stored, hour_ms = api.store.market(api.market), 3_600_000
    now_ms = await stored.pulse._now_ms()
    for taken_ms, batch_ms, hours in ((24, -1, 1), (-1, 24, 1), (24, 23, 23), (-2, -1, 1)):
        told = ("since_ms", now_ms + taken_ms * hour_ms, "batch_ms", now_ms + batch_ms * hour_ms)
        await api.store.reader.ask("HSET", stored.keys.pulse, *told)
        age_s = (await stored.pulse.read()).batch_age_s
        assert age_s is not None
        assert abs(age_s - hours * 3_600) < 60
