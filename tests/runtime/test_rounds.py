"""Tasks that go on one in each round leave the loop to others in between."""

from __future__ import annotations

import asyncio
import sys
import threading
from functools import partial
from itertools import pairwise

import pytest

from dispatcher.runtime.rounds import (
    FEW,
    SWITCH_S,
    Rounds,
    beside_if_many,
    few_at_once,
    in_parts,
    parts,
    share_threads,
    together,
)


async def test_others_have_their_turn_between_two() -> None:
    rounds, seen = Rounds(), list[str]()

    async def one(name: str) -> None:
        await rounds.next()
        seen.append(name)

    async def other() -> None:
        while len(seen) < 7:
            seen.append("-")
            await asyncio.sleep(0)

    await asyncio.gather(one("a"), one("b"), one("c"), other())
    told = "".join(seen)
    assert "".join(each for each in told if each != "-") == "abc"
    assert not any(pair in told for pair in ("ab", "bc"))


async def test_nobody_goes_on_before_it_is_calm() -> None:
    rounds, calm, seen = Rounds(), asyncio.Event(), list[int]()

    async def one(number: int) -> None:
        await rounds.next(calm)
        seen.append(number)

    tasks = [asyncio.create_task(one(each)) for each in range(3)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert seen == []
    calm.set()
    await asyncio.gather(*tasks)
    assert seen == [0, 1, 2]


async def test_one_begins_no_sooner_after_the_one_before_it_than_was_asked() -> None:
    rounds, began_s, now_s = Rounds(), list[float](), asyncio.get_running_loop().time

    async def one() -> None:
        await rounds.next(rest_s=0.01)
        began_s.append(now_s())

    await asyncio.gather(*(one() for _ in range(3)))
    tick_s = 0.001  # of timers
    assert all(later - before >= 0.01 - tick_s for before, later in pairwise(began_s))


def test_threads_hand_over_soon() -> None:
    before = sys.getswitchinterval()
    try:
        share_threads()
        assert abs(sys.getswitchinterval() - SWITCH_S) < 1e-9
    finally:
        sys.setswitchinterval(before)


async def test_what_is_long_runs_in_a_thread_and_what_is_short_here() -> None:
    assert await beside_if_many(FEW, threading.get_ident) == threading.get_ident()
    assert await beside_if_many(FEW + 1, threading.get_ident) != threading.get_ident()


async def test_the_first_error_of_some_tasks_ends_the_others_and_is_raised_by_itself() -> None:
    others = list[asyncio.Task[None]]()

    async def fails() -> None:
        raise LookupError("the first")

    with pytest.raises(LookupError, match="the first"):
        async with together() as group:
            others.append(group.create_task(asyncio.sleep(3_600)))
            group.create_task(fails())
    assert others[0].cancelled()


def test_many_come_in_parts_and_in_their_order() -> None:
    many = list(range(2 * FEW + 1))
    found = [list(each) for each in parts(many)]
    assert [len(each) for each in found] == [FEW, FEW, 1]
    assert [each for some in found for each in some] == many


async def test_of_a_few_at_once_none_goes_on_behind_the_back_of_who_hears_that_one_failed() -> None:
    begun, goes_on, ended = list[int](), asyncio.Event(), list[int]()

    async def one(number: int) -> int:
        begun.append(number)
        if number == 1:
            raise LookupError("the first")
        await goes_on.wait()
        ended.append(number)
        return number

    told = asyncio.create_task(few_at_once((partial(one, each) for each in range(4)), 2))
    while begun != [0, 1]:
        await asyncio.sleep(0)
    for _ in range(9):
        await asyncio.sleep(0)
    assert not told.done()
    goes_on.set()
    with pytest.raises(LookupError, match="the first"):
        await told
    assert (begun, ended) == ([0, 1], [0])
    assert await few_at_once((partial(one, each) for each in (0, 2, 3)), 2) == [0, 2, 3]


async def test_so_many_follow_as_who_was_let_pass_says() -> None:
    sizes = iter((3, 1, 9))

    async def let_pass() -> int:
        return next(sizes)

    found = [list(each) async for each in in_parts(range(6), let_pass)]
    assert found == [[0, 1, 2], [3], [4, 5]]
