"""Overload by the byte: refused unread, others not held up, and every place comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.codes import Role
from dispatcher.http.concurrency import Limits
from dispatcher.http.connection import Connection
from dispatcher.http.lanes import Lanes
from dispatcher.http.server import LANES
from tests.http.conftest import Api, trip
from tests.http.wire import Told, Wire, post, wire

FEW = Limits(at_once=1, in_flight=2, per_caller=2, retry_after_s=0.2)
NARROW = Limits(at_once=1, in_flight=50, per_caller=50)
ALIVE = ("GET /livez HTTP/1.1", "Host: x")


@pytest.fixture
def lanes(api: Api) -> Lanes:
    found: Lanes = api.client.server.app[LANES]
    return found


@pytest.fixture
async def held(api: Api, lanes: Lanes, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[asyncio.Event]:
    """One submission is at work until the event is set; nothing is stored before."""
    release, commit = asyncio.Event(), api.store.market(api.market).commit

    async def slow(*args: Any, **more: Any) -> Any:
        await release.wait()
        return await commit(*args, **more)

    monkeypatch.setattr(api.store.market(api.market), "commit", slow)
    async with wire(api) as line:
        _submit(api, line, "held")
        await _until(lambda: api.limit.taken == 1)
        yield release
        release.set()
        await line.told()
    await _until(lambda: lanes.calls.count == 0)


def _submit(api: Api, line: Wire, request_id: str, *more: str, subject: str = "") -> None:
    body = json.dumps(trip(request_id)).encode()
    token = api.token(Role.PLATFORM, subject=subject)
    line.send(*post(api, *more, length=len(body), Authorization=f"Bearer {token}"), body=body)


async def _until(holds_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds_true():
            await asyncio.sleep(0.005)


def _connections(api: Api) -> list[Connection]:
    return [each for each in api.client.server.runner.server.connections if isinstance(each, Connection)]


@pytest.mark.parametrize("limits", [NARROW])
async def test_vendors_answers_and_probes_do_not_wait_behind_submissions(
    api: Api, lanes: Lanes, held: asyncio.Event
) -> None:
    async with wire(api) as waiting:
        _submit(api, waiting, "r1")
        await _until(lambda: lanes.waiting == 1)
        answered = await api.call("POST", "/offers/r9.1/accept", role=Role.VENDOR, vendor="v")
        assert answered[0] == 404
        async with api.client.get("/readyz") as ready, api.client.get("/metrics") as metrics:
            assert ready.status == 200
            assert "dispatcher_http_waiting 1.0" in await metrics.text()
        held.set()
        assert (await waiting.told()).status == 202


@pytest.mark.parametrize("limits", [FEW])
@pytest.mark.parametrize("method", ["POST", "HEAD"])
async def test_a_call_is_refused_before_its_token_and_its_body_are_read(
    api: Api, lanes: Lanes, held: asyncio.Event, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    async with wire(api) as waiting, wire(api) as line:
        _submit(api, waiting, "r1")
        await _until(lambda: lanes.waiting == 1)
        monkeypatch.setattr(api.gate, "identify", lambda request: pytest.fail("the token was read"))
        first, *rest = post(api, length=1_500_000)
        line.send(first.replace("POST", method, 1), *rest)
        told = await (line.told() if method == "POST" else _bodiless(line))
        assert (told.status, told.headers["retry-after"]) == (503, "1")
        assert told.headers["x-request-id"]
        if method == "POST":
            assert told.problem == "unavailable"
            line.writer.write(b"x" * 1_500_000)  # it may come still: the connection is kept
            line.send(*ALIVE)
            assert (await line.told()).status == 200
        monkeypatch.undo()
        held.set()


async def _bodiless(line: Wire) -> Told:
    async with asyncio.timeout(10):
        first, *rest = (await line.reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in rest)}
    return Told(int(first.split()[1]), headers, b"")


@pytest.mark.parametrize("limits", [FEW])
async def test_who_waits_for_100_continue_hears_the_refusal_instead(
    api: Api, lanes: Lanes, held: asyncio.Event
) -> None:
    async with wire(api) as waiting, wire(api) as line:
        _submit(api, waiting, "r1")
        await _until(lambda: lanes.waiting == 1)
        line.send(*post(api, "Expect: 100-continue", length=100))
        told = await line.told()
        assert (told.status, told.problem, told.headers["connection"]) == (503, "unavailable", "close")
        assert await line.ended()
        held.set()


@pytest.mark.parametrize("limits", [replace(FEW, retry_after_s=3_600.0)])
async def test_who_calls_again_at_once_is_left_unread_but_not_another_on_the_same_connection(
    api: Api, lanes: Lanes, held: asyncio.Event
) -> None:
    async with wire(api) as waiting, wire(api) as line:
        _submit(api, waiting, "r1")
        await _until(lambda: lanes.waiting == 1)
        _submit(api, line, "r2")
        assert (await line.told()).status == 503
        line.send(*ALIVE)
        assert (await line.told()).status == 200
        assert not any(each._unread for each in _connections(api))
        _submit(api, line, "r2")
        await _until(lambda: any(each._unread for each in _connections(api)))
        held.set()


@pytest.mark.parametrize("limits", [FEW])
async def test_who_hangs_up_while_it_is_left_unread_is_forgotten_and_nothing_is_stored(
    api: Api, lanes: Lanes, held: asyncio.Event
) -> None:
    async with wire(api) as waiting:
        _submit(api, waiting, "r1")
        await _until(lambda: lanes.waiting == 1)
        async with wire(api) as line:
            _submit(api, line, "r2")
            assert (await line.told()).status == 503
            _submit(api, line, "r2")
            await _until(lambda: any(each._unread for each in _connections(api)))
        held.set()
        assert (await waiting.told()).status == 202
        await _until(lambda: not any(each._unread for each in _connections(api)))
    await _until(lambda: (lanes.calls.count, len(lanes.calls._put_off)) == (0, 0))
    assert await api.store.market(api.market).requests.records.get("r2") is None


@pytest.mark.parametrize("limits", [FEW])
async def test_the_rest_of_a_body_that_was_left_unread_is_passed_over_once_its_call_is_refused(
    api: Api, lanes: Lanes, held: asyncio.Event
) -> None:
    async with wire(api) as waiting, wire(api) as line:
        _submit(api, waiting, "r1")
        await _until(lambda: lanes.waiting == 1)
        _submit(api, line, "r2")
        assert (await line.told()).status == 503
        line.send(*post(api, length=2))
        await _until(lambda: any(each._unread for each in _connections(api)))
        line.writer.write(b"{}")
        assert (await line.told()).status == 503
        line.send(*ALIVE)
        assert (await line.told()).status == 200
        held.set()


@pytest.mark.parametrize("limits", [replace(FEW, wait_s=0.2, in_flight=3, per_caller=3)])
async def test_the_rest_of_a_long_body_is_passed_over_once_its_call_has_waited_too_long(
    api: Api, lanes: Lanes, held: asyncio.Event
) -> None:
    async with wire(api) as line:
        line.send(*post(api, length=1_500_000), body=b"x" * 1_500_000)
        assert (await line.told()).status == 503
        line.send(*ALIVE)
        assert (await line.told()).status == 200
        held.set()


@pytest.mark.parametrize("limits", [FEW])
async def test_many_calls_in_one_go_are_refused_one_after_another_where_none_may_be_held(
    api: Api, lanes: Lanes, held: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatcher.http.lanes.MOST_HELD_BYTES", 0)
    async with wire(api) as line:
        line.writer.write(b"GET /markets HTTP/1.1\r\n\r\n" * 1_000)
        assert [(await line.told()).status for _ in range(1_000)] == [503] * 1_000
        held.set()


@pytest.mark.parametrize("limits", [NARROW])
@pytest.mark.parametrize("whole", [True, False], ids=["at once", "in pieces"])
async def test_who_hangs_up_while_it_waits_gives_its_place_back_and_nothing_is_stored(
    api: Api, lanes: Lanes, held: asyncio.Event, whole: bool
) -> None:
    async with wire(api) as line:
        if whole:
            _submit(api, line, "r1")
        else:
            first, *rest = post(api, length=2)
            line.writer.write(f"{first}\r\n".encode())
            await asyncio.sleep(0.02)
            line.send(*rest, body=b"{}")
        await _until(lambda: lanes.waiting == 1)
    await _until(lambda: lanes.calls.count == 1)
    held.set()
    assert await api.store.market(api.market).requests.records.get("r1") is None


@pytest.mark.parametrize("limits", [NARROW])
async def test_a_body_that_is_on_its_way_holds_nobody_up(api: Api, lanes: Lanes) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(3):
            slow = await stack.enter_async_context(wire(api))
            slow.send(*post(api, length=5_000), body=b"{")
        await _until(lambda: api.limit.taken == 3)
        assert (await api.call("POST", "/requests", trip("r1")))[0] == 202
        assert (lanes.calls.count, lanes.calls.at_work) == (3, 0)
    await _until(lambda: (lanes.calls.count, api.limit.taken) == (0, 0))


@pytest.mark.parametrize("limits", [replace(NARROW, in_flight=3, strangers=2)])
async def test_strangers_whose_bodies_are_on_their_way_leave_places_to_others(api: Api, lanes: Lanes) -> None:
    look = ("HEAD /openapi.json HTTP/1.1", "Host: x")
    async with AsyncExitStack() as stack:
        slow = [await stack.enter_async_context(wire(api)) for _ in range(3)]
        for line in slow:
            line.send(*look, "Content-Length: 500", body=b"{")
        told = await _bodiless(slow[2])
        assert (told.status, told.headers["retry-after"]) == (503, "1")
        assert lanes.calls.count == 2
        whole = await stack.enter_async_context(wire(api))
        whole.send(*look, "Content-Length: 2", body=b"{}")  # nothing of it is still to come
        assert (await _bodiless(whole)).status == 200
        assert (await api.call("POST", "/requests", trip("r1")))[0] == 202
    await _until(lambda: (lanes.calls.count, api.gate.strangers.taken) == (0, 0))


@pytest.mark.parametrize("limits", [NARROW])
async def test_an_event_stream_holds_no_place(api: Api, lanes: Lanes) -> None:
    async with api.client.get(f"{api.base}/events", headers=api.headers(role=Role.OPS)) as answer:
        assert answer.status == 200
        assert lanes.calls.count == 0
        assert (await api.call("POST", "/requests", trip("r1")))[0] == 202


@pytest.mark.parametrize("limits", [NARROW])
async def test_calls_sent_in_one_go_are_answered_in_order_each_in_its_turn(
    api: Api, lanes: Lanes, held: asyncio.Event
) -> None:
    async with wire(api) as line:
        for number in range(5):
            _submit(api, line, f"r{number}")
        line.send(*ALIVE)
        await _until(lambda: lanes.waiting == 1)
        held.set()
        assert [(await line.told()).status for _ in range(6)] == [202] * 5 + [200]


@pytest.mark.parametrize("limits", [NARROW])
async def test_what_is_no_call_gives_its_place_back(api: Api, lanes: Lanes, held: asyncio.Event) -> None:
    async with AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(wire(api)) for _ in range(3)]
        for line, sent in zip(
            lines, (b"no call\r\n\r\n", b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"), strict=True
        ):
            line.writer.write(sent)
        await _until(lambda: lanes.waiting == 3)
        held.set()
        assert (await lines[0].told()).problem == "malformed-call"
        lines[1].send(*ALIVE)
        assert (await lines[1].told()).status == 200
        assert (await lines[2].told()).status in {302, 400}
    await _until(lambda: lanes.calls.count == 0)


@pytest.mark.parametrize("limits", [Limits(connections=3, header_s=3_600.0, idle_s=3_600.0)])
async def test_strangers_make_room_before_those_who_have_proved_themselves(api: Api) -> None:
    async with AsyncExitStack() as stack:
        friend = await stack.enter_async_context(wire(api))
        for number in range(2):
            _submit(api, friend, f"r{number}", subject="friend")
            assert (await friend.told()).status == 202
        for _ in range(6):
            stranger = await stack.enter_async_context(wire(api))
            stranger.send(*ALIVE)
            assert (await stranger.told()).status == 200
        _submit(api, friend, "r3", subject="friend")
        assert (await friend.told()).status == 202
