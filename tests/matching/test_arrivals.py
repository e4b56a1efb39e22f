"""What can wait gives way while requests come in fast, and not for ever."""

from __future__ import annotations

import asyncio

from dispatcher.matching.arrivals import HOT, JUST_S, LONGEST_S, STREAM_S, Arrivals, GivesWay


class Wall:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def test_many_in_a_moment_are_hot_and_over_soon_after() -> None:
    wall = Wall()
    arrivals = Arrivals(wall)
    assert not arrivals.hot()
    for _ in range(int(HOT)):
        arrivals.note(1)
    assert arrivals.hot()
    wall.s += 0.5
    assert not arrivals.hot()


def test_a_few_now_and_then_are_not_hot_however_long() -> None:
    wall = Wall()
    arrivals = Arrivals(wall)
    for _ in range(1_000):
        arrivals.note(1)
        wall.s += 2 / HOT
        assert not arrivals.hot()


def test_an_imminent_request_that_has_its_offer_is_hot_for_a_moment_and_one_in_vain_is_not() -> None:
    wall = Wall()
    arrivals = Arrivals(wall)
    arrivals.offered(0)
    assert not arrivals.hot()
    arrivals.offered(1)
    assert arrivals.hot()
    wall.s += JUST_S
    assert not arrivals.hot()


def test_imminent_requests_come_in_a_stream_until_none_had_its_offer_for_half_a_minute() -> None:
    wall = Wall()
    arrivals = Arrivals(wall)
    arrivals.note(1_000)
    assert not arrivals.imminent(), "however many come for later"
    with arrivals.at_hand():
        assert arrivals.imminent()
    assert not arrivals.imminent(), "it was in vain"
    arrivals.offered(1)
    wall.s += STREAM_S / 2
    assert arrivals.imminent()
    wall.s += STREAM_S / 2
    assert not arrivals.imminent()


def test_it_waits_for_every_solve_and_for_what_comes_in_so_long_and_no_longer() -> None:
    wall, solving, hot = Wall(), [True], [False]
    waits = GivesWay(lambda: solving[0], lambda: hot[0], wall=wall)
    for _ in range(10):
        assert waits()
        wall.s += LONGEST_S  # solves have their time, as long as they take
    solving[0], hot[0] = False, True
    for _ in range(4):
        assert waits()
        wall.s += LONGEST_S / 4
    assert not waits()
    solving[0] = True
    assert waits()
    fresh = GivesWay(lambda: False, lambda: True, wall=wall)
    assert fresh(), "each piece of work has a wait of its own"


async def test_a_timer_lets_imminent_requests_pass_and_waits_for_them_no_longer_than_a_moment() -> None:
    arrivals = Arrivals()
    await arrivals.calm()
    with arrivals.at_hand():
        waits = asyncio.create_task(arrivals.calm())
        await asyncio.sleep(0)
        assert not waits.done()
        with arrivals.at_hand():
            pass
        await asyncio.sleep(0)
        assert not waits.done(), "of another market some are still at hand"
    await waits
    with arrivals.at_hand():
        await arrivals.calm()  # it never calms down: the timer fires all the same
