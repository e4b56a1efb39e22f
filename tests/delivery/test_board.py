"""A board is right whenever somebody looks, and does nothing while nobody does."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable

import pytest

from dispatcher.delivery import board, board_events, board_rows
from dispatcher.delivery.board import Board, Boards
from dispatcher.delivery.board_events import BoardEvents, Told
from dispatcher.delivery.board_listener import Listener
from dispatcher.delivery.board_turns import EACH_S, LONGEST_S, Turns
from dispatcher.domain.requests import RequestRecord
from dispatcher.runtime.pace import Pace
from dispatcher.service import board as service_board
from dispatcher.service.board import Places, Row
from dispatcher.store.aside import Item
from dispatcher.store.codec import encode
from dispatcher.store.events import FIELD
from dispatcher.store.streams import Streams
from tests.domain import make
from tests.service.world import World


@pytest.fixture
async def boards(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Boards]:
    """Boards that stand still as soon as nobody looks, and give way to nobody."""
    monkeypatch.setattr(board, "LOOKED_S", 0.0)
    monkeypatch.setattr(board, "BEAT_S", 0.01)
    monkeypatch.setattr(Pace, "rest_s", lambda self: 0.0)
    boards = Boards(world.clock)
    yield boards
    await boards.aclose()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[BoardEvents]:
    """Whoever was asked what happened, each time."""
    asked, read = list[BoardEvents](), BoardEvents.read

    async def counted(events: BoardEvents) -> list[Told]:
        asked.append(events)
        return await read(events)

    monkeypatch.setattr(BoardEvents, "read", counted)
    return asked


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


@contextlib.asynccontextmanager
async def looking_on(boards: Boards, world: World) -> AsyncIterator[tuple[Board, Listener]]:
    """At a board that goes on, for one listens."""
    looked_at = boards.of(world.store.market(world.market))
    with looked_at.listening() as listener:
        await asyncio.wait_for(looked_at.ready.wait(), 20)
        yield looked_at, listener


async def until_shown(looked_at: Board, listener: Listener, names: Iterable[str]) -> None:
    async with asyncio.timeout(20):
        while shown(looked_at) != dict.fromkeys(names, "received"):
            await listener.queue.get()


async def told_of(listener: Listener) -> set[str]:
    """What the next events that are told were about."""
    async with asyncio.timeout(20):
        while True:
            told = json.loads((await listener.queue.get()).removeprefix(b"data: "))
            if found := told["kinds"]:
                return {each for some in found.values() for each in some}


async def test_it_stands_still_while_nobody_looks_and_then_shows_what_happened(
    world: World, boards: Boards, asked: list[BoardEvents]
) -> None:
    await submit(world, ["r1"])
    assert await look(boards, world) == {"r1": "received"}
    asked.clear()
    await submit(world, ["r2"])
    await world.cancel(world.platform, "r1")
    await asyncio.sleep(10 * board.BEAT_S)
    assert asked == []
    assert await look(boards, world) == {"r1": "cancelled", "r2": "received"}


async def test_a_row_that_cannot_be_made_is_named_and_the_others_are_shown(
    boards: Boards, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def row_of(record: RequestRecord, places: Places) -> Row:
        if record.id == "bad":
            raise OverflowError
        return service_board.row_of(record, places)

    monkeypatch.setattr(board_rows, "row_of", row_of)
    await submit(world, ["bad", "good"])
    assert await look(boards, world) == {"good": "received"}
    assert Item("row", "bad") in world.store.aside.known(world.market)


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
    world: World, boards: Boards, asked: list[BoardEvents], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in ((board, "PAGE"), (board_events, "PAGE"), (board_events, "MOST")):
        monkeypatch.setattr(module, name, 2)
    await submit(world, ["r1"])
    await look(boards, world)
    names = [f"n{number}" for number in range(12)]
    await submit(world, names)
    asked.clear()
    assert await look(boards, world) == dict.fromkeys(["r1", *names], "received")
    assert len(asked) <= 3, "what is read again is not heard first"
    async with looking_on(boards, world) as (_, listener):
        await submit(world, ["last"])
        assert await told_of(listener) == {"last"}, "nothing of before"


async def test_who_begins_to_listen_once_it_stands_still_hears_what_happens(
    world: World, boards: Boards
) -> None:
    """To read it took so long, say, that nobody has looked lately when it is ready."""
    looked_at = boards.of(world.store.market(world.market))
    await asyncio.wait_for(looked_at.ready.wait(), 20)
    with looked_at.listening() as listener:
        await submit(world, ["r1"])
        await until_shown(looked_at, listener, ["r1"])


async def test_who_looks_on_is_shown_what_comes_under_ids_that_were_passed_by(
    world: World, boards: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a fail-over to a server that lacks the latest, and whose clock is behind."""
    monkeypatch.setattr(board, "AGAIN_S", 0.01)
    await world.store.reader.ask("XADD", world.keys.events, f"{2**50}-0", FIELD, "no event")
    async with looking_on(boards, world) as (looked_at, listener):
        await world.store.reader.ask("DEL", world.keys.events)
        await submit(world, ["r1"])
        await until_shown(looked_at, listener, ["r1"])


async def test_what_is_too_much_to_be_told_soon_waits_in_the_stream(
    world: World, boards: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "PAGE", 3)
    monkeypatch.setattr(board, "MOST_OPEN", 4)
    names, waiting, read = [f"n{number}" for number in range(12)], list[int](), BoardEvents.read
    async with looking_on(boards, world) as (looked_at, listener):

        async def counted(events: BoardEvents) -> list[Told]:
            waiting.append(len(looked_at._changed))
            return await read(events)

        monkeypatch.setattr(BoardEvents, "read", counted)
        await world.submit(*map(make.trip, names))
        await until_shown(looked_at, listener, names)
    assert max(waiting) < 4


async def test_what_happens_is_told_before_the_places_of_what_was_there(
    world: World, boards: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However seldom it has its turn."""
    for name, value in (("PAGE", 2), ("AGAIN_S", 1_000.0)):
        monkeypatch.setattr(board, name, value)
    monkeypatch.setattr(Pace, "rest_s", lambda self: 5 * board.BEAT_S)
    await submit(world, [f"n{number}" for number in range(6)])
    async with looking_on(boards, world) as (looked_at, _):
        await world.cancel(world.platform, "n0")
        async with asyncio.timeout(20):
            while shown(looked_at)["n0"] != "cancelled":
                assert len(looked_at._changed) <= board.PAGE
                await asyncio.sleep(0)
            while json.loads(looked_at.page())["partial"]:
                await asyncio.sleep(0.01)


async def test_after_a_burst_every_row_is_there(
    world: World, boards: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, most in ((board, "PAGE", 3), (board_events, "PAGE", 2), (board_events, "MOST", 4)):
        monkeypatch.setattr(module, name, most)
    await look(boards, world)
    names = [f"n{number}" for number in range(12)]
    async with looking_on(boards, world) as (looked_at, listener):
        await submit(world, names)
        await until_shown(looked_at, listener, names)


async def test_one_that_was_late_says_when_it_is_no_more_though_nothing_else_is_to_be_told(
    world: World,
) -> None:
    await submit(world, ["r1", "r2"])
    late = Board(world.store.market(world.market), world.clock)
    await late._read_all()
    await late._read(["r1", "r2"])
    with late.listening() as listener:
        late._changed.add(["r1", "r2"], asyncio.get_running_loop().time() - 9)
        late._kinds = {"dispatch.vendor.posted": {"v1": None}}
        for _ in range(3):
            await late._tell_changes([], 1)
        told = [json.loads(listener.queue.get_nowait()[6:])["late_s"] for _ in range(listener.queue.qsize())]
    assert told[0] >= 9
    assert told[1:] == [0.0]


async def test_what_happens_without_end_and_is_about_no_request_is_told_nevertheless(
    world: World, boards: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def always(events: BoardEvents) -> list[Told]:
        return [Told("dispatch.vendor.posted", f"v{n}") for n in range(3)]

    async with looking_on(boards, world) as (_, listener):
        monkeypatch.setattr(BoardEvents, "read", always)
        async with asyncio.timeout(5):
            while b"dispatch.vendor.posted" not in await listener.queue.get():
                pass


def test_the_more_happens_the_later_it_is_asked_and_told_and_so_once() -> None:
    turns = Turns()
    assert turns.may_hear(0.0)
    turns.heard(0.0, 10, nothing_waits=True)
    assert (turns.wait_s(0.0), turns.wait_s(0.03), turns.may_hear(0.03)) == (10 * EACH_S, 0.0, True)
    turns.heard(1.0, 400, nothing_waits=True)
    assert not turns.may_hear(1.79)
    assert turns.wait_s(1.5) == pytest.approx(0.3)
    turns.heard(1.81, 5_000, nothing_waits=False)
    assert turns.wait_s(1.81) == 0.0, "what waited waits no longer, however much follows it"
    assert not turns.may_hear(1.81 + LONGEST_S - 0.01)
    assert turns.may_hear(1.81 + LONGEST_S)


async def test_who_listens_is_let_go_whatever_ends_it_and_finds_another(boards: Boards, world: World) -> None:
    """Else a page shows what was, and hears that all is well."""
    async with looking_on(boards, world) as (looked_at, listener):
        assert looked_at._task is not None
        looked_at._task.cancel()
        await asyncio.gather(looked_at._task, return_exceptions=True)
        assert listener.lost
        assert boards.of(world.store.market(world.market)) is not looked_at


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
