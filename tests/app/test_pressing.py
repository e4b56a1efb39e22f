"""What the jobs give way to is what the matcher beside them says, as long as it says it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

import pytest

from dispatcher.app.pressing import FRESH_S, Pressing
from dispatcher.serve.notice import Notice


@pytest.fixture
def notice() -> Iterator[Notice]:
    with contextlib.closing(Notice()) as made:
        yield made


def test_the_jobs_hear_what_the_matcher_is_at(notice: Notice) -> None:
    matcher, jobs = (Pressing(notice.descriptor, lambda: 0.0) for _ in range(2))
    assert not jobs.solving()
    assert not jobs.hot()
    for solving, hot in ((True, False), (False, True), (True, True), (False, False)):
        matcher.tell(solving=solving, hot=hot)
        assert (jobs.solving(), jobs.hot()) == (solving, hot)


def test_a_matcher_that_ended_in_the_middle_of_a_solve_holds_up_nobody(notice: Notice) -> None:
    now_s = 1_000.0
    pressing = Pressing(notice.descriptor, lambda: now_s)
    pressing.tell(solving=True, hot=True)
    now_s += FRESH_S / 2
    assert pressing.solving()
    assert pressing.hot()
    now_s += FRESH_S
    assert not pressing.solving()
    assert not pressing.hot()


def test_where_no_matcher_runs_beside_nothing_is_pressing() -> None:
    pressing = Pressing(None)
    pressing.tell(solving=True, hot=True)
    assert not pressing.solving()
    assert not pressing.hot()


async def test_the_matcher_tells_again_and_again(notice: Notice) -> None:
    matcher, jobs = (Pressing(notice.descriptor, lambda: 0.0) for _ in range(2))
    asked, answers = asyncio.Event(), iter([False, False])

    def solving() -> bool:
        answer = next(answers, True)
        if answer:
            asked.set()
        return answer

    telling = asyncio.create_task(matcher.keep_telling(solving, lambda: False))
    try:
        await asked.wait()
        assert jobs.solving()
    finally:
        telling.cancel()
