"""A profile stands at the hours that the calendar names, as a version that says so, and ends by itself."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from contracts.codes import Role
from dispatcher.domain.refusals import Stale
from dispatcher.jobs.tuning import keep_tuning
from dispatcher.store.keys import PROFILES, Keys
from tests.http.conftest import Api


def set_clock(api: Api, text: str) -> None:
    api.clock.ms = int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


async def call(api: Api, method: str, path: str, body: Any = None, version: int = 0) -> tuple[int, Any]:
    headers = {"If_Match": f'"{version}"'} if version else {}
    return await api.call(method, f"/tuning{path}", body, role=Role.OPS, **headers)


async def prepared(api: Api) -> None:
    """A storm on the morning of March 3rd (New York is five hours behind)."""
    await call(api, "PUT", "", {"values": {"max_attempts": 3}})
    assert (await call(api, "PUT", "/profiles/storm", {"values": {"price_weight": 0.5}}))[0] == 200
    times = [{"profile": "storm", "days": ["2026-03-03"], "from_minute": 360, "until_minute": 720}]
    assert (await call(api, "PUT", "/calendar", {"times": times}, 1))[0] == 200


async def overrides(api: Api) -> dict[str, Any]:
    version = (await call(api, "GET", "/versions"))[1]["versions"][0]
    return {
        "values": version["values"],
        "made": version["made"],
        "by": version["by"],
        "source": version["source"],
    }


async def test_a_profile_stands_and_ends_by_the_calendar_and_each_is_a_version(api: Api) -> None:
    await prepared(api)
    profiles = api.service.tuning_profiles
    assert not await profiles.apply_due(api.market)
    view = (await call(api, "GET", "/profiles"))[1]
    assert (view["standing"], view["due"], view["next"]) == ("normal", "normal", "storm")
    assert view["next_at"] == "2026-03-03T11:00:00Z"
    set_clock(api, "2026-03-03T11:00")
    assert await profiles.apply_due(api.market)
    assert not await profiles.apply_due(api.market)
    stands = {
        "values": {"max_attempts": 3, "price_weight": 0.5},
        "made": "profile",
        "by": "calendar",
        "source": "storm",
    }
    assert await overrides(api) == stands
    assert (await api.service.markets.tuning(api.market)).values["price_weight"] == 0.5
    view = (await call(api, "GET", "/profiles"))[1]
    assert (view["standing"], view["next"], view["next_at"]) == ("storm", "normal", "2026-03-03T17:00:00Z")
    set_clock(api, "2026-03-03T17:00")
    assert await profiles.apply_due(api.market)
    assert await overrides(api) == stands | {"values": {"max_attempts": 3}, "source": "normal"}


async def test_a_change_by_hand_wins_until_the_profile_ends_and_is_told(api: Api) -> None:
    await prepared(api)
    set_clock(api, "2026-03-03T11:00")
    await api.service.tuning_profiles.apply_due(api.market)
    await call(api, "PUT", "", {"values": {"max_attempts": 9, "price_weight": 0.7}}, 2)
    assert not await api.service.tuning_profiles.apply_due(api.market)
    assert (await call(api, "GET", "/profiles"))[1]["by_hand"]["version"] == 3
    set_clock(api, "2026-03-03T17:00")
    await api.service.tuning_profiles.apply_due(api.market)
    assert (await overrides(api))["values"] == {"max_attempts": 9}
    assert "undone of what was set by hand: price_weight" in (await call(api, "GET", ""))[1]["reason"]


async def test_a_profile_that_stands_is_written_anew_and_stands_so_and_ends_with_the_calendar(
    api: Api,
) -> None:
    await prepared(api)
    set_clock(api, "2026-03-03T11:00")
    await api.service.tuning_profiles.apply_due(api.market)
    status, problem = await call(api, "DELETE", "/profiles/storm", version=2)
    assert (status, "take its times out" in problem["detail"]) == (409, True)
    await call(api, "PUT", "/profiles/storm", {"values": {"move_limit": 1}}, 2)
    assert await api.service.tuning_profiles.apply_due(api.market)
    assert (await overrides(api))["values"] == {"max_attempts": 3, "move_limit": 1}
    await call(api, "PUT", "/calendar", {"times": []}, 3)
    gone = await call(api, "DELETE", "/profiles/storm", version=4)
    assert (gone[0], gone[1]["profiles"]) == (200, [])
    assert await call(api, "DELETE", "/profiles/storm", version=4) == gone, (
        "said again, for an answer was lost"
    )
    assert (await call(api, "DELETE", "/profiles/other", version=4))[0] == 404
    assert await api.service.tuning_profiles.apply_due(api.market)
    assert (await overrides(api))["values"] == {"max_attempts": 3}


async def test_of_two_processes_one_lets_the_profile_stand(api: Api) -> None:
    await prepared(api)
    set_clock(api, "2026-03-03T11:00")
    both = await asyncio.gather(
        *(api.service.tuning_profiles.apply_due(api.market) for _ in range(2)), return_exceptions=True
    )
    assert sum(each is True for each in both) == 1
    assert all(each in (True, False) or isinstance(each, Stale) for each in both)
    assert (await call(api, "GET", ""))[1]["version"] == 2


async def test_the_job_lets_it_stand_and_goes_on_when_the_calendar_cannot_be_read(api: Api) -> None:
    await prepared(api)
    set_clock(api, "2026-03-03T11:00")
    key = Keys(api.market).beside_tuning(PROFILES)
    whole = await api.store.reader.get(key)
    await api.store.reader.ask("SET", key, b"\0\0\0\2\xc1")
    job = asyncio.create_task(keep_tuning(api.service, api.market))
    try:
        async with asyncio.timeout(20):
            while not api.store.aside.met_lately(api.market):
                await asyncio.sleep(0.01)
            await api.store.reader.ask("SET", key, whole)
            while (await call(api, "GET", ""))[1]["version"] != 2:
                await asyncio.sleep(0.05)
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)


async def test_odd_profiles_are_refused_in_words(api: Api) -> None:
    for path, body, words in (
        ("/profiles/normal", {"values": {"price_weight": 0.5}}, "what stands while no profile does"),
        ("/profiles/storm", {"values": {"price_weight": 50}}, "0.0..10.0"),
        ("/calendar", {"times": [{"profile": "storm", "days": ["2026-03-03"]}]}, "there is none yet"),
    ):
        status, problem = await call(api, "PUT", path, body)
        assert (status, words in problem["detail"]) == (422, True)
    assert (await call(api, "DELETE", "/profiles/storm", version=1))[0] == 404


async def test_who_changes_what_will_change_the_tuning_is_in_the_audit(api: Api) -> None:
    await prepared(api)
    await call(api, "PUT", "/sets/night", {"values": {}, "about": "calm"})
    await call(api, "PUT", "/shadow", {"values": {"price_weight": 2.0}, "reason": "cheaper"}, 0)
    await call(api, "DELETE", "/shadow", version=1)
    _, page = await api.call("GET", "/audit?group=tuning", role=Role.OPS)
    found = {(each["act"], each["about"], each["reason"]) for each in page["acts"]}
    assert found >= {
        ("write_profile", "storm", ""),
        ("write_calendar", "calendar", ""),
        ("save_set", "night", "calm"),
        ("set_shadow", "shadow", "cheaper"),
        ("end_shadow", "shadow", ""),
    }
    assert {each["by"] for each in page["acts"]} == {"ops"}
    assert {each["group"] for each in page["acts"]} == {"tuning"}


async def test_a_profile_ends_though_a_parameter_that_it_had_laid_over_is_gone(api: Api) -> None:
    await prepared(api)
    stored = api.store.market(api.market)
    found = await stored.tuning_profiles.get()
    (storm,) = found.value.profiles
    odd = replace(storm, values={**storm.values, "gone": 7, "move_limit": 99})
    await stored.tuning_profiles.put(replace(found.value, profiles=(odd,)), found.version)
    set_clock(api, "2026-03-03T11:00")
    assert await api.service.tuning_profiles.apply_due(api.market)
    assert not await api.service.tuning_profiles.apply_due(api.market)
    assert (await overrides(api))["values"] == {"max_attempts": 3, "price_weight": 0.5}
    assert "no value of today's: gone, move_limit" in (await call(api, "GET", ""))[1]["reason"]
    set_clock(api, "2026-03-03T17:00")
    assert await api.service.tuning_profiles.apply_due(api.market)
    assert (await overrides(api))["values"] == {"max_attempts": 3}
