"""Many who go the same way take each step of it together; few do not wait for each other."""

from __future__ import annotations

import asyncio
from itertools import product

import pytest

from dispatcher.runtime.steps import MANY, Steps


async def test_many_take_each_step_together() -> None:
    assert await _walked(MANY) == list(product((1, 2), range(MANY)))


async def test_few_go_all_of_the_way_at_once() -> None:
    few = MANY - 1
    assert await _walked(few) == [(step, who) for who in range(few) for step in (1, 2)]


async def test_who_fails_is_no_longer_on_the_way() -> None:
    steps = Steps()
    with pytest.raises(ValueError), steps:
        raise ValueError
    assert steps.on_the_way == 0


async def _walked(number: int) -> list[tuple[int, int]]:
    """Which step was taken by whom, in order."""
    steps, taken, all_here = Steps(), list[tuple[int, int]](), asyncio.Event()

    async def walk(who: int) -> None:
        with steps:
            await all_here.wait()
            taken.append((1, who))
            await steps.together()
            taken.append((2, who))

    walks = [asyncio.ensure_future(walk(who)) for who in range(number)]
    await asyncio.sleep(0)
    all_here.set()
    await asyncio.gather(*walks)
    return taken
