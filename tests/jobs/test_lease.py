"""Of several processes that do a market's jobs, one does what only one may."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from dispatcher.jobs import lease
from dispatcher.jobs.lease import keep_lease
from dispatcher.store.agreement import Agreement
from tests.service.world import World

LIMIT_S = 60.0  # for what must come; nothing here is judged by it


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEW_EVERY_S", 0.01)


async def _until(world: World, owner: str | None) -> None:
    part = world.store.market(world.market).jobs_lease
    async with asyncio.timeout(LIMIT_S):
        while await part.owner() != owner:
            await asyncio.sleep(0.005)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.mark.usefixtures("soon")
async def test_one_has_it_and_the_other_once_that_one_ends(world: World) -> None:
    first = asyncio.create_task(keep_lease(world.store, world.market, "first"))
    await _until(world, "first")
    second = asyncio.create_task(keep_lease(world.store, world.market, "second"))
    try:
        await asyncio.sleep(0.05)
        await _until(world, "first")
        await _end(first)
        await _until(world, "second")
    finally:
        await _end(first)
        await _end(second)
    await _until(world, None)


@pytest.mark.usefixtures("soon")
async def test_nobody_has_it_while_a_matcher_does_the_jobs_itself(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = {"jobs", "matcher"}
    monkeypatch.setattr(Agreement, "roles", lambda self, market: frozenset(running))
    keeping = asyncio.create_task(keep_lease(world.store, world.market, "jobs"))
    try:
        await asyncio.sleep(0.05)
        assert await world.store.market(world.market).jobs_lease.owner() is None
        running.discard("matcher")
        await _until(world, "jobs")
        running.add("matcher")
        await _until(world, None)
    finally:
        await _end(keeping)
