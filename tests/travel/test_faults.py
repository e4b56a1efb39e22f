"""A routing server that is silent, wrong or strange: nobody waits for it, and it is not believed."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from dispatcher.travel.breaker import Breaker
from dispatcher.travel.cache import KEEP_S, NO_ROAD_KEEP_S, Cache
from dispatcher.travel.engine import MOST_WANTED, Engine
from dispatcher.travel.tiles import Tile, first_tile
from dispatcher.travel.url import TravelUrl
from solvers.known_travel import Answer, Pair
from solvers.travel import DetourTravel
from tests.travel.conftest import running, until

HERE, THERE, HOUR = np.array([[24.94, 60.17]]), np.array([[24.95, 60.16]]), np.array([10])
ESTIMATE = DetourTravel.of({}).between(HERE, THERE, HOUR)
OK = {"code": "Ok", "sources": [{"distance": 5}], "destinations": [{"distance": 5}]}
GOOD = OK | {"durations": [[600.0]], "distances": [[5_000.0]]}


@asynccontextmanager
async def server(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as found:
        assert found.port is not None
        yield found.port


def saying(body: Any, status: int = 200) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(call: web.Request) -> web.Response:
        return web.Response(
            body=body if isinstance(body, bytes) else json.dumps(body).encode(), status=status
        )

    return answer


@asynccontextmanager
async def silence() -> AsyncIterator[int]:
    """A server that takes connections and never says a word."""

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    found = await asyncio.start_server(hold, "127.0.0.1", 0)
    try:
        yield found.sockets[0].getsockname()[1]
    finally:
        found.close()


@pytest.mark.parametrize(
    ("seconds", "metres"),
    [(0, 0), (0, 5), (-5, 10), (5, -10), (None, 10), (10, None), (1e12, 10), (10, 1e12), (5, 0)],
)
async def test_no_answer_that_cannot_be_one_is_believed(seconds: Any, metres: Any) -> None:
    await _is_estimated(OK | {"durations": [[seconds]], "distances": [[metres]]})


async def test_a_point_that_the_server_moved_far_onto_a_road_is_estimated() -> None:
    await _is_estimated(GOOD | {"destinations": [{"distance": 1_001}]})


async def _is_estimated(answer: Any) -> None:
    async with server(saying(answer)) as port, running("osrm", port) as engine:
        engine.travel_of({}).between(HERE, THERE, HOUR)
        await until(lambda: engine.calls["ok"] == 1)
        assert engine.travel_of({}).between(HERE, THERE, HOUR) == ESTIMATE


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("osrm", b"<html>", 200),
        ("osrm", b"", 204),
        ("osrm", GOOD, 500),
        ("osrm", OK | {"durations": [], "distances": []}, 200),
        ("osrm", OK | {"durations": [["ten"]], "distances": [[5]]}, 200),
        ("osrm", {"code": "InvalidQuery"}, 400),
        ("osrm", b'{"code": "Ok", "durations": [[NaN]], "distances": [[1]]}', 200),
        ("osrm", [], 302),
        ("valhalla", {"error_code": 132}, 400),
        ("valhalla", {"sources_to_targets": [[]]}, 200),
        ("valhalla", b"\xff", 200),
    ],
)
async def test_a_strange_answer_is_a_failure_and_told_once_without_a_place(
    kind: str, body: Any, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    async with server(saying(body, status)) as port, running(kind, port) as engine:
        for failures in (1, 2, 3):
            assert engine.travel_of({}).between(HERE, THERE, HOUR) == ESTIMATE
            await until(lambda wanted=failures: engine.calls["failed"] >= wanted)
        assert engine.calls["ok"] == 0
        assert engine.breaker.trouble
    said = capsys.readouterr().out
    assert said.count("travel_server_fails") == 1
    assert "24.9" not in said + engine.breaker.trouble


async def test_a_server_that_takes_no_post_is_told_as_such() -> None:
    refusal = {"code": "InvalidUrl", "message": "URL string malformed"}
    async with server(saying(refusal, 400)) as port, running("osrm", port) as engine:
        engine.travel_of({}).between(HERE, THERE, HOUR)
        await until(lambda: engine.calls["failed"] == 1)
    assert engine.breaker.trouble == "HTTP 400, InvalidUrl; before v26 it takes only GET"


async def test_an_answer_without_end_is_cut_off() -> None:
    async def endless(call: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(call)
        try:
            while True:
                await answer.write(b" " * 1_000_000)
        except (ConnectionError, asyncio.CancelledError):
            return answer

    async with server(endless) as port, running("osrm", port) as engine:
        engine.travel_of({}).between(HERE, THERE, HOUR)
        await until(lambda: engine.calls["failed"] == 1)
        assert "bytes" in engine.breaker.trouble


async def test_a_silent_server_keeps_nobody_waiting_and_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with silence() as port, running("osrm", port, timeout_s=0.2) as engine:
        for _ in range(50):
            assert engine.travel_of({}).between(HERE, THERE, HOUR) == ESTIMATE
        assert engine.calls["failed"] == 0  # nobody has waited for that
        await until(lambda: engine.calls["failed"] == 1)
        assert engine.breaker.trouble == "TimeoutError"
        assert engine.changed.is_set()


async def test_one_point_that_the_server_refuses_costs_no_other_pair_its_answer() -> None:
    async def answer(call: web.Request) -> web.Response:
        asked = await call.json()
        if [24.9, 60.0] in asked["coordinates"]:
            return web.json_response({"code": "NoSegment"}, status=400)
        rows, columns = len(asked["sources"]), len(asked["destinations"])
        matrix = [[600.0] * columns] * rows
        return web.json_response({"code": "Ok", "durations": matrix, "distances": matrix})

    origins = np.array([[24.94 + n / 1_000, 60.17] for n in range(16)])
    destinations = np.repeat(THERE, 16, axis=0)
    destinations[5] = 24.9, 60.0
    async with server(answer) as port, running("osrm", port) as engine:
        engine.travel_of({}).between(origins, destinations, np.full(16, 2))
        await until(lambda: not engine.waiting and len(engine.cache) == 16)
        found = engine.travel_of({}).between(origins, destinations, np.full(16, 2))
    assert [n for n in range(16) if found.metres[n] != 600] == [5]


def test_pauses_grow_to_a_limit_and_end_when_it_works() -> None:
    breaker, now_s, waits = Breaker(1, 8), 0.0, []
    for _ in range(5):
        breaker.failed("away", now_s)
        breaker.failed("away", now_s)  # the other of two that were under way
        waits.append(breaker.wait_s(now_s))
        now_s += waits[-1]
    assert waits == [1, 2, 4, 8, 8]
    assert breaker.worked()
    assert breaker.wait_s(now_s) == 0
    assert not breaker.worked()  # no news


def test_the_longest_unused_is_forgotten_and_what_is_old_is_asked_for_again() -> None:
    cache, a, b, c = Cache(most=2), Pair(1, 2), Pair(2, 3), Pair(3, 4)
    cache.keep(a, 0, Answer(5, 6), 0.0)
    cache.keep(b, 0, None, 0.0)
    assert cache.look(a, [7], 1.0) == (dict.fromkeys(range(24), Answer(5, 6)), [])
    cache.keep(c, 8, Answer(7, 8, by_hour=True), 1.0)
    assert list(cache) == [a, c]
    assert cache.look(c, [8, 9], 1.0) == ({8: Answer(7, 8, True)}, [9])
    assert cache.look(a, [7], KEEP_S + 1) == (dict.fromkeys(range(24), Answer(5, 6)), [7])
    cache.keep(a, 0, None, 0.0)
    assert cache.look(a, [7], NO_ROAD_KEEP_S) == ({}, [])
    assert cache.look(a, [7], NO_ROAD_KEEP_S + 1) == ({}, [7])


def test_a_tile_takes_what_fits_and_one_pair_at_the_least() -> None:
    pairs = [Pair(n, 100 + n % 2) for n in range(10)]
    assert len(first_tile(pairs, 0, lambda origins, ends: origins + ends <= 6).pairs) == 4
    assert len(first_tile(pairs, 0, lambda origins, ends: False).pairs) == 1
    assert first_tile([], 0, lambda origins, ends: True).pairs == ()


async def test_what_is_wanted_is_bounded() -> None:
    many = MOST_WANTED + 5
    origins = np.stack([np.linspace(0, 90, many), np.zeros(many)], axis=1)
    async with silence() as port, running("osrm", port) as engine:
        engine.travel_of({}).between(origins, np.repeat(THERE, many, axis=0), np.zeros(many, np.int64))
        assert engine.waiting <= MOST_WANTED


async def test_what_waits_is_counted_by_a_thread_while_nobody_takes_of_it() -> None:
    """A deque that changes while it is gone through raises: a batch failed."""
    engine, looked = Engine(TravelUrl.parse("osrm+http://127.0.0.1:1")), list[bool]()

    class Guarded(deque[Tile]):
        def __iter__(self) -> Iterator[Tile]:
            looked.append(engine._lock.locked())
            return super().__iter__()

    engine._again, engine._loop = Guarded(), asyncio.get_running_loop()
    await asyncio.to_thread(engine.look, {Pair(1, 2): {7}})
    assert set(looked) == {True}
