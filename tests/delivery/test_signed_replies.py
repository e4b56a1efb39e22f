"""A reply is signed for itself alone: what lies in the store's files, and in a backup, opens no door."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgpack
import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from client.streams import VendorStream
from contracts.codes import RequestState, Role
from contracts.instants import to_instant
from contracts.problems import Unauthenticated
from contracts.proofs import MAX_ITEMS, ProofReport
from dispatcher.delivery.replies import Replies
from dispatcher.delivery.reply import open_envelope
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.principal import Principal
from dispatcher.security.reply_keys import ReplyKeys
from dispatcher.security.tokens import Authenticator, claims, mint
from dispatcher.security.vault import Vault
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.store import Store
from tests.delivery.conftest import RING
from tests.delivery.test_replies import Post
from tests.domain import make
from tests.service.world import World

NOW = to_instant(make.NOW)
KEYS = ReplyKeys(Vault(RING))
TOKEN_KEYS = {"keys": [{"kty": "oct", "kid": "dev", "alg": "HS256", "k": "c2VjcmV0" * 6}]}


@pytest.fixture
async def post(world: World) -> Post:
    await world.open_with(make.vendor("v1"), make.vendor("v2"))
    await world.submit(make.trip("r1"), make.trip("r2"))
    await world.offer("r1")
    await world.offer("r2")
    return Post(world)


def accept(offer_id: str = "r1.1", **changes: Any) -> dict[str, Any]:
    """What a vendor's software writes before it signs."""
    event = {"id": "7", "source": "/vans/7", "type": "dispatch.reply.accept", "data": {"offer_id": offer_id}}
    return event | changes


def signed(event: dict[str, Any], key: str, **changes: Any) -> dict[str, Any]:
    """As docs/operations.md says, with a JWT library."""
    said = {"aud": "dispatcher-replies", "jti": event["id"]}
    said |= {name: event[name] for name in ("source", "type", "data")}
    made = jwt.encode({"alg": "HS256"}, said | changes, OctKey.import_key(key))
    return event | {"dispatchsignature": made}


async def written(post: Post, event: dict[str, Any]) -> str:
    """The state of its request after the reply was read."""
    await post.write_bytes(msgpack.packb(event))
    await post.read()
    return (await post.world.record()).state


async def refused(world: World, vendor: str = "v1") -> bool:
    return "dispatch.reply.refused" in await world.heard(world.keys.stream(vendor))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"aud": ["dispatcher-replies"]},
        {"iat": 1, "exp": make.NOW / 1000 + 60, "nbf": make.NOW / 1000 + 30},
    ],
)
async def test_a_reply_that_a_jwt_library_signed_is_taken(
    world: World, post: Post, changes: dict[str, Any]
) -> None:
    key = KEYS.current(world.market, "v1")
    assert await written(post, signed(accept(), key, **changes)) == RequestState.ACCEPTED


async def test_our_own_client_signs_by_itself(world: World, post: Post, redis_server: EmbeddedRedis) -> None:
    key = KEYS.current(world.market, "v1")
    async with VendorStream(redis_server.url, world.market, "v1", reply_key=key) as vendor:
        await vendor.accept("r1.1", NOW, reference="van 7")
    await post.read()
    assert (await world.record()).state is RequestState.ACCEPTED


@pytest.mark.parametrize(
    "changes",
    [
        {"jti": "8"},
        {"source": "/vans/8"},
        {"type": "dispatch.reply.decline"},
        {"data": {"offer_id": "r2.1"}},
        {"data": None},
        {"aud": "dispatcher"},
        {"aud": ["dispatcher-replies", "another"]},
        {"exp": make.NOW / 1000},
        {"exp": "tomorrow"},
        {"nbf": make.NOW / 1000 + 90},
    ],
)
async def test_a_signature_that_was_not_made_for_this_very_reply_is_refused(
    world: World, post: Post, changes: dict[str, Any]
) -> None:
    key = KEYS.current(world.market, "v1")
    assert await written(post, signed(accept(), key, **changes)) == RequestState.OFFERED
    assert await refused(world)


@pytest.mark.parametrize("whose", ["another vendor's", "another market's", "another ring's", "nobody's"])
async def test_a_signature_with_another_key_is_refused(world: World, post: Post, whose: str) -> None:
    others = ReplyKeys(Vault(PatientKeyFile("dev", {"dev": bytes(32)})))
    key = {
        "another vendor's": KEYS.current(world.market, "v2"),
        "another market's": KEYS.current("elsewhere", "v1"),
        "another ring's": others.current(world.market, "v1"),
        "nobody's": "x" * 43,
    }[whose]
    assert await written(post, signed(accept(), key)) == RequestState.OFFERED
    assert await refused(world)


@pytest.mark.parametrize("signature", ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "x" * 8_000])
async def test_what_is_no_signature_is_refused(world: World, post: Post, signature: str) -> None:
    assert await written(post, accept() | {"dispatchsignature": signature}) == RequestState.OFFERED
    assert await refused(world)


async def test_who_did_not_sign_is_told_that(world: World, post: Post) -> None:
    assert await written(post, accept()) == RequestState.OFFERED
    *_, entry = await world.store.streams.read(world.keys.stream("v1"))
    assert b"not signed: it has no `dispatchsignature`" in entry.event


def test_the_longest_proof_can_be_signed() -> None:
    item = {
        "item": "\U0001f6cf" * 120,
        "hcpcs": "E0250",
        "serial": "é" * 64,
        "lot": "é" * 64,
        "quantity": 10_000,
    }
    proof = {"part": "delivery", "items": [item] * MAX_ITEMS, "instruction_given": True}
    data = {"offer_id": "r1.1", "proof": msgspec.to_builtins(msgspec.convert(proof, ProofReport))}
    event = signed(accept() | {"type": "dispatch.reply.proof", "data": data}, KEYS.current("m", "v1"))
    KEYS.check("m", "v1", open_envelope(msgpack.packb(event)), make.NOW)


async def test_a_signature_is_of_no_use_on_the_stream_that_all_vendors_share(
    world: World, post: Post
) -> None:
    shared = Post(world, world.keys.shared_replies)
    event = signed(accept(), KEYS.current(world.market, "v1"))
    assert await written(shared, event | {"dispatchtoken": ""}) == RequestState.OFFERED


async def test_a_key_of_before_a_rotation_holds_as_long_as_its_ring_key_is_listed() -> None:
    old, new = bytes(32), bytes(range(32))
    before = ReplyKeys(Vault(PatientKeyFile("a", {"a": old})))
    both = ReplyKeys(Vault(PatientKeyFile("b", {"a": old, "b": new})))
    after = ReplyKeys(Vault(PatientKeyFile("b", {"b": new})))
    event = open_envelope(msgpack.packb(signed(accept(), before.current("m", "v1"))))
    both.check("m", "v1", event, make.NOW)
    assert both.current("m", "v1") == after.current("m", "v1") != before.current("m", "v1")
    with pytest.raises(Unauthenticated):
        after.check("m", "v1", event, make.NOW)


async def test_what_a_backup_holds_of_a_reply_is_worth_nothing(tmp_path: Path) -> None:
    token = mint(TOKEN_KEYS, claims(Role.VENDOR, markets=["m"], vendor_id="v1", now_ms=make.NOW, hours=9))
    verify = Authenticator(TOKEN_KEYS).verify
    async with EmbeddedRedis(tmp_path) as server, Store(server.url, RING) as store:
        world = World(store, "m")
        await world.open_with(make.vendor("v1"))
        await world.submit(make.trip("r1"), make.trip("r2"))
        await world.offer("r1")
        await world.offer("r2")
        running = asyncio.create_task(
            Replies(world.service, verify, "a", wait_s=0.05, countered=world.quoter.countered).run("m")
        )
        key = ReplyKeys(store.vault).current("m", "v1")
        async with VendorStream(server.url, "m", "v1", token, reply_key=key) as vendor:
            await vendor.accept("r1.1", NOW)
            async with asyncio.timeout(20):
                while (await world.record("r1")).state is not RequestState.ACCEPTED:
                    await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait([running], timeout=20)
    kept = b"".join(
        each.read_bytes() for each in tmp_path.rglob("*") if each.is_file() and "keys" not in each.name
    )
    assert b"dispatch.reply.accept" in kept, "the reply itself is in the file, after XDEL, too"
    assert token.encode() not in kept
    assert key.encode() not in kept
    assert isinstance(verify(token, make.NOW), Principal), "it would open the door"
