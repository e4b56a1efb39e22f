"""AsyncAPI's addresses, filled in, are the keys that the service writes and a client reads and writes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import pytest

from client.streams import MatchStream, StreamReader, VendorStream
from contracts.codec import MSGPACK, decode
from contracts.codes import Role
from contracts.events import CloudEvent
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.keys import Keys
from tests.http.conftest import NOW, Api, trip
from tests.http.test_offers import offered

TIMEOUT_S = 20.0
PARAMETER = re.compile(r"\{([a-z_]+)\}")


@pytest.fixture
async def channels(api: Api) -> Mapping[str, Any]:
    """The channels of the served document, by name."""
    async with api.client.get("/asyncapi.json") as answer:
        found: Mapping[str, Any] = (await answer.json())["channels"]
        return found


def _filled(channel: Mapping[str, Any], **values: str) -> str:
    """The address as whoever has only the document fills it in: each value in the form of the example."""
    examples = {name: told["examples"][0] for name, told in channel["parameters"].items()}
    assert set(PARAMETER.findall(channel["address"])) == set(examples)
    meant = {name: _like(examples[name], values[name]) for name in examples}
    return PARAMETER.sub(lambda found: meant[found[1]], channel["address"])


def _like(example: str, value: str) -> str:
    """`{metro}` and `m1` make `{m1}`; `careful-vans` and `v1` make `v1`."""
    return re.sub(r"[a-z-]+", value, example, count=1)


async def _streams_of(api: Api) -> set[str]:
    reader = api.store.reader
    keys = [key.decode() for key in await reader.ask("KEYS", f"*{api.market}*")]
    own = [key for key in keys if re.search(rf"\b{api.market}\b", key)]
    return {key for key in own if await reader.ask("TYPE", key) in (b"stream", "stream")}


async def _types(api: Api, key: str) -> set[str]:
    """The types of the events that stand under a key."""
    entries = [dict(_pairs(fields)) for _, fields in await api.store.reader.ask("XRANGE", key, "-", "+")]
    return {decode(entry[b"ce"], CloudEvent, MSGPACK).type for entry in entries}


def _pairs(fields: Any) -> list[tuple[bytes, bytes]]:
    if isinstance(fields, dict):
        return list(fields.items())
    return list(zip(fields[::2], fields[1::2], strict=True))


async def test_each_key_that_the_service_writes_is_an_address_filled_in(
    api: Api, channels: Mapping[str, Any]
) -> None:
    offer_id = await offered(api)
    status, _ = await api.call("POST", f"/offers/{offer_id}/accept", role=Role.VENDOR, vendor="v1")
    assert status == 200
    sent = [channel for channel in channels.values() if channel is not channels["replies"]]
    keys = [_filled(channel, hash_tag=api.market, vendor="v1") for channel in sent]
    assert set(keys) == await _streams_of(api)
    for key, channel in zip(keys, sent, strict=True):
        found = await _types(api, key)
        assert found
        assert found <= set(channel["messages"])


async def test_a_client_reads_and_writes_where_the_document_says(
    api: Api, channels: Mapping[str, Any], redis_server: EmbeddedRedis
) -> None:
    offer_id = await offered(api)
    url, market, token = redis_server.url, api.market, api.token(Role.VENDOR, vendor="v1")
    async with VendorStream(url, market, "v1", token) as vendor, MatchStream(url, market) as matches:
        assert vendor.stream == _filled(channels["vendor"], hash_tag=market, vendor="v1")
        assert matches.stream == _filled(channels["matches"], hash_tag=market)
        assert await _first(vendor) == ("dispatch.offer.made", offer_id)
        await vendor.accept(offer_id, NOW)
    replies = _filled(channels["replies"], hash_tag=market, vendor="v1")
    assert await _types(api, replies) == {"dispatch.reply.accept"}
    assert replies == Keys(market).replies("v1")


async def _first(reader: StreamReader) -> tuple[str, str]:
    async with asyncio.timeout(TIMEOUT_S):
        async for entry in reader.entries():
            assert entry.event is not None
            return entry.event.type, entry.event.subject
    raise AssertionError("a feed does not end")


async def test_a_market_of_another_name_is_another_key(api: Api, channels: Mapping[str, Any]) -> None:
    await api.call("POST", "/requests", trip("r1"))
    assert await _types(api, _filled(channels["events"], hash_tag=api.market)) == {
        "dispatch.request.received"
    }
    assert await _types(api, _filled(channels["events"], hash_tag=f"{api.market}x")) == set()
