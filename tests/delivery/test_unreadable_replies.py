"""Replies that cannot be read or trusted: their vendor is told where it is known, and they block nothing."""

from __future__ import annotations

import msgpack
import pytest

from contracts.codes import RequestState
from contracts.dead_letters import DeadLetterQuery
from dispatcher.delivery import reply_effects
from dispatcher.store.events import FIELD, unpack_event
from tests.delivery.test_replies import CANARY, POISON, Post, post, shared
from tests.service.world import World

__all__ = ["post", "shared"]  # fixtures


@pytest.mark.parametrize("raw", POISON)
async def test_a_poisonous_shared_entry_goes_to_the_dead_letters_with_its_id_and_blocks_nothing(
    world: World, shared: Post, raw: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    post = shared
    await post.write_bytes(raw)
    await post.write_bytes(b"\x80", field="other")
    await post.write("accept", {"offer_id": "r1.1"})
    await post.read()
    assert (await world.record()).state is RequestState.ACCEPTED
    dead = await world.store.market(world.market).dead_letters.get_all()
    first, *_ = await world.store.streams.read(post.stream)
    assert dead[0]["id"] == first.id
    assert len(dead) == 2
    assert await world.store.market(world.market).troubles.counts() == {"unreadable:reply": 2}
    output = capsys.readouterr()
    assert CANARY not in f"{dead}{output.out}{output.err}"
    assert await post.pending() == 0


@pytest.mark.parametrize("raw", POISON)
async def test_what_cannot_be_read_is_told_to_the_vendor_on_whose_stream_it_stands(
    world: World, post: Post, raw: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    await post.write_bytes(raw)
    ((name, _),) = await world.store.reader.ask("XRANGE", post.stream, "-", "+")
    await post.write("accept", {"offer_id": "r1.1"})
    await post.read()
    assert (await world.record()).state is RequestState.ACCEPTED
    told = [unpack_event(each.event) for each in await world.store.streams.read(world.keys.stream("v1"))]
    (refused,) = [each.data for each in told if each.type == "dispatch.reply.refused"]
    assert refused["entry_id"] == name.decode()
    assert refused["type"] in ("/problems/malformed-body", "/problems/invalid-message")
    assert await world.store.streams.read(post.stream) == []
    assert await world.store.market(world.market).dead_letters.get_all() == []
    output = capsys.readouterr()
    assert CANARY not in f"{output.out}{output.err}"


async def test_the_id_of_a_reply_that_cannot_be_read_is_repeated_where_it_has_one(
    world: World, post: Post
) -> None:
    await post.write_bytes(msgpack.packb({"specversion": "1.0", "id": "mine", "data": 7}))
    await post.read()
    entry = (await world.store.streams.read(world.keys.stream("v1")))[-1]
    assert unpack_event(entry.event).data["reply_id"] == "mine"


async def test_refusals_of_two_vendors_for_entries_of_the_same_id_are_both_told(
    world: World, post: Post
) -> None:
    for vendor in ("v1", "v2"):
        stream = world.keys.replies(vendor)
        await world.store.reader.ask("XADD", stream, "7-7", FIELD, b"\xc1")
        await Post(world, stream).read()
        assert (await world.heard(world.keys.stream(vendor)))[-1] == "dispatch.reply.refused"


@pytest.mark.parametrize("token", ["", "platform", "v2"])
async def test_a_reply_that_is_not_its_vendors_has_no_effect_and_the_vendor_is_told(
    world: World, post: Post, token: str
) -> None:
    await post.write("accept", {"offer_id": "r1.1"}, token=token)
    await post.read()
    assert (await world.record()).state is RequestState.OFFERED
    assert await world.heard(world.keys.stream("v1")) == ["dispatch.offer.made", "dispatch.reply.refused"]
    assert await world.heard(world.keys.stream("v2")) == []


@pytest.mark.parametrize("token", ["", "platform"])
async def test_a_shared_reply_without_a_vendors_token_is_put_aside_and_has_no_effect(
    world: World, shared: Post, token: str
) -> None:
    post = shared
    await post.write("accept", {"offer_id": "r1.1"}, token=token)
    await post.read()
    assert (await world.record()).state is RequestState.OFFERED
    assert len(await world.store.market(world.market).dead_letters.get_all()) == 1


async def test_a_reply_waits_for_a_key_to_be_mended(world: World, post: Post) -> None:
    ask, events = world.store.reader.ask, world.keys.events
    await ask("RENAME", events, f"{events}:mine")
    await ask("SET", events, "no stream")
    await post.write("accept", {"offer_id": "r1.1"})
    await post.read()
    assert (await post.pending(), (await world.record()).state) == (1, RequestState.OFFERED)
    assert "dispatch.reply.refused" not in await world.heard(world.keys.stream("v1"))
    await ask("RENAME", f"{events}:mine", events)
    await post.consumer(idle_ms=0).take_over(world.market)
    assert (await world.record()).state is RequestState.ACCEPTED


async def test_a_reply_that_we_failed_at_is_kept_and_has_its_effect_when_it_is_sent_again(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(event: object) -> None:
        raise RuntimeError("a defect of ours")

    with monkeypatch.context() as patched:
        patched.setattr(reply_effects, "command_of", broken)
        await post.write("accept", {"offer_id": "r1.1"})
        await post.read()
    letters, ops, market = world.service.dead_letters, world.ops, world.market
    (letter,) = (await letters.page(ops, market, DeadLetterQuery())).letters
    assert (letter.reason, letter.kept, await post.pending()) == ("internal", True, 0)
    await letters.send_again(ops, market, letter.id)
    await post.read()
    assert (await world.record()).state is RequestState.ACCEPTED
    assert await world.store.streams.read(post.stream) == []
