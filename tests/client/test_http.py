"""The client over HTTP: one intention has one key, however often the network makes us say it."""

import asyncio
import datetime as dt

import msgspec
import pytest
from aiohttp import web

from client.errors import PossibleDuplicate, Problem, Unreachable
from client.platform import PlatformClient
from contracts.codes import LevelOfService
from contracts.events import CloudEvent
from contracts.geo import Place, Window
from contracts.requests import TripRequest
from dispatcher.http.concurrency import Limits
from dispatcher.http.lanes import LONGEST_S

NOON = dt.datetime(2026, 9, 16, 12, tzinfo=dt.UTC)
TRIP = TripRequest(
    id="t1",
    pickup=Place(position=(-75.1, 39.9)),
    dropoff=Place(position=(-75.2, 39.9)),
    level_of_service=LevelOfService.WHEELCHAIR,
    pickup_window=Window(earliest=NOON, latest=NOON),
)


def test_an_attempt_lasts_longer_than_a_call_is_left_unread_and_waits_for_its_turn():
    """Else who was put off hangs up and comes anew, and is put off again."""
    limits, client = Limits(), PlatformClient("http://nowhere", "token", "metro")
    assert client.timeout_s > LONGEST_S + 1.5 * limits.retry_after_s + limits.wait_s


class FaultyService:
    """A service whose answers are planned: each call takes the next behaviour."""

    def __init__(self, *behaviours):
        self.behaviours = list(behaviours)
        self.keys, self.resumed_after, self.times = [], [], []

    async def post(self, request):
        self.keys.append(request.headers["Idempotency-Key"])
        self.times.append(asyncio.get_running_loop().time())
        return await self.behaviours.pop(0)(request)

    async def events(self, request):
        self.resumed_after.append(request.headers.get("Last-Event-ID"))
        return await self.behaviours.pop(0)(request)


async def accepted(request):
    return web.json_response(
        {"requests": [{"id": "t1", "href": "/v1/markets/metro/requests/t1"}]}, status=202
    )


async def hang_up(request):
    await request.read()
    request.transport.abort()
    return web.Response()


def busy(retry_after):
    async def answer(request):
        return web.json_response({"type": "busy"}, status=503, headers={"Retry-After": retry_after})

    return answer


def says(*events, then=None):
    async def answer(request):
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": hello\n\n")
        for number in events:
            event = CloudEvent(id=f"e{number}", source="s", type="dispatch.request.changed", time=NOON)
            await response.write(b"id: %d-0\ndata: %s\n\n" % (number, _json(event)))
        if then == "hang_up":
            await response.write(b'id: 99-0\ndata: {"half')
            request.transport.abort()
        return response

    return answer


def _json(event):
    return msgspec.json.encode(event)


@pytest.fixture
async def serve(aiohttp_server):
    async def start(*behaviours, timeout_s=5.0):
        service = FaultyService(*behaviours)
        app = web.Application()
        app.router.add_post("/v1/markets/metro/requests", service.post)
        app.router.add_get("/v1/markets/metro/events", service.events)
        server = await aiohttp_server(app)
        client = PlatformClient(str(server.make_url("/")), "token", "metro", total_timeout_s=timeout_s)
        started.append(client)
        return service, client

    started = []
    yield start
    for client in started:
        await client.close()


async def test_a_lost_answer_is_asked_for_again_under_the_same_key(serve):
    service, client = await serve(hang_up, hang_up, accepted)
    assert await client.submit(TRIP) == ["t1"]
    assert len(service.keys) == 3
    assert len(set(service.keys)) == 1


async def test_two_intentions_have_two_keys(serve):
    service, client = await serve(accepted, accepted)
    await client.submit(TRIP)
    await client.submit(TRIP)
    assert len(set(service.keys)) == 2


async def test_retry_after_is_honoured(serve):
    service, client = await serve(busy("1"), accepted)
    await client.submit(TRIP)
    assert service.times[1] - service.times[0] >= 1.0


async def test_a_refusal_is_not_repeated(serve):
    async def refuse(request):
        body = {"type": "/problems/invalid-request", "status": 400, "detail": "no", "call_id": "c1"}
        body |= {"request_id": "t1"}
        return web.json_response(body, status=400)

    service, client = await serve(refuse)
    with pytest.raises(Problem) as problem:
        await client.submit(TRIP)
    assert (problem.value.status, problem.value.facts) == (400, {"request_id": "t1"})
    assert problem.value.call_id == "c1"
    assert len(service.keys) == 1


async def test_a_possible_duplicate_names_what_it_may_be(serve):
    found = {"request_id": "t1", "duplicate_of": ["t0"], "pointer": ""}

    async def refuse(request):
        body = {"type": "/problems/possible-duplicate", "status": 409, "duplicates": [found]}
        return web.json_response(body, status=409)

    service, client = await serve(refuse)
    with pytest.raises(PossibleDuplicate) as problem:
        await client.submit(TRIP)
    assert [each.duplicate_of for each in problem.value.duplicates] == [("t0",)]
    assert len(service.keys) == 1


async def test_repeating_ends_and_says_that_the_outcome_is_unknown(serve):
    service, client = await serve(*[hang_up] * 50, timeout_s=0.3)
    with pytest.raises(Unreachable):
        await client.submit(TRIP)
    assert len(set(service.keys)) == 1


async def test_a_broken_feed_goes_on_after_the_last_event_seen(serve):
    service, client = await serve(says(1, 2, then="hang_up"), says(3), says())
    seen = []
    async for received in client.events():
        seen.append(received.position)
        if len(seen) == 3:
            break
    assert seen == ["1-0", "2-0", "3-0"]
    assert service.resumed_after[:2] == [None, "2-0"]


async def test_a_feed_that_is_cut_before_its_first_event_goes_on_where_it_began(serve):
    async def begins(request):
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": open\nid: 7-0\n\n")
        request.transport.abort()
        return response

    service, client = await serve(begins, says(8), says())
    async for received in client.events():
        assert received.position == "8-0"
        break
    assert service.resumed_after[:2] == [None, "7-0"]


async def test_a_feed_that_is_refused_ends(serve):
    async def refuse(request):
        return web.json_response({"type": "not-found"}, status=404)

    _, client = await serve(refuse)
    with pytest.raises(Problem):
        async for _ in client.events():
            pass


async def test_more_than_a_batch_is_refused_before_it_is_sent(serve):
    service, client = await serve()
    with pytest.raises(ValueError, match="1001"):
        await client.submit([TRIP] * 1001)
    assert service.keys == []
