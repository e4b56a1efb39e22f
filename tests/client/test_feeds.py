"""A feed over any connection: no bytes break the reader, nothing is skipped in silence."""

import asyncio
import contextlib
import datetime as dt
import itertools
from email.utils import format_datetime

import msgspec
import pytest
from aiohttp import web

from client import sse
from client.errors import ClientError, UnexpectedAnswer
from client.event_stream import blocks
from client.pauses import pauses, retry_after_s
from client.platform import PlatformClient
from contracts.events import CloudEvent
from tests.client.hostile import RIDE
from tests.client.test_http import NOON


def event(number):
    made = CloudEvent(id=f"e{number}", source="s", type="dispatch.request.changed", time=NOON)
    return b"id: %d-0\ndata: %s\n\n" % (number, msgspec.json.encode(made))


class Feed:
    """Each call of the feed gets the next of the planned answers; the last one again and again."""

    def __init__(self, *planned, media=sse.SSE, status=200, headers=None):
        self.planned, self.media, self.status, self.headers = list(planned), media, status, headers or {}
        self.after, self.times = [], []

    async def answer(self, request):
        if not request.path.endswith("/events"):
            receipts = {"requests": [{"id": "r1", "href": "/"}]}
            return web.json_response(receipts, status=202)
        self.after.append(request.headers.get("Last-Event-ID"))
        self.times.append(asyncio.get_running_loop().time())
        if self.status != 200:
            return web.Response(status=self.status, headers=self.headers)
        response = web.StreamResponse(headers={"Content-Type": self.media})
        await response.prepare(request)
        for part in self.planned.pop(0) if len(self.planned) > 1 else self.planned[0]:
            if part is None:
                await asyncio.sleep(60)
            await response.write(part)
        return response


@pytest.fixture
async def heard(aiohttp_raw_server):
    @contextlib.asynccontextmanager
    async def listen(feed):
        server = await aiohttp_raw_server(feed.answer)
        async with PlatformClient(str(server.make_url("/")), "token", "metro") as client:
            yield client

    return listen


async def take(client, number, after=""):
    async with contextlib.aclosing(client.events(after)) as events, asyncio.timeout(20):
        return [received.position async for _, received in _up_to(events, number)]


async def _up_to(events, number):
    for count in range(number):
        yield count, await anext(events)


NONSENSE = {
    "no JSON": b"id: 2-0\ndata: {half\n\n",
    "no event": b'id: 2-0\ndata: {"a":1}\n\n',
    "no UTF-8": b'id: 2-0\ndata: "\xff\xfe"\n\n',
    "no field": b"\xff\xfe\xfd\nid: 2-0\ndata: 1\n\n",
    "deep": b"id: 2-0\ndata: " + b"[" * 100_000 + b"\n\n",
    "a long line": b"id: 2-0\ndata: " + b"x" * 1_000_000 + b"\n\n",
}


@pytest.mark.parametrize("name", NONSENSE)
async def test_what_cannot_be_read_is_counted_and_passed_over(heard, name):
    feed = Feed([event(1), NONSENSE[name]], [event(3), None])
    async with heard(feed) as client:
        assert await take(client, 2) == ["1-0", "3-0"]
        assert client.unreadable == 1
    assert feed.after == [None, "2-0"]


async def test_a_line_without_end_is_an_error_of_ours(heard, monkeypatch):
    monkeypatch.setattr("client.event_stream.MOST_BYTES", 100_000)
    for endless in ([b"x" * 200_000, None], [b"data: x\n"] * 20_000):
        async with heard(Feed(endless)) as client:
            with pytest.raises(UnexpectedAnswer, match="100,000"):
                await take(client, 1)


async def test_a_place_without_an_event_is_where_the_feed_goes_on(heard):
    feed = Feed([b": open\nid: 7-0\n\n"], [b'id: 8-0\ndata: {"cut'], [b"data: 1\n\n", event(9), None])
    async with heard(feed) as client:
        assert await take(client, 1, after="5-0") == ["9-0"]
    assert feed.after == ["5-0", "7-0", "7-0"]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("text", ["200", "date"])
async def test_retry_after_is_honoured_by_a_feed(heard, monkeypatch, status, text):
    feed = Feed([], status=status, headers={"Retry-After": "200" if text == "200" else _in_four_minutes()})
    (wait, *_) = await _pauses(heard, monkeypatch, feed, 1)
    assert 200 <= wait <= 240, "so long it waits before it asks again"


def _in_four_minutes():
    return format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=4), usegmt=True)


async def _pauses(heard, monkeypatch, feed, count):
    """The first so many that a client would make before it asks again; here they are over at once."""
    waits = []

    async def sleep(seconds, wait=asyncio.sleep):
        waits.append(seconds)
        await wait(0)

    async with heard(feed) as client:
        monkeypatch.setattr("client.sse.asyncio.sleep", sleep)
        listening = asyncio.ensure_future(take(client, 1))
        while len(waits) < count:
            await asyncio.wait([listening], timeout=0.01)
        listening.cancel()
    return waits


async def test_a_feed_that_breaks_at_once_is_asked_for_after_ever_longer_pauses(heard, monkeypatch):
    waits = await _pauses(heard, monkeypatch, Feed([b": open\n\n"]), 12)
    assert waits[5] > waits[0]
    assert all(sse.LONGEST_PAUSE_S / 2 <= wait <= sse.LONGEST_PAUSE_S for wait in waits[6:12])
    assert len(set(waits[6:12])) > 1  # not everybody at once


async def test_a_feed_that_worked_comes_back_soon(heard):
    feed = Feed(*([event(number)] for number in range(1, 6)))
    async with heard(feed) as client:
        assert await take(client, 5) == ["1-0", "2-0", "3-0", "4-0", "5-0"]
    assert all(later - earlier < 1.0 for earlier, later in itertools.pairwise(feed.times))


@pytest.mark.parametrize("media", ["text/html", "application/json", ""])
async def test_200_of_another_kind_is_no_feed(heard, media):
    async with heard(Feed([event(1)], media=media or "text/plain")) as client:
        with pytest.raises(ClientError):
            await take(client, 1)


async def test_feeds_take_no_connection_that_calls_need(heard):
    feed = Feed([b": open\n\n", None])
    async with heard(feed) as client:
        client.timeout_s = 5.0
        listening = [asyncio.ensure_future(take(client, 1)) for _ in range(120)]
        while len(feed.after) < 120:
            await asyncio.sleep(0.05)
        assert await client.submit(RIDE) == ["r1"]
        for each in listening:
            each.cancel()
        await asyncio.gather(*listening, return_exceptions=True)


class Chunks:
    def __init__(self, *chunks):
        self.chunks = chunks

    async def iter_any(self):
        for each in self.chunks:
            yield each


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("size", [1, 2, 7, 1_000])
async def test_lines_end_as_the_standard_says_however_they_are_cut(end, size):
    told = b"\xef\xbb\xbf: open\n\nid: 1-0\nevent: x\ndata: a\ndata:  b\ndata:c\n\n"
    told += b"id: bad\0\ndata\n\nid: cut\ndata: x"
    text = told.replace(b"\n", end)
    chunks = Chunks(*(text[at : at + size] for at in range(0, len(text), size)))
    assert [tuple(each) async for each in blocks(chunks, "GET /events")] == [
        ("1-0", b"a\n b\nc"),
        ("", b""),
    ]


def test_pauses_grow_to_their_limit_and_differ():
    drawn = list(itertools.islice(pauses(0.1, 1.0), 20))
    assert all(
        0.5 * limit <= wait <= limit for wait, limit in zip(drawn, [0.1, 0.2, 0.4, 0.8, 1.0], strict=False)
    )
    assert len(set(drawn[4:])) > 1
    assert max(drawn) <= 1.0


@pytest.mark.parametrize(
    "text", ["", "soon", "-1", "1.5", "٣", "nan", "Tue, 99 Foo 2026", "Mon, 01 Jan 1990 00:00:00 GMT"]
)
def test_nonsense_in_retry_after_counts_as_none(text):
    assert retry_after_s({"Retry-After": text}) == 0.0
