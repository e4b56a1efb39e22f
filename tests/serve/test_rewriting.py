"""A patient who was forgotten leaves the disk when the append-only file is old enough."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path

import pytest

from contracts.codes import RequestState
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.serve import rewriting
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.serve.rewriting import HOUR_S, keep_rewriting, rewrite_if_old
from dispatcher.store.store import Store
from tests.store.conftest import RING
from tests.store.made import cancelled, forgotten, moved, received, record, trip

HOURS = 24.0


def on_disk(redis: EmbeddedRedis) -> bytes:
    """All that the folder holds of the data."""
    found = []
    for each in (redis.folder / "appendonlydir").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the server has just removed it
            found.append(each.read_bytes())
    return b"".join(found)


async def one_kept_one_forgotten(redis: EmbeddedRedis) -> tuple[bytes, bytes]:
    """What was stored of two requests, of which the second was forgotten."""
    async with Store(redis.url, RING) as store:
        market = store.market("metro")
        await market.commit([received("a"), received("b")], requests=[trip("a"), trip("b")])
        names = [market.keys.body(REQUEST_KIND, each) for each in "ab"]
        kept, gone = await store.reader.get_all(names)
        ended = moved(record("b"), RequestState.CANCELLED)
        assert (await market.commit([cancelled(record("b"))])).ok
        assert (await market.commit([forgotten(ended)])).ok
    assert kept
    assert gone
    return kept, gone


async def test_what_was_forgotten_leaves_the_disk_by_age_and_all_else_stays(tmp_path: Path) -> None:
    async with EmbeddedRedis(tmp_path) as redis:
        kept, gone = await one_kept_one_forgotten(redis)
        began_s = time.time()
        assert not await rewrite_if_old(redis, HOURS, began_s + (HOURS - 1) * HOUR_S)
        assert gone in on_disk(redis), "it was appended, and the file is not old"
        assert await rewrite_if_old(redis, HOURS, began_s + (HOURS + 1) * HOUR_S)
        assert gone not in on_disk(redis)
        assert kept in on_disk(redis)
        assert not await rewrite_if_old(redis, HOURS, began_s + (HOURS - 1) * HOUR_S), "its age begins anew"
        await redis.restart()
        async with Store(redis.url, RING) as store:
            assert await store.market("metro").requests.body("a") == trip("a", patient=None)


async def test_a_service_that_is_restarted_every_night_rewrites_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewriting, "LOOK_S", 0.01)
    redis = EmbeddedRedis(tmp_path)
    async with redis:
        _, gone = await one_kept_one_forgotten(redis)
    (base,) = (redis.folder / "appendonlydir").glob("*.base.*")
    yesterday_s = time.time() - (HOURS + 1) * HOUR_S
    os.utime(base, (yesterday_s, yesterday_s))
    keeper = asyncio.create_task(keep_rewriting(redis, HOURS))
    await asyncio.sleep(0.05)
    assert not keeper.done(), "a server that is away is waited for"
    async with redis:
        async with asyncio.timeout(30):
            while gone in on_disk(redis):
                await asyncio.sleep(0.02)
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
