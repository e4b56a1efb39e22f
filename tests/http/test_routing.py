"""What is told of the routing server: its state and counts, no place; and we are ready without it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dispatcher.http.health import PROBES
from dispatcher.travel.engine import Engine
from dispatcher.travel.url import TravelUrl
from tests.http.conftest import Api, trip


@pytest.fixture
def engine() -> Engine:
    return Engine(TravelUrl.parse("osrm+http://roads:5000"))


async def _told(api: Api) -> tuple[int, Any]:
    async with api.client.get("/readyz") as answer:
        return answer.status, (await answer.json())["routing"]


async def test_readiness_tells_of_the_routing_server_and_does_without_it(api: Api, engine: Engine) -> None:
    app: Any = api.client.app
    app[PROBES].health._keep_s = 0.0
    nothing = {"server": "osrm", "answers": None, "trouble": "", "pairs": 0, "waiting": 0}
    assert await _told(api) == (200, nothing)
    engine.travel_of({}).between(np.array([[1.0, 2.0]]), np.array([[2.0, 1.0]]), np.array([5]))
    engine.breaker.failed("TimeoutError", 0.0)
    engine.calls["failed"] += 1
    assert await _told(api) == (
        200,
        {"server": "osrm", "answers": False, "trouble": "TimeoutError", "pairs": 0, "waiting": 1},
    )
    async with api.client.get("/metrics") as answer:
        lines = [line for line in (await answer.text()).splitlines() if line.startswith("dispatcher_travel_")]
    assert lines == [
        "dispatcher_travel_server_answers 0.0",
        "dispatcher_travel_known_pairs 0.0",
        "dispatcher_travel_wanted_pairs 1.0",
        'dispatcher_travel_pairs_total{answer="estimate"} 1.0',
        'dispatcher_travel_calls_total{outcome="failed"} 1.0',
    ]


async def test_intake_notes_the_ride_to_be_asked_for_and_does_not_wait(api: Api, engine: Engine) -> None:
    api.service.requests.travel_of = engine.travel_of
    window: dict[str, Any] = {"pickup_window": None, "appointment_at": "2026-03-03T17:00:00Z"}
    status, _ = await api.call("POST", "/requests", trip("r1", **window))
    assert status == 202
    assert (engine.pairs, engine.waiting) == ({"estimate": 1}, 1)
