"""What /metrics tells of the work of all processes, what falls due, and the store."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from contracts.codes import OfferState
from dispatcher.service.measures import ANSWERS, ENDED, FAMILIES, OFFER_WAIT
from dispatcher.store.health import Health
from tests.http.conftest import Api, trip


async def _told(api: Api) -> dict[tuple[str, ...], float]:
    """By name and values of the labels, of this market or of none; read as Prometheus reads it."""
    async with api.client.get("/metrics") as answer:
        families = list(text_string_to_metric_families(await answer.text()))
    return {
        (each.name.removeprefix("dispatcher_"), *sorted(set(each.labels.values()) - {api.market})): each.value
        for family in families
        for each in family.samples
        if each.labels.get("market", api.market) == api.market
    }


async def test_what_any_process_counted_is_told_as_histograms_and_counts(api: Api) -> None:
    other = api.service.measures.__class__()  # a matcher's
    for seconds in (0.05, 3.0, 7_200.0):
        other.observe(api.market, OFFER_WAIT, "imminent", seconds)
    other.count(api.market, ENDED, "completed", 2)
    await other.tell(api.market, api.store.market(api.market).measures)
    api.service.measures.count(api.market, ENDED, "completed")  # our own, not told yet
    found = await _told(api)
    assert found["offer_wait_seconds_bucket", *sorted(["imminent", "0.1"])] == 1
    assert found["offer_wait_seconds_bucket", *sorted(["imminent", "5.0"])] == 2
    assert (
        found["offer_wait_seconds_bucket", *sorted(["imminent", "+Inf"])]
        == found["offer_wait_seconds_count", "imminent"]
        == 3
    )
    assert found["offer_wait_seconds_sum", "imminent"] == pytest.approx(7_203.05)
    assert found["requests_ended_total", "completed"] == 3


async def test_a_label_is_one_of_a_few_whatever_is_counted(api: Api) -> None:
    api.service.measures.count(api.market, ENDED, "Jane Doe")
    api.service.measures.observe(api.market, ANSWERS, "vendor-7", 1.0)
    await api.service.measures.tell(api.market, api.store.market(api.market).measures)
    assert await api.store.market(api.market).measures.read() == {}
    assert all(len(each.values) <= 8 for each in FAMILIES)


async def test_what_cannot_be_told_is_kept_unless_the_key_is_not_ours(api: Api) -> None:
    stored, measures = api.store.market(api.market), api.service.measures
    await api.store.reader.ask("SET", stored.keys.measures, "no hash")
    measures.count(api.market, ENDED, "failed")
    assert ("ready",) in await _told(api)  # the page is there all the same
    await api.store.reader.ask("DEL", stored.keys.measures)
    await api.store.reader.ask("HSET", stored.keys.measures, f"{ENDED.name}:failed", "many")
    measures.count(api.market, ENDED, "completed")
    found = await _told(api)
    assert found["requests_ended_total", "completed"] == 1
    assert found["requests_ended_total", "failed"] == 0


async def test_what_falls_due_is_told(api: Api) -> None:
    await api.call("POST", "/requests", trip("r1"))
    assert (await _told(api))["unmatched_near_deadline",] == 0
    api.clock.ms += 24 * 3_600_000  # its window ends in half an hour
    assert (await _told(api))["unmatched_near_deadline",] == 1
    assert (await _told(api))["timer_late_seconds", "request"] == 0
    api.clock.ms += 40 * 60_000
    assert (await _told(api))["timer_late_seconds", "request"] == 600


async def test_a_store_that_is_silent_or_not_durable_is_no_ready_one(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await _told(api)
    assert (found["ready",], found["store_durable",]) == (1, 1)
    assert found["store_memory_bytes",] > 100_000

    async def forgets() -> Health:
        return Health("9", ("it forgets",))

    async def late() -> Any:
        raise TimeoutError

    for each in (forgets, late):
        monkeypatch.setattr(api.store, "health", each)
        found = await _told(api)
        assert (found["ready",], found["store_durable",]) == (0, 0)


def test_every_answer_to_an_offer_is_measured() -> None:
    assert set(ANSWERS.values) == {each.value for each in OfferState} - {
        "requested",
        "completed",
        "failed",
        "turned_back",
    }
