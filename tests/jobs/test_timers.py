"""Timers fire what is due, the longest overdue first; one that cannot be fired holds up no other."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from contracts.codes import RequestState
from contracts.instants import HOUR_MS, MINUTE_MS
from contracts.offers import Accept
from dispatcher.domain.kinds import Kind, kinds
from dispatcher.domain.refusals import Unavailable
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.tasks import TASK_KIND
from dispatcher.jobs import timers
from dispatcher.jobs.agenda import Agenda
from dispatcher.jobs.timers import Timers
from dispatcher.service.loops import TIMERS, keep_running
from tests.domain import make
from tests.service.world import World


async def test_nothing_fires_before_it_is_due(world: World) -> None:
    await world.submit(make.trip("r1", ahead_ms=HOUR_MS))
    assert await Timers(world.service).fire_due(world.market) == 0
    assert (await world.record("r1")).state is RequestState.RECEIVED


async def test_a_batch_takes_the_longest_overdue_and_the_next_the_rest(world: World) -> None:
    await world.submit(make.trip("late", ahead_ms=2 * HOUR_MS), make.trip("early", ahead_ms=HOUR_MS))
    world.clock.ms += 4 * HOUR_MS
    one_at_a_time = Timers(world.service, batch=1)
    assert await one_at_a_time.fire_due(world.market) == 1
    assert (await world.record("early")).state is RequestState.UNMATCHED
    assert (await world.record("late")).state is RequestState.RECEIVED
    await one_at_a_time.fire_due(world.market)
    assert (await world.record("late")).state is RequestState.UNMATCHED


async def test_reports_that_are_still_missing_are_told_again_in_one_commit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("r1", "r2", "r3")
    await world.open_with(make.vendor(), units=3)
    await world.submit(*(make.trip(each, ahead_ms=HOUR_MS) for each in names))
    for each in names:
        await world.offer(each)
        await world.accept(world.vendor(), f"{each}.1", Accept())
    committed = count_commits(world, monkeypatch)
    fired, told = Timers(world.service), []
    for missed in range(1, 8):
        world.clock.ms += 3 * HOUR_MS
        before = len(committed)
        await fired.fire_kind(world.market, REQUEST_KIND)
        told.append(len(committed) - before)
        records = [await world.record(each) for each in names]
        if missed <= 6:
            assert {each.offers[0].overdue for each in records} == {missed}
    assert told == [3, 1, 1, 1, 1, 1, 3], "the first opens tasks, at the last the work has failed"
    assert {each.state for each in records} == {RequestState.FAILED}
    assert (await world.heard(world.keys.events)).count("dispatch.request.overdue") == 6 * len(names)
    assert {each: len(record.tasks) for each, record in zip(names, records, strict=True)} == dict.fromkeys(
        names, 2
    )


def count_commits(world: World, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many decisions each commit of the market had, from now on."""
    stored, sizes = world.service.store.market(world.market), list[int]()
    commit = stored.commit

    async def counted(decided: Any, **others: Any) -> Any:
        sizes.append(len(decided))
        return await commit(decided, **others)

    monkeypatch.setattr(stored, "commit", counted)
    return sizes


async def test_two_processes_that_fire_the_same_have_one_effect(world: World) -> None:
    await world.submit(make.trip("r1", ahead_ms=HOUR_MS))
    world.clock.ms += 2 * HOUR_MS
    fired = await asyncio.gather(*(Timers(world.service).fire_due(world.market) for _ in range(4)))
    assert sum(fired) == 1
    assert (await world.heard(world.keys.matches)).count("dispatch.request.unmatched") == 1


async def test_one_that_cannot_be_fired_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.submit(make.trip("broken", ahead_ms=HOUR_MS), make.trip("whole", ahead_ms=HOUR_MS))
    world.clock.ms += 2 * HOUR_MS
    attempt = world.service.executor.attempt

    async def breaks(by: str, market: str, command: Any, record: Any) -> Any:
        if record.id == "broken":
            raise ZeroDivisionError
        return await attempt(by, market, command, record)

    monkeypatch.setattr(world.service.executor, "attempt", breaks)
    assert await Timers(world.service).fire_due(world.market) == 1
    assert (await world.record("whole")).state is RequestState.UNMATCHED
    assert (await world.record("broken")).state is RequestState.RECEIVED


async def test_tasks_that_are_late_at_one_moment_move_on_in_one_commit_and_one_that_cannot_stops_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.submit(*(make.trip(f"r{each}", ahead_ms=HOUR_MS) for each in range(4)))
    world.clock.ms += 2 * HOUR_MS
    timers_, stored = Timers(world.service), world.service.store.market(world.market)
    await timers_.fire_due(world.market)
    world.clock.ms += HOUR_MS
    commit, sizes = stored.commit, list[int]()

    async def counted(decisions: Any, **more: Any) -> Any:
        sizes.append(len(decisions))
        return await commit(decisions, **more)

    monkeypatch.setattr(stored, "commit", counted)
    assert await timers_.fire_kind(world.market, TASK_KIND) == 4
    assert sizes == [4]
    world.clock.ms += 4 * HOUR_MS
    attempt_all = world.service.executor.attempt_all

    async def breaks(by: str, market: str, decided_on: Any, **more: Any) -> Any:
        if any(record.id.startswith("r2.") for _, record in decided_on):
            raise ZeroDivisionError
        return await attempt_all(by, market, decided_on, **more)

    monkeypatch.setattr(world.service.executor, "attempt_all", breaks)
    assert await timers_.fire_kind(world.market, TASK_KIND) == 3
    told = [each for each in await world.heard(world.keys.events) if each == "dispatch.task.escalated"]
    assert len(told) == 7


async def test_while_a_store_is_away_no_timer_is_fired_behind_the_back_of_who_tells_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be fired once more beside it, and by many more than there are places for."""
    await world.submit(*(make.trip(f"r{each}", ahead_ms=HOUR_MS) for each in range(4)))
    world.clock.ms += 2 * HOUR_MS
    monkeypatch.setattr(timers, "AT_ONCE", 2)
    begun, over = list[str](), list[str]()

    async def away(by: str, market: str, command: Any, record: Any) -> None:
        begun.append(record.id)
        if len(begun) == 1:
            raise Unavailable("the store does not answer.")
        await asyncio.sleep(0.01)
        over.append(record.id)

    monkeypatch.setattr(world.service.executor, "attempt_while_taken", away)
    with pytest.raises(Unavailable):
        await Timers(world.service).fire_kind(world.market, REQUEST_KIND)
    assert over == begun[1:]
    assert len(begun) <= 2


async def test_a_store_that_is_away_is_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.submit(make.trip("r1", ahead_ms=MINUTE_MS))
    world.clock.ms += HOUR_MS
    monkeypatch.setattr(timers, "LOOK_EVERY_S", 0.001)
    running, due_times = Timers(world.service), world.store.market(world.market).due_times

    def away_at_first(ask: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        asked = itertools.count()

        async def answer(*given: Any) -> Any:
            if next(asked) < 2:
                raise Unavailable("the store does not answer.")
            return await ask(*given)

        return answer

    monkeypatch.setattr(running, "fire_kind", away_at_first(running.fire_kind))
    monkeypatch.setattr(due_times, "first_of", away_at_first(due_times.first_of))
    work = asyncio.create_task(running.run(world.market, REQUEST_KIND))
    async with asyncio.timeout(20):  # only timers that gave up make this wait so long
        while (await world.record("r1")).state is not RequestState.UNMATCHED:
            await asyncio.sleep(0.005)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def test_a_kind_whose_list_is_damaged_holds_up_no_other_kind(world: World) -> None:
    await world.submit(make.trip("r1", ahead_ms=MINUTE_MS))
    world.clock.ms += HOUR_MS
    for kind in kinds():
        if kind not in (REQUEST_KIND, TASK_KIND):  # one that is unmatched has its task
            await world.store.reader.ask("SET", world.keys.list(kind.timers), "x")
    running = Timers(world.service)
    works = [
        keep_running(world.store, world.market, TIMERS, partial(running.run, world.market, kind))
        for kind in kinds()
    ]
    tasks = [asyncio.create_task(each) for each in works]
    async with asyncio.timeout(20):  # only timers that gave up make this wait so long
        while (await world.record("r1")).state is not RequestState.UNMATCHED:
            await asyncio.sleep(0.005)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_all_kinds_share_one_look(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    look = world.store.reader.ask_each

    async def counted(commands: Any) -> list[Any]:
        nonlocal asked
        asked += commands[0][0] == "ZRANGE"  # tuning is read by the like of it, too
        return await look(commands)

    monkeypatch.setattr(world.store.reader, "ask_each", counted)
    stored, paused = world.store.market(world.market), list[int | None]()

    def for_long(next_ms: int | None) -> float:
        paused.append(next_ms)
        return 60.0  # only who looks without need makes this test fail, and none make it wait

    answered = list[Kind[Any]]()
    agenda = Agenda(stored.due_times, world.clock.now_ms, for_long, answered.append)
    await world.submit(make.trip("r1", ahead_ms=HOUR_MS))
    waiting = {kind: asyncio.create_task(agenda.until_due(kind)) for kind in kinds()}
    while not paused:
        await asyncio.sleep(0)
    assert asked == 1
    due_ms = (await world.record("r1")).timer_ms
    assert paused == [due_ms]
    assert answered == list(kinds())
    world.clock.ms = due_ms
    waiting[TASK_KIND].cancel()
    await asyncio.wait({waiting[TASK_KIND]})
    waiting[TASK_KIND] = asyncio.create_task(agenda.until_due(TASK_KIND))  # it has done something since
    await asyncio.wait_for(waiting[REQUEST_KIND], 20)
    assert not any(each.done() for kind, each in waiting.items() if kind is not REQUEST_KIND)
    assert asked <= 3, "one for who left, one for who came: no more"
    for each in waiting.values():
        each.cancel()
    await asyncio.wait(waiting.values())
    while agenda._looking is not None and not agenda._looking.done():
        await asyncio.sleep(0)
