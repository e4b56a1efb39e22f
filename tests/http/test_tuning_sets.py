"""Sets of tuning are saved under a name; sliders say in words what their parameters do, and show them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.codes import Role
from contracts.tuning_parameters import Effect, Effects, MeasureState, Nudge
from contracts.tuning_sets import MOST_SETS, STEPS, Follows, Slider
from dispatcher.audit.auditor import audit
from dispatcher.domain.refusals import Invalid
from dispatcher.store.keys import SETS, Keys
from dispatcher.tuning.readers import read_by
from dispatcher.tuning.registry import Registry
from dispatcher.tuning.sliders import SliderBook, SliderError
from tests.http.conftest import REGISTRY, Api


async def call(api: Api, method: str, path: str, body: Any = None, version: int = 0) -> tuple[int, Any]:
    headers = {"If_Match": f'"{version}"'} if version else {}
    return await api.call(method, f"/tuning/{path}", body, role=Role.OPS, **headers)


async def test_a_set_is_saved_read_changed_over_its_version_and_forgotten(api: Api) -> None:
    status, saved = await call(api, "PUT", "sets/storm", {"values": {"max_attempts": 3}, "about": "snow"})
    assert (status, saved["version"], saved["values"], saved["about"]) == (
        200,
        1,
        {"max_attempts": 3},
        "snow",
    )
    assert (await call(api, "PUT", "sets/storm", {"values": {}}))[0] == 428
    assert (await call(api, "PUT", "sets/other", {"values": {}}))[0] == 200
    assert (await call(api, "PUT", "sets/storm", {"values": {"max_attempts": 4}}, 1))[1]["version"] == 2
    assert [each["name"] for each in (await call(api, "GET", "sets"))[1]["sets"]] == ["other", "storm"]
    assert (await call(api, "DELETE", "sets/storm", version=1))[0] == 412
    gone = await call(api, "DELETE", "sets/storm", version=2)
    assert (gone[0], gone[1]["values"]) == (200, {"max_attempts": 4})
    assert await call(api, "DELETE", "sets/storm", version=2) == gone, "said again, for an answer was lost"
    assert [(await call(api, "DELETE", "sets/storm", version=each))[0] for each in (0, 1, 3)] == [404] * 3
    status, problem = await call(api, "GET", "sets/storm")
    assert (status, "Maybe one of: other" in problem["detail"]) == (404, True)
    last = 2
    for _ in range(2):  # made anew, it is at a version that it never had, and deleted anew
        version = (await call(api, "PUT", "sets/storm", {"values": {}}))[1]["version"]
        assert version > last
        assert await call(api, "DELETE", "sets/storm", version=2) == gone, "said so late it deletes nothing"
        assert (await call(api, "GET", "sets/storm"))[1]["version"] == version
        assert (await call(api, "PUT", "sets/storm", {"values": {}}, 2))[0] == 412
        assert (await call(api, "DELETE", "sets/storm", version=version))[0] == 200
        assert (await call(api, "GET", "sets/storm"))[0] == 404
        last = version
    assert (await call(api, "GET", "../tuning"))[1]["version"] == 0, "a saved set is not in force"


async def test_a_value_out_of_bounds_is_not_saved_and_too_many_sets_are_refused_with_the_limit(
    api: Api,
) -> None:
    status, problem = await call(api, "PUT", "sets/bad", {"values": {"max_attempts": 99}})
    assert (status, "1..50" in problem["detail"]) == (422, True)
    for number in range(MOST_SETS):
        assert (await call(api, "PUT", f"sets/s{number}", {"values": {}}))[0] == 200
    status, problem = await call(api, "PUT", "sets/more", {"values": {}})
    assert (status, str(MOST_SETS) in problem["detail"]) == (422, True)


async def test_sets_under_a_key_of_another_type_are_told_and_stop_nothing_else(api: Api) -> None:
    key = Keys(api.market).beside_tuning(SETS)
    await api.store.reader.ask("LPUSH", key, "x")
    status, problem = await call(api, "GET", "sets")
    assert (status, problem["type"], key in problem["detail"]) == (500, "/problems/unreadable", True)
    assert (await call(api, "PUT", "sets/storm", {"values": {}}))[0] in {500, 503}
    assert (await api.call("GET", "/tuning", role=Role.OPS))[0] == 200
    found = (await audit(api.store.reader, api.market))["findings"]
    assert [(each["rule"], each["subject"]) for each in found] == [("readable", SETS)]


async def test_a_slider_is_moved_and_shows_the_parameters_behind_it(api: Api) -> None:
    assert {each["step"] for each in (await call(api, "GET", "sliders"))[1]["sliders"]} == {0}
    status, moved = await call(api, "POST", "sliders", {"steps": {"cheaper_punctual": STEPS}})
    expected = {"price_weight": 0.3, "lateness_cents_per_minute": 60, "scorecard_cents": 5_000}
    assert (status, moved["values"]) == (200, expected)
    assert {each["name"] for each in moved["changes"]} == expected.keys()
    await api.call("PUT", "/tuning", {"values": moved["values"]}, role=Role.OPS)
    sliders = {each["name"]: each for each in (await call(api, "GET", "sliders"))[1]["sliders"]}
    assert sliders["cheaper_punctual"]["step"] == STEPS
    assert sliders["cheaper_punctual"]["parameters"][0]["value"] == 0.3
    back = (await call(api, "POST", "sliders", {"steps": {"cheaper_punctual": 0}}))[1]
    assert back["values"] == {}
    odd = {"steps": {}, "values": {"price_weight": 0.31}}
    sliders = {each["name"]: each["step"] for each in (await call(api, "POST", "sliders", odd))[1]["sliders"]}
    assert sliders["cheaper_punctual"] is None
    saved = (await call(api, "PUT", "sets/late", {"values": {}, "steps": {"steady_moving": -STEPS}}))[1]
    assert saved["values"] == {"move_limit": 0, "move_settle_s": 600, "move_freeze_minutes": 360}
    status, problem = await call(api, "POST", "sliders", {"steps": {"cheap": 1}})
    assert (status, "cheaper_punctual" in problem["detail"]) == (422, True)


@pytest.mark.parametrize("name", REGISTRY.sliders.sliders)
def test_each_step_of_a_slider_is_within_bounds_told_apart_and_found_again(name: str) -> None:
    book, seen = REGISTRY.sliders, list[dict[str, Any]]()
    for step in range(-STEPS, STEPS + 1):
        values = REGISTRY.checked(book.moved({}, {name: step}))
        seen.append(values)
        found = next(each for each in book.views(values) if each.name == name)
        assert found.step is not None
        assert book.moved({}, {name: found.step}) == values
    assert seen[0] != seen[STEPS] != seen[-1]


def test_a_slider_of_no_parameter_or_out_of_bounds_stops_the_start_and_two_of_one_are_refused() -> None:
    follows = Follows(parameter="max_attempts", low=1, high=50)
    slider = Slider(name="a", low="few", high="many", summary="How many.", follows=(follows,))
    for bad in (
        Follows(parameter="nothing", low=1, high=2),
        Follows(parameter="max_attempts", low=0, high=2),
    ):
        with pytest.raises(SliderError):
            Registry(
                REGISTRY.parameters.values(), [Slider(name="a", low="", high="", summary="", follows=(bad,))]
            )
    other = Slider(name="b", low="few", high="many", summary="How many.", follows=(follows,))
    with pytest.raises(Invalid, match="follows both a and b"):
        SliderBook([slider, other], REGISTRY.parameters).moved({}, {"a": 1, "b": 1})


def test_every_parameter_is_told_with_the_modules_that_read_it() -> None:
    found = read_by()
    assert found.keys() >= REGISTRY.parameters.keys()
    assert found["price_weight"][0] == "solvers.rules.price"
    assert "dispatcher.matching.quotes" in found["horizon_hours"]


async def test_effects_are_measured_when_it_is_asked_for_once_however_often(api: Api) -> None:
    measuring = api.store.market(api.market).tuning_measuring
    _, page = await call(api, "GET", "parameters")
    assert (page["measuring"]["state"], page["measuring"]["asked_at"]) == ("done", None)
    both = await asyncio.gather(*(call(api, "POST", "parameters/measure") for _ in range(2)))
    assert [(status, told["state"]) for status, told in both] == [(202, "queued")] * 2
    assert (await measuring.get()).version == 1, "the second found it asked"
    held = await measuring.get()
    await measuring.put(replace(held.value, state=MeasureState.RUNNING, progress=0.4, runner="m1"), 1)
    _, page = await call(api, "GET", "parameters")
    assert (page["measuring"]["state"], page["measuring"]["progress"]) == ("running", 0.4)
    assert page["measuring"]["runner"] == "", "which process does it is nobody's"
    await measuring.put(replace(held.value, state=MeasureState.FAILED, detail="no batch"), 2)
    assert (await call(api, "POST", "parameters/measure"))[1]["state"] == "queued", "asked once more"


async def test_the_page_of_parameters_has_value_readers_and_effect_of_each(api: Api) -> None:
    await api.call("PUT", "/tuning", {"values": {"price_weight": 2.0}}, role=Role.OPS)
    nudge = Nudge(value=2.5, moved=3, gained=0, lost=1, anyway=1, cents=-250)
    effects = Effects(batches=2, requests=50, effects=(Effect(name="price_weight", up=nudge),))
    await api.store.market(api.market).tuning_effects.put(effects, 0)
    status, page = await call(api, "GET", "parameters")
    found = {each["name"]: each for each in page["parameters"]}
    assert (status, page["batches"], page["requests"], page["version"]) == (200, 2, 50, 1)
    assert found.keys() == REGISTRY.parameters.keys()
    price = found["price_weight"]
    assert (price["value"], price["default"], price["declared_in"]) == (2.0, 1.0, "solvers.rules.price")
    assert price["effect"]["up"] == {
        "value": 2.5,
        "moved": 3,
        "gained": 0,
        "lost": 1,
        "anyway": 1,
        "cents": -250,
    }
    assert found["retention_hours"]["effect"] is None
    assert all(each["declared_in"] for each in found.values())
