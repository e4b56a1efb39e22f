"""Rides as a real Valhalla has them: the same as its routes, by the hour only if it looks at the hour."""

import json
import urllib.request
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from dispatcher.travel.tiles import Tile
from dispatcher.travel.valhalla import Valhalla
from solvers.known_travel import Pair
from tests import roads
from tests.travel.conftest import running, until
from tests.travel.test_osrm import CONNECTED, ESTIMATE, asked, ends

MORNING = 8


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("valhalla")


@pytest.fixture(scope="module", params=[0, 500_000], ids=["as it comes", "with hours"])
def valhalla(request: pytest.FixtureRequest, folder: Path) -> Iterator[roads.Server]:
    server = roads.valhalla(folder, request.param)
    server.timed = request.param > 0
    server.start()
    yield server
    server.kill()


def route(port: int, origin: tuple[float, float], destination: tuple[float, float]) -> tuple[float, float]:
    """The same by the server's other service."""
    where = [{"lon": round(lon, 4), "lat": round(lat, 4)} for lon, lat in (origin, destination)]
    asked = {"locations": where, "costing": "auto", "units": "km", "directions_type": "none"}
    call = urllib.request.Request(f"http://127.0.0.1:{port}/route", data=json.dumps(asked).encode())
    with urllib.request.urlopen(call) as answer:
        found = json.load(answer)["trip"]["summary"]
    return found["time"], found["length"] * 1_000


async def test_every_ride_is_as_long_as_the_server_s_route(valhalla: roads.Server) -> None:
    rides = [each for each in product(CONNECTED[:4], CONNECTED[4:]) if each[0] != each[1]]
    async with running("valhalla", valhalla.port, tile=2) as engine:  # tiles of 2 x 2
        asked(engine, rides, MORNING)
        await until(lambda: not engine.waiting and len(engine.cache) == len(rides))
        found = asked(engine, rides, MORNING)
        said = [engine.cache.look(each, [MORNING], engine.now()) for each in list(engine.cache)]
    assert set(engine.calls) == {"ok"}
    assert engine.calls["ok"] >= len(rides) / 4
    assert all(not missing for _, missing in said)
    assert {answers[MORNING].by_hour for answers, _ in said} == {valhalla.timed}
    assert {len(answers) for answers, _ in said} == {1 if valhalla.timed else 24}
    told = np.array([route(valhalla.port, *each) for each in rides])
    stretched = 1 if valhalla.timed else 45 / 22  # by the tuning, where the server does not know the hour
    assert found.seconds == pytest.approx(told[:, 0] * stretched, abs=3, rel=0.02)
    assert found.metres == pytest.approx(told[:, 1], abs=20)


async def test_what_is_at_sea_or_off_the_map_costs_nobody_else_the_answer(valhalla: roads.Server) -> None:
    rides = [
        (roads.CENTRE, roads.STATION),
        (roads.CENTRE, roads.AT_SEA),
        ((20.0, 50.0), roads.STATION),
        (roads.HARBOUR, roads.STATION),
    ]
    async with running("valhalla", valhalla.port) as engine:
        asked(engine, rides, MORNING)
        await until(lambda: not engine.waiting and len(engine.cache) == len(rides))
        found, estimate = asked(engine, rides, MORNING), ESTIMATE.between(*ends(*rides), np.full(4, MORNING))
    assert (found.metres == estimate.metres).tolist() == [False, True, True, False]
    assert engine.breaker.answers


def test_the_hour_is_asked_for_in_a_form_that_the_server_heeds() -> None:
    call = Valhalla().call(Tile((Pair(1, 9), Pair(2, 9), Pair(3, 9)), 7))
    assert call.body["date_time"] == {"type": 1, "value": "2027-06-02T07:30"}
    assert len(call.body["targets"]) == len(call.body["sources"]) == 3
