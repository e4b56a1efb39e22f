"""The client over Redis streams: nothing is skipped, not by a crash of ours and not by one of the server."""

import asyncio
import contextlib

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from redis.asyncio import Redis
from redis.exceptions import (
    AuthenticationError,
    ClusterDownError,
    MovedError,
    NoPermissionError,
    ReadOnlyError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError

from client import streams
from client.streams import VendorStream
from contracts.codes import DeclineCode
from contracts.counters import Counter
from contracts.event_types import event_type
from contracts.events import CloudEvent
from contracts.proofs import ProofPart, ProofReport
from contracts.reply_claims import claims_of
from dispatcher.serve.embedded import EmbeddedRedis
from tests.client.test_http import NOON

KEY = "k" * 43


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """What cannot be done is tried again soon: nobody waits for it here."""
    monkeypatch.setattr(streams, "AGAIN_S", 0.02)


@pytest.fixture
async def redis(redis_server):
    client = Redis.from_url(redis_server.url)
    yield client
    await client.aclose()


@pytest.fixture
def market(request):
    return f"m{abs(hash(request.node.nodeid)) % 10**12}"


async def say(redis, stream, *ids):
    for name in ids:
        event = CloudEvent(id=name, source="s", type="dispatch.offer.made", time=NOON)
        await redis.xadd(stream, {"ce": msgspec.msgpack.encode(msgspec.to_builtins(event))})


async def take(stream, number, *, acknowledge=True):
    taken = []
    async with contextlib.aclosing(stream.entries()) as entries:
        async for entry in entries:
            taken.append(entry.event.id if entry.event else None)
            if acknowledge:
                await stream.acknowledge(entry)
            if len(taken) == number:
                break
    return taken


async def test_what_a_crashed_vendor_did_not_acknowledge_is_given_again(redis, redis_server, market):
    async with VendorStream(redis_server.url, market, "v1", "t") as first:
        await say(redis, first.stream, "a", "b", "c")
        assert await take(first, 2, acknowledge=False) == ["a", "b"]
    async with VendorStream(redis_server.url, market, "v1", "t") as second:
        await say(redis, second.stream, "d")
        assert await take(second, 4) == ["a", "b", "c", "d"]


async def test_who_has_no_user_any_more_is_told_and_does_not_wait_for_ever(redis_server, market):
    """As after a new secret, or a server that was started again without an ACL file."""
    url = redis_server.url.replace("unix://", "unix://nobody:wrong@")
    async with VendorStream(url, market, "v1", reply_key=KEY) as stream:
        with pytest.raises(AuthenticationError):
            await take(stream, 1)
        with pytest.raises(AuthenticationError):
            await stream.accept("r1.1", NOON)


async def test_what_was_given_and_is_kept_no_more_is_passed_over(redis, redis_server, market):
    async with VendorStream(redis_server.url, market, "v1", "t") as first:
        await say(redis, first.stream, "a", "b")
        assert await take(first, 2, acknowledge=False) == ["a", "b"]
        await redis.xtrim(first.stream, maxlen=0)
        await say(redis, first.stream, "c")
    async with VendorStream(redis_server.url, market, "v1", "t") as second:
        assert await take(second, 3) == [None, None, "c"]


async def test_entries_written_before_the_vendor_first_came_are_not_missed(redis, redis_server, market):
    async with VendorStream(redis_server.url, market, "v1", "t") as stream:
        await say(redis, stream.stream, "a")
        assert await take(stream, 1) == ["a"]


async def test_an_unreadable_entry_does_not_stop_the_feed(redis, redis_server, market):
    async with VendorStream(redis_server.url, market, "v1", "t") as stream:
        await redis.xadd(stream.stream, {"ce": b"\xc1"})
        await redis.xadd(stream.stream, {"other": b"x"})
        await say(redis, stream.stream, "a")
        assert await take(stream, 3) == [None, None, "a"]


async def test_a_reply_is_a_cloud_event_of_a_known_type_with_the_token(redis, redis_server, market):
    async with VendorStream(redis_server.url, market, "v1", "secret") as stream:
        reply_id = await stream.decline("r1.1", DeclineCode.BAD_WEATHER, NOON)
        ((_, fields),) = await redis.xrange(stream.replies)
    event = msgspec.msgpack.decode(fields[b"ce"], type=CloudEvent)
    assert (event.id, event.subject, event.dispatchtoken) == (reply_id, "r1.1", "secret")
    assert msgspec.convert(event.data, event_type(event.type).form).code == DeclineCode.BAD_WEATHER


async def test_an_amendment_is_answered_by_its_number(redis, redis_server, market):
    async with VendorStream(redis_server.url, market, "v1", "secret") as stream:
        await stream.agree("r1.1", 1, NOON)
        await stream.refuse("r1.1", 2, NOON)
        events = [
            msgspec.msgpack.decode(fields[b"ce"], type=CloudEvent)
            for _, fields in await redis.xrange(stream.replies)
        ]
    said = [(each.type, msgspec.convert(each.data, event_type(each.type).form).amendment) for each in events]
    assert said == [("dispatch.reply.agree", 1), ("dispatch.reply.refuse", 2)]


async def test_a_counter_offer_says_what_would_be_otherwise(redis, redis_server, market):
    wanted = Counter(start_at=NOON, price_cents=5_200)
    async with VendorStream(redis_server.url, market, "v1", "secret") as stream:
        await stream.counter("r1.1", wanted, NOON)
        ((_, fields),) = await redis.xrange(stream.replies)
    event = msgspec.msgpack.decode(fields[b"ce"], type=CloudEvent)
    assert event.type == "dispatch.reply.counter"
    assert msgspec.convert(event.data, event_type(event.type).form).counter == wanted


async def test_a_reply_with_a_reply_key_carries_a_signature_of_itself_and_no_token(
    redis, redis_server, market
):
    async with VendorStream(redis_server.url, market, "v1", reply_key=KEY) as stream:
        await stream.decline("r1.1", DeclineCode.BAD_WEATHER, NOON)
        ((_, fields),) = await redis.xrange(stream.replies)
    event = msgspec.msgpack.decode(fields[b"ce"], type=CloudEvent)
    assert event.dispatchtoken == ""
    said = jwt.decode(event.dispatchsignature, OctKey.import_key(KEY), algorithms=["HS256"]).claims
    assert said == claims_of(event)
    assert said["data"] == {"offer_id": "r1.1", "code": "BAD_WEATHER"}


async def test_a_feed_outlives_a_crash_of_the_server(tmp_path):
    async with EmbeddedRedis(tmp_path) as server, VendorStream(server.url, "metro", "v1", "t") as stream:
        redis = Redis.from_url(server.url)
        await say(redis, stream.stream, "a")
        taking = asyncio.create_task(take(stream, 2))
        await asyncio.sleep(0.1)
        await server.restart()
        await say(redis, stream.stream, "b")
        assert await asyncio.wait_for(taking, 30) == ["a", "b"]
        await redis.aclose()


SAID = {
    "READONLY": ReadOnlyError("You can't write against a read only replica."),
    "UNBLOCKED": ResponseError("UNBLOCKED force unblock from blocking operation, instance state changed"),
    "NOGROUP": ResponseError("NOGROUP No such key or consumer group"),
    "MOVED": MovedError("42 127.0.0.1:1"),
    "CLUSTERDOWN": ClusterDownError("The cluster is down"),
    "MISCONF": ResponseError("MISCONF Valkey is configured to save RDB snapshots"),
    "connection lost": RedisConnectionError("gone"),
}


@pytest.fixture
def failing(monkeypatch):
    """Makes a client's next calls of a command fail as told."""

    def arrange(stream, command, *errors):
        left, execute = list(errors), stream.redis.execute_command

        async def sometimes(*words, **more):
            if words[0] == command and left:
                raise left.pop(0)
            return await execute(*words, **more)

        monkeypatch.setattr(stream.redis, "execute_command", sometimes)
        return left

    return arrange


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("command", ["XREADGROUP", "XACK", "XGROUP CREATE"])
async def test_what_a_server_says_in_a_fail_over_is_waited_out(
    redis, redis_server, market, failing, said, command
):
    async with VendorStream(redis_server.url, market, "v1", "t") as stream:
        left = failing(stream, command, SAID[said], SAID[said])
        await say(redis, stream.stream, "a", "b")
        assert await asyncio.wait_for(take(stream, 2), 30) == ["a", "b"]
        assert left == []
        assert (await redis.xpending(stream.stream, stream.group))["pending"] == 0


@pytest.mark.parametrize("said", SAID)
async def test_a_reply_is_sent_again_until_it_is_taken(redis, redis_server, market, failing, said):
    async with VendorStream(redis_server.url, market, "v1", "t") as stream:
        failing(stream, "XADD", SAID[said], SAID[said])
        await stream.decline("r1.1", DeclineCode.BAD_WEATHER, NOON)
        assert await redis.xlen(stream.replies) == 1


@pytest.mark.parametrize("command", ["XREADGROUP", "XACK", "XADD"])
async def test_what_will_not_pass_is_raised(redis, redis_server, market, failing, command):
    async with VendorStream(redis_server.url, market, "v1", "t") as stream:
        failing(stream, command, NoPermissionError("NOPERM no rights"))
        await say(redis, stream.stream, "a")
        with pytest.raises(NoPermissionError):
            await take(stream, 1)
            await stream.decline("r1.1", DeclineCode.BAD_WEATHER, NOON)


async def test_a_group_that_was_destroyed_is_made_again(redis, redis_server, market):
    async with VendorStream(redis_server.url, market, "v1", "t") as stream:
        await say(redis, stream.stream, "a")
        assert await take(stream, 1) == ["a"]
        taking = asyncio.create_task(take(stream, 2))
        await asyncio.sleep(0.1)
        await redis.xgroup_destroy(stream.stream, stream.group)
        await say(redis, stream.stream, "b")
        assert await asyncio.wait_for(taking, 30) == ["a", "b"]  # at least once


async def test_a_feed_outlives_a_server_that_is_a_replica_for_a_while(tmp_path):
    async with EmbeddedRedis(tmp_path) as server, VendorStream(server.url, "metro", "v1", "t") as stream:
        redis = Redis.from_url(server.url)
        await say(redis, stream.stream, "a")
        assert await take(stream, 1) == ["a"]
        taking = asyncio.create_task(take(stream, 1))
        await asyncio.sleep(0.1)
        await redis.execute_command("REPLICAOF", "127.0.0.1", "1")
        replying = asyncio.create_task(stream.decline("r1.1", DeclineCode.BAD_WEATHER, NOON))
        await asyncio.sleep(0.5)
        assert not taking.done()
        assert not replying.done()
        await redis.execute_command("REPLICAOF", "NO", "ONE")
        await say(redis, stream.stream, "b")
        assert await asyncio.wait_for(taking, 30) == ["b"]
        await asyncio.wait_for(replying, 30)
        assert await redis.xlen(stream.replies) == 1
        await redis.aclose()


async def test_an_acknowledgement_waits_for_a_server_that_is_away(tmp_path):
    async with EmbeddedRedis(tmp_path) as server, VendorStream(server.url, "metro", "v1", "t") as stream:
        redis = Redis.from_url(server.url)
        await say(redis, stream.stream, "a")
        async with contextlib.aclosing(stream.entries()) as entries:
            entry = await anext(entries)
        server.kill()
        acknowledging = asyncio.create_task(stream.acknowledge(entry))
        await asyncio.sleep(0.3)
        assert not acknowledging.done()
        await server.restart()
        await asyncio.wait_for(acknowledging, 30)
        assert (await redis.xpending(stream.stream, stream.group))["pending"] == 0
        await redis.aclose()


async def test_who_was_told_another_address_goes_there_and_comes_back_from_a_dead_one(market):
    async with VendorStream("redis://127.0.0.1:1234/0", market, "v1", "t") as stream:
        await stream._wait_out(MovedError("42 127.0.0.1:4321"))
        assert place(stream) == ("127.0.0.1", 4321)
        await stream._wait_out(RedisConnectionError("gone"))
        assert place(stream) == ("127.0.0.1", 1234)


async def test_who_was_told_several_servers_of_a_cluster_asks_each_in_turn(market):
    url = "redis+cluster://me:secret@127.0.0.1:1234,[::1]:1235"
    async with VendorStream(url, market, "v1", "t") as stream:
        told = []
        for _ in range(3):
            told.append(place(stream))
            assert stream.redis.connection_pool.connection_kwargs["password"] == "secret"
            await stream._wait_out(RedisConnectionError("gone"))
    assert told == [("127.0.0.1", 1234), ("::1", 1235), ("127.0.0.1", 1234)]
    with pytest.raises(ValueError, match="no host"):
        VendorStream("redis+cluster://:7000", market, "v1", "t")


def place(stream):
    known = stream.redis.connection_pool.connection_kwargs
    return known["host"], known["port"]


async def test_who_is_told_to_end_ends_though_the_telling_was_swallowed(redis_server, market, monkeypatch):
    asked = asyncio.Event()

    async def swallows(*words, **more):  # as `asyncio.wait_for` does where the answer comes at that moment
        asked.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return []

    async with VendorStream(redis_server.url, market, "v1", "t") as stream:
        monkeypatch.setattr(stream.redis, "xreadgroup", swallows)
        listening = asyncio.create_task(take(stream, 1))
        await asked.wait()
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening


async def test_a_proof_says_what_was_done(redis, redis_server, market):
    report = ProofReport(part=ProofPart.DROPOFF, odometer_miles=12.5)
    async with VendorStream(redis_server.url, market, "v1", "secret") as stream:
        await stream.prove("r1.1", report, NOON)
        ((_, fields),) = await redis.xrange(stream.replies)
    event = msgspec.msgpack.decode(fields[b"ce"], type=CloudEvent)
    assert event.type == "dispatch.reply.proof"
    assert msgspec.convert(event.data, event_type(event.type).form).proof == report
