"""Every envelope that CloudEvents 1.0 calls legal is taken; an event is known by its source and id."""

from __future__ import annotations

from typing import Any

import msgpack
import msgspec
import pytest

from contracts.codec import MSGPACK, convert, decode
from contracts.codes import RequestState
from contracts.events import CloudEvent
from dispatcher.runtime import traces
from tests.delivery.test_replies import Post
from tests.domain import make
from tests.service.world import World
from tests.traced import tracing

LEAST = {"specversion": "1.0", "id": "1", "source": "/vans/7", "type": "dispatch.reply.accept"}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
async def post(world: World) -> Post:
    await world.open_with(make.vendor("v1"))
    await world.submit(make.trip("r1"), make.trip("r2"))
    await world.offer("r1")
    await world.offer("r2")
    return Post(world)


def event(offer_id: str, **changes: Any) -> bytes:
    members = LEAST | {"data": {"offer_id": offer_id}, "dispatchtoken": "v1"} | changes
    raw: bytes = msgpack.packb(members)
    return raw


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"traceparent": TRACE, "tracestate": "rojo=1"},
        {"traceparent": 7},
        {"dataschema": "https://vans.example/reply/1.json"},
        {"time": "2026-03-02T10:00:00.123456789Z"},
        {"time": None, "subject": None, "dataschema": None, "datacontenttype": None},
        {"sequence": "7", "partitionkey": "r1", "sampledrate": 1, "dryrun": False},
        {"datacontenttype": "application/json; charset=utf-8"},
        {"source": "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66", "id": "é" * 200},
        {"source": "https://vans.example/" + "x" * 900},
        {"subject": "a van's own idea of what it is about" * 5},
    ],
)
async def test_a_legal_envelope_is_taken(world: World, post: Post, changes: dict[str, Any]) -> None:
    await post.write_bytes(event("r1.1", **changes))
    await post.read()
    assert (await world.record("r1")).state is RequestState.ACCEPTED


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"source": None},
        {"type": None},
        {"id": ""},
        {"source": ""},
        {"specversion": "0.3"},
        {"time": 7},
    ],
)
async def test_an_envelope_that_is_not_legal_is_told(
    world: World, post: Post, changes: dict[str, Any]
) -> None:
    await post.write_bytes(event("r1.1", **changes))
    await post.read()
    assert (await world.heard(world.keys.stream("v1")))[-1] == "dispatch.reply.refused"
    assert (await world.record("r1")).state is RequestState.OFFERED


async def test_a_reply_that_repeats_its_offers_trace_is_seen_in_it(world: World, post: Post) -> None:
    with tracing() as spans:
        await post.write_bytes(event("r1.1", traceparent=TRACE))
        await post.read()
    reply, accept = spans.named("reply"), spans.named("AcceptOffer")
    assert traces.shown(traces.read(TRACE))[3:35] == f"{reply.context.trace_id:032x}"
    assert accept.parent.span_id == reply.context.span_id


async def test_what_a_refusal_repeats_can_be_read_again(world: World, post: Post) -> None:
    await post.write_bytes(event("x" * 5_000, id="y" * 256))
    await post.read()
    last = (await world.store.streams.read(world.keys.stream("v1")))[-1]
    assert decode(last.event, CloudEvent, MSGPACK).type == "dispatch.reply.refused"


async def test_events_of_two_sources_may_have_the_same_id(world: World, post: Post) -> None:
    await post.write_bytes(event("r1.1", source="/vans/7"))
    await post.write_bytes(event("r2.1", source="/vans/8"))
    await post.read()
    assert (await world.record("r1")).state is RequestState.ACCEPTED
    assert (await world.record("r2")).state is RequestState.ACCEPTED


async def test_an_id_of_one_source_with_another_body_is_refused(world: World, post: Post) -> None:
    await post.write_bytes(event("r1.1"))
    await post.write_bytes(event("r2.1"))
    await post.read()
    states = [(await world.record(each)).state for each in ("r1", "r2")]
    assert sorted(states) == [RequestState.ACCEPTED, RequestState.OFFERED]
    assert "dispatch.reply.refused" in await world.heard(world.keys.stream("v1"))


async def test_order_is_kept_by_the_offer_however_its_events_name_their_subject(
    world: World, post: Post
) -> None:
    await post.write_bytes(event("r1.1", id="1", subject="r1.1"))
    first, second = post.consumer("a"), post.consumer("b")
    given = await post.given(first)
    report = {"type": "dispatch.reply.status", "data": {"offer_id": "r1.1", "status": "en_route"}}
    await post.write_bytes(event("r1.1", id="2", **report))
    reported = await post.given(second)
    await second.take(world.market, reported)
    await first.take(world.market, given)
    await second.take(world.market, reported)
    assert (await world.record("r1")).state is RequestState.IN_PROGRESS
    assert "dispatch.reply.refused" not in await world.heard(world.keys.stream("v1"))


def test_a_client_takes_attributes_of_a_later_version_too() -> None:
    assert convert(LEAST | {"later": "x"}, CloudEvent).time is None


def test_every_envelope_of_ours_names_its_version() -> None:
    """CloudEvents demands `specversion`: a gap, a test call, a reply of our client had none."""
    event = CloudEvent(id="1", source="/vans/7", type="dispatch.reply.accept")
    for told in (msgspec.to_builtins(event), msgspec.json.decode(msgspec.json.encode(event))):
        assert told == LEAST
