"""A board is right whenever somebody looks, and does nothing while nobody does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable

import pytest

from dispatcher.delivery import board, board_events
from dispatcher.delivery.board import Board, Boards
from dispatcher.delivery.board_events import BoardEvents, Told
from dispatcher.store.codec import encode
from dispatcher.store.events import FIELD
from dispatcher.store.streams import Streams
from tests.domain import make
from tests.service.world import World


@pytest.fixture
async def boards(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Boards]:
    """Boards that stand still as soon as nobody looks."""
    monkeypatch.setattr(board, "LOOKED_S", 0.0)
    monkeypatch.setattr(board, "BEAT_S", 0.01)
    boards = Boards(world.clock)
    yield boards
    await boards.aclose()


def shown(looked_at: Board) -> dict[str, str]:
    """The state of each request, as a page reads it."""
    page = json.loads(looked_at.page())
    named = [dict(zip(page["columns"], row, strict=True)) for row in page["rows"]]
    return {row["id"]: row["state"] for row in named}


async def look(boards: Boards, world: World) -> dict[str, str]:
    looked_at = boards.of(world.store.market(world.market))
    await asyncio.wait_for(looked_at.ready.wait(), 20)
    return shown(looked_at)


async def submit(world: World, names: Iterable[str]) -> None:
    for each in names:
        await world.submit(make.trip(each), key=each, body=each.encode())


async def test_it_stands_still_while_nobody_looks_and_then_shows_what_happened(
    world: World, boards: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, read = list[BoardEvents](), BoardEvents.read

    async def counted(events: BoardEvents) -> list[Told]:
        asked.append(events)
        return await read(events)

    monkeypatch.setattr(BoardEvents, "read", counted)
    await submit(world, ["r1"])
    assert await look(boards, world) == {"r1": "received"}
    asked.clear()
    await submit(world, ["r2"])
    await world.cancel(world.platform, "r1")
    await asyncio.sleep(10 * board.BEAT_S)
    assert asked == []
    assert await look(boards, world) == {"r1": "cancelled", "r2": "received"}


async def test_all_is_read_again_where_what_happened_can_no_longer_be_read(
    world: World, boards: Boards
) -> None:
    await submit(world, ["r1"])
    await look(boards, world)
    await submit(world, ["r2"])
    await world.cancel(world.platform, "r1")
    for stream in (world.keys.events, world.keys.matches):
        await world.store.reader.ask("XTRIM", stream, "MAXLEN", 0)
    assert await look(boards, world) == {"r1": "cancelled", "r2": "received"}


async def test_where_more_has_changed_than_there_are_rows_all_is_read_again(
    world: World, boards: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "PAGE", 2)
    await submit(world, ["r1"])
    await look(boards, world)
    names = [f"n{number}" for number in range(4)]
    await submit(world, names)
    assert await look(boards, world) == dict.fromkeys(["r1", *names], "received")


async def test_after_a_burst_every_row_is_there(
    world: World, boards: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, most in ((board, "PAGE", 3), (board_events, "PAGE", 2), (board_events, "MOST", 4)):
        monkeypatch.setattr(module, name, most)
    await look(boards, world)
    names = [f"n{number}" for number in range(12)]
    looked_at = boards.of(world.store.market(world.market))
    with looked_at.listening() as listener:
        await submit(world, names)
        async with asyncio.timeout(20):
            while shown(looked_at) != dict.fromkeys(names, "received"):
                await listener.queue.get()


async def test_one_that_nobody_has_looked_at_for_long_goes_with_its_rows(
    world: World, boards: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "IDLE_S", 0.05)
    await submit(world, ["r1"])
    await look(boards, world)
    gone = boards.of(world.store.market(world.market))
    async with asyncio.timeout(20):
        while not gone.has_ended:
            await asyncio.sleep(0.01)
    assert gone.rows == {}
    assert await look(boards, world) == {"r1": "received"}


async def test_events_are_told_once_from_both_streams_page_by_page(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_events, "PAGE", 2)
    events = BoardEvents(Streams(world.store.reader), world.keys)
    offered = {"type": "dispatch.offer.made", "subject": "r1/1", "data": {"request_id": "r1"}}
    changed = {"type": "dispatch.request.changed", "subject": "r2"}
    task = {"type": "dispatch.task.opened", "subject": "t1"}
    said = [offered, changed, task, changed, offered]
    await world.store.reader.ask("XADD", world.keys.events, "*", FIELD, encode(task))
    await events.begin()
    for stream in (world.keys.events, world.keys.matches):
        await world.store.reader.ask("XADD", stream, "*", FIELD, "no event")
        for each in said:
            await world.store.reader.ask("XADD", stream, "*", FIELD, encode(each))
    told = sorted((each.type, each.request_id) for each in await events.read())
    assert told == (
        4 * [("dispatch.offer.made", "r1")]
        + 4 * [("dispatch.request.changed", "r2")]
        + 2 * [("dispatch.task.opened", "")]
    )
    assert await events.read() == []
