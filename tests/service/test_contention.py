"""Who lost a race for a record goes one by one, waits for nobody for ever, and leaves nothing behind."""

from __future__ import annotations

import asyncio

import pytest

from dispatcher.service import contention
from dispatcher.service.contention import Contention


async def test_they_go_one_by_one_each_record_by_itself() -> None:
    race, at_work, most = Contention(), 0, 0

    async def turn(subject: str) -> None:
        nonlocal at_work, most
        async with race.of("metro", subject):
            at_work += subject == "r1"
            most = max(most, at_work)
            await asyncio.sleep(0)
            at_work -= subject == "r1"

    await asyncio.gather(*(turn(each) for each in ["r1"] * 9 + ["r2"]))
    assert most == 1
    assert not race._locks
    assert not race._waiting


async def test_who_waits_too_long_goes_on_and_one_that_is_cancelled_holds_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(contention, "LONGEST_S", 0.001)
    race, gone = Contention(), asyncio.Event()

    async def stays() -> None:
        async with race.of("metro", "r1"):
            await gone.wait()

    first = asyncio.create_task(stays())
    await asyncio.sleep(0)
    async with race.of("metro", "r1"):
        pass
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    async with race.of("metro", "r1"):
        assert race._locks
    assert not race._locks


async def test_who_comes_while_others_wait_waits_behind_them_and_loses_none_a_round() -> None:
    race, order = Contention(), list[str]()

    async def goes(name: str, lost: int) -> None:
        async with race.turn("metro", "r1") as turn:
            await turn.come(lost)
            await asyncio.sleep(0)
            order.append(name)
            await turn.come(lost + 1)  # the same turn: it does not wait for itself

    await asyncio.gather(goes("lost", 1), goes("lost too", 1), goes("new", 0))
    assert order == ["lost", "lost too", "new"]
    await asyncio.gather(goes("alone", 0))
    assert not race.is_raced_for(("metro", "r1"))
