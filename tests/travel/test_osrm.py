"""Rides as a real OSRM has them: never waited for, joined from tiles, and estimated where it fails."""

import json
import pickle
import urllib.error
import urllib.request
from itertools import product

import numpy as np
import pytest

from dispatcher.travel.engine import Engine
from dispatcher.travel.tiles import Tile
from solvers.known_travel import Pair
from solvers.travel import DetourTravel, Travel
from tests import roads
from tests.travel.conftest import running, until

NIGHT, PEAK = 2, 8
ESTIMATE = DetourTravel.of({})
PLACES = [(24.932 + 0.003 * (n % 6), 60.1655 + 0.002 * (n // 6)) for n in range(12)]
CONNECTED = [place for at, place in enumerate(PLACES) if at not in {0, 1, 4, 6}]  # by road, one with another


def ends(*rides: tuple[tuple[float, float], tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    origins, destinations = (np.array(each) for each in zip(*rides, strict=True))
    return origins, destinations


def asked(engine: Engine, rides: list, hour: int = NIGHT) -> Travel:
    return engine.travel_of({}).between(*ends(*rides), np.full(len(rides), hour))


def route(port: int, origin: tuple[float, float], destination: tuple[float, float]) -> tuple[float, float]:
    """The same by the server's other service; of what it has no way for, or none to go, the estimate."""
    where = ";".join(f"{lon:.4f},{lat:.4f}" for lon, lat in (origin, destination))
    url = f"http://127.0.0.1:{port}/route/v1/driving/{where}?overview=false"
    try:
        with urllib.request.urlopen(url) as answer:
            found = json.load(answer)["routes"][0]
    except urllib.error.HTTPError as refused:
        assert json.load(refused)["code"] == "NoRoute"
        found = {"duration": 0}
    if found["duration"]:
        return found["duration"], found["distance"]
    estimate = ESTIMATE.between(*ends((origin, destination)), np.array([NIGHT]))
    return estimate.seconds[0], estimate.metres[0]


async def known(engine: Engine, rides: list) -> Travel:
    """What it says once all is known that can be."""
    asked(engine, rides)
    await until(lambda: not engine.waiting and len(engine.cache) >= len(rides))
    return asked(engine, rides)


async def test_every_ride_is_as_long_as_the_server_s_route_however_many_tiles_it_takes(
    osrm: roads.Server,
) -> None:
    rides = [each for each in product(PLACES, PLACES) if each[0] != each[1]]  # some by no road, some of 0 m
    async with running("osrm", osrm.port, tile=10) as engine:
        found = await known(engine, rides)
    assert engine.calls["ok"] >= len(rides) / 25
    assert set(engine.calls) == {"ok"}
    told = np.array([route(osrm.port, *each) for each in rides])
    assert found.seconds == pytest.approx(told[:, 0], abs=0.2)
    assert found.metres == pytest.approx(told[:, 1], abs=0.2)
    assert (found.seconds > 0).all()


async def test_a_tile_larger_than_the_server_takes_is_asked_for_in_parts(osrm: roads.Server) -> None:
    rides = [each for each in product(PLACES, PLACES) if each[0] != each[1]]
    async with running("osrm", osrm.port) as engine:  # it takes 10 x 10, and we believe 100
        found = await known(engine, rides)
    assert engine.calls == {"refused": 1, "ok": 2}
    assert engine.tile == 50
    assert engine.breaker.answers
    assert found.metres[-1] == pytest.approx(route(osrm.port, *rides[-1])[1], abs=0.2)


async def test_a_ride_is_longer_at_the_peak_as_the_tuning_has_it_and_its_road_is_not(
    osrm: roads.Server,
) -> None:
    async with running("osrm", osrm.port, tile=10) as engine:
        night = await known(engine, [(roads.CENTRE, roads.HARBOUR)])
        peak = asked(engine, [(roads.CENTRE, roads.HARBOUR)], PEAK)
    assert peak.seconds == pytest.approx(night.seconds * 45 / 22)
    assert peak.metres == night.metres


async def test_what_is_at_sea_is_estimated_and_not_asked_for_again(osrm: roads.Server) -> None:
    rides = [(roads.CENTRE, roads.AT_SEA), (roads.CENTRE, roads.STATION), (roads.AT_SEA, roads.STATION)]
    async with running("osrm", osrm.port, tile=10) as engine:
        found = await known(engine, rides)
        assert not engine.waiting
    estimate = ESTIMATE.between(*ends(*rides), np.full(3, NIGHT))
    assert found.seconds[[0, 2]] == pytest.approx(estimate.seconds[[0, 2]])
    assert found.metres[1] == pytest.approx(route(osrm.port, *rides[1])[1], abs=0.2)


async def test_a_server_that_dies_is_estimated_for_and_used_again_when_it_is_back(osrm: roads.Server) -> None:
    first, second = [(CONNECTED[0], CONNECTED[5])], [(CONNECTED[1], CONNECTED[6])]
    async with running("osrm", osrm.port, tile=10) as engine:
        before = await known(engine, first)
        osrm.kill()
        try:
            unknown = asked(engine, second)
            await until(lambda: engine.breaker.answers is False)
            assert asked(engine, second).seconds == pytest.approx(unknown.seconds)
            assert asked(engine, first).seconds == before.seconds  # what it said it has said
        finally:
            osrm.start()
        await until(lambda: bool(asked(engine, second).seconds != unknown.seconds))
        assert engine.breaker.answers
        assert asked(engine, second).seconds == pytest.approx(route(osrm.port, *second[0])[0], abs=0.2)
    assert unknown.seconds == pytest.approx(ESTIMATE.between(*ends(*second), np.array([NIGHT])).seconds)


async def test_what_was_said_in_a_plan_is_said_again_in_it_though_more_is_known_by_then(
    osrm: roads.Server,
) -> None:
    ride, other = [(CONNECTED[2], CONNECTED[7])], [(CONNECTED[3], CONNECTED[7])]
    where, hour = ends(*ride), np.array([NIGHT])
    async with running("osrm", osrm.port, tile=10) as engine:
        plan = engine.travel_of({})
        first = plan.between(*where, hour).seconds
        later = await known(engine, ride)
        assert later.seconds != first
        assert plan.between(*where, hour).seconds == first
        table = plan.table(*where, np.ones((1, 24), np.bool_))
        assert table.between(*where, hour).seconds == first
        fresh = engine.travel_of({})
        assert fresh.between(*where, hour).seconds == later.seconds
        fresh.between(*ends(*other), hour)
        assert pickle.loads(pickle.dumps(fresh)).between(*where, hour).seconds == later.seconds


async def test_doors_stand_in_urls_only_where_that_is_allowed(osrm: roads.Server) -> None:
    ride = [(CONNECTED[4], CONNECTED[7])]
    async with running("osrm", osrm.port) as posts, running("osrm", osrm.port, by_get=True) as gets:
        assert (await known(posts, ride)).seconds == (await known(gets, ride)).seconds
        tile = Tile((Pair(1, 2), Pair(3, 2)), 0)
        assert posts.server.call(tile).path == "/table/v1/driving"
        assert gets.server.call(tile).body is None
