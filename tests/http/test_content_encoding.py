"""Compressed bodies: nothing is inflated for who has no token, and for the others only within the limit."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest
from aiohttp.http_parser import DeflateBuffer

from contracts.codec import MAX_BYTES
from tests.http.conftest import Api, trip

RIDE = json.dumps(trip("r1")).encode()


def _bomb() -> bytes:
    """400 MB that are 0.4 MB on the wire, and no end: who inflated all of it would find it cut short."""
    packer = zlib.compressobj(9, wbits=31)
    first, next_ = (packer.compress(b" " * 1_000_000) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + 399 * next_


BOMB = _bomb()


async def _posted(api: Api, body: bytes, encoding: str, **headers: str) -> tuple[int, str, str]:
    sent = api.headers() | {"Content-Type": "application/json", "Content-Encoding": encoding} | headers
    async with api.client.post(f"{api.base}/requests", data=body, headers=sent) as answer:
        problem = await answer.json(content_type=None)
        return answer.status, problem.get("type", ""), answer.headers.get("Accept-Encoding", "")


async def _stored(api: Api) -> bool:
    return await api.store.market(api.market).requests.records.get("r1") is not None


async def test_nothing_is_inflated_for_who_has_no_token(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    inflated = []

    def note(self: Any, *given: Any) -> bool:
        inflated.append(given)
        return False

    monkeypatch.setattr(DeflateBuffer, "feed_data", note)
    assert (await _posted(api, BOMB, "gzip", Authorization=""))[:2] == (401, "/problems/unauthenticated")
    assert inflated == []


async def test_a_bomb_with_a_token_is_inflated_up_to_the_limit_and_no_further(api: Api) -> None:
    assert (await _posted(api, BOMB, "gzip"))[:2] == (413, "/problems/too-large")


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(RIDE)),
        ("X-GZIP", gzip.compress(RIDE)),
        ("deflate", zlib.compress(RIDE)),
        ("identity", RIDE),
    ],
)
async def test_what_is_known_is_taken(api: Api, encoding: str, body: bytes) -> None:
    assert (await _posted(api, body, encoding))[0] == 202
    assert await _stored(api)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "gzip;q=1", "rot13"])
async def test_what_is_not_known_is_refused_and_what_is_known_is_told(api: Api, encoding: str) -> None:
    told = await _posted(api, gzip.compress(RIDE), encoding)
    assert told == (415, "/problems/unsupported-media-type", "gzip, deflate, identity")
    assert not await _stored(api)


@pytest.mark.parametrize(
    "body",
    [
        RIDE,
        gzip.compress(RIDE)[:-9],
        gzip.compress(RIDE) + b"more",
        gzip.compress(RIDE) + gzip.compress(RIDE),
        gzip.compress(b""),
        b"",
    ],
    ids=["not compressed", "cut short", "bytes behind it", "twice", "of nothing", "nothing"],
)
async def test_what_cannot_be_inflated_is_malformed(api: Api, body: bytes) -> None:
    assert (await _posted(api, body, "gzip"))[:2] == (400, "/problems/malformed-body")
    assert not await _stored(api)


async def test_the_limit_is_on_what_is_inflated(api: Api) -> None:
    for size, status in ((MAX_BYTES + 1, 413), (MAX_BYTES, 202)):
        padded = gzip.compress(RIDE + b" " * (size - len(RIDE)))
        assert (await _posted(api, padded, "gzip"))[0] == status
