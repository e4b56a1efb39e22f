"""A stored day is played with its episodes: what stood in sequence, in a bundle, or was called on it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from contracts.codes import Role
from contracts.instants import MINUTE_MS, to_ms
from contracts.what_if import WhatIfAnswer, WhatIfChange, WhatIfRequest
from dispatcher.what_if.days import DayAsked, compare_day
from dispatcher.what_if.preparing import prepared
from solvers.travel import DetourTravel
from tests.http.conftest import NOW, Api, trip
from tests.http.test_by_hand import DAY, VENDOR, add

BESIDE = {"level_of_service": "stretcher"}
TOMORROW = NOW + timedelta(days=1)


def at(minutes: int, **changes: Any) -> dict[str, Any]:
    """A window so long after tomorrow's ten o'clock."""
    first = TOMORROW + timedelta(minutes=minutes)
    window = {"earliest": first.isoformat(), "latest": (first + timedelta(minutes=40)).isoformat()}
    return {"pickup_window": window} | changes


@pytest.fixture
async def town(api: Api) -> Api:
    """Who takes all, and who alone lies people down; a discharge all or none, and a way back by call."""
    for name in ("v1", "v2"):
        await add(api, name, units=4)
    fares = [{"level_of_service": "stretcher", "base_cents": 9_000}]
    lying = {"id": "lying", "levels_of_service": ["stretcher"], "rate_card": {"fares": fares}}
    await api.call("PUT", "/vendors/lying", VENDOR | lying, role=Role.OPS)
    pools = {"pools": [{"id": "beds", "serves": ["stretcher"], "units": [4]}]}
    posted = await api.call("PUT", f"/vendors/lying/capacity/{DAY}", pools, role=Role.OPS)
    assert posted[0] < 300, posted
    decide_by = (TOMORROW - timedelta(minutes=30)).isoformat()
    edges = [{"before": "bed", "after": "home", "least_lag_minutes": 20}]
    whole = {
        "id": "discharge",
        "requests": [trip("bed", **at(0, **BESIDE)), trip("home", **at(30))],
        "episode": {"bundle": "all_or_none", "decide_by": decide_by, "sequence": edges},
    }
    assert (await api.call("POST", "/episodes", whole))[0] == 202
    back = {"will_call": {"day": DAY}, "return_of": "there", "pickup_window": None}
    several = [trip("there"), trip("back", **back), trip("alone")]
    status, said = await api.call("POST", "/requests", {"requests": several})
    assert status == 202, said
    return api


async def asked(api: Api, **change: Any) -> DayAsked:
    stored = api.store.market(api.market)
    wanted = WhatIfRequest(change=WhatIfChange(**change), against=DAY)
    made = await prepared(stored, ZoneInfo("America/New_York"), api.clock, DetourTravel.of, wanted)
    assert isinstance(made, DayAsked)
    return made


def lost(answer: WhatIfAnswer) -> set[str]:
    return {each.request_id for each in answer.rows if each.kind == "lost"}


async def test_a_bundle_of_a_stored_day_is_lost_whole_and_a_call_comes_when_it_came(town: Api) -> None:
    ready = TOMORROW + timedelta(hours=3)
    called = await town.call("POST", "/requests/back/activate", {"ready_at": ready.isoformat()})
    assert called[0] == 200, called
    made = await asked(town, pause=("lying",))
    assert [(each.name, each.requests) for each in made.care.bundles] == [("discharge", ("bed", "home"))]
    assert made.care.calls["back"].ready_ms == to_ms(ready)
    answer = compare_day(made)
    assert lost(answer) == {"bed", "home"}, "without who lies down, nobody goes home"
    assert answer.requests == 5
    figures = {each.name: (each.before, each.after) for each in answer.figures}
    assert figures["in_sequence"][0] == 100
    assert figures["broken"] == (0, 0)
    assert figures["will_call_p90"][0] == figures["will_call_p90"][1] < 60


async def test_what_was_called_off_is_played_until_it_was(town: Api) -> None:
    town.clock.ms += 5 * MINUTE_MS
    assert (await town.call("POST", "/requests/alone/cancel"))[0] == 200
    off_ms = town.clock.now_ms()
    made = await asked(town)
    assert made.care.called_off == {"alone": off_ms}
    assert "back" not in made.care.calls, "nobody has called in this market before"
    answer = compare_day(made)
    assert (answer.changed, next(e.before for e in answer.figures if e.name == "matched")) == (0, 3)
