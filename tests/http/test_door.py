"""Who goes next: callers in turn, however many calls each has; and whoever has most gives way."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.problems import Overloaded, TooMany
from dispatcher.http.door import Caller, Lane, Place, Turn


class Queue:
    """A lane and what its turns were told, in order."""

    def __init__(self, at_once: int = 1, most: int = 1_000, most_each: int = 1_000) -> None:
        self.lane = Lane("calls", at_once, most, most_each, 1.0)
        self.told: list[str] = []

    def come(self, name: str, *, proved: bool = True) -> Turn:
        """One more call; it goes at once, or is told."""
        turn = Turn(self.lane, Caller(name.rstrip("0123456789"), proved))
        turn.told = lambda error: self.told.append(
            name if error is None else f"{name}: {type(error).__name__}"
        )
        turn.enter()
        return turn


def _served(queue: Queue, first: Turn, others: list[Turn]) -> list[str]:
    first.leave()
    while any(each.place is Place.AT_WORK for each in others):
        next(each for each in others if each.place is Place.AT_WORK).leave()
    return queue.told


def test_callers_take_turns_however_many_calls_each_has() -> None:
    queue = Queue()
    first = queue.come("busy0")
    others = [queue.come(name) for name in ("greedy1", "greedy2", "greedy3", "quiet1", "greedy4", "other1")]
    assert _served(queue, first, others) == ["greedy1", "quiet1", "other1", "greedy2", "greedy3", "greedy4"]
    assert (queue.lane.count, queue.lane.at_work, queue.lane.waiting) == (0, 0, 0)


def test_a_caller_beyond_its_share_is_told_so_and_an_address_has_none() -> None:
    queue = Queue(most_each=2)
    for _ in range(2):
        queue.come("greedy")
    with pytest.raises(TooMany, match=r"2 of your calls are under way"):
        queue.come("greedy")
    assert [queue.come("address", proved=False).place for _ in range(3)] == [Place.WAITS] * 3


def test_of_whom_many_are_put_off_fewer_have_a_turn_and_who_has_but_a_few_more_than_fit_keeps_its_share() -> (
    None
):
    queue = Queue(most_each=4)
    first = [queue.come("crowd") for _ in range(4)]
    outside = [Turn(queue.lane, Caller("crowd", True)) for _ in range(3)]
    for each in outside[:2]:
        each.put_off()
    first[0].leave()
    first[0] = queue.come("crowd")  # two are put off, as many as half: it has its share
    outside[2].put_off()
    first[0].leave()
    with pytest.raises(
        TooMany, match=r"2 of your calls are under way, .* while so many of its calls are left"
    ):
        queue.come("crowd")
    assert queue.come("other").place is not Place.OUTSIDE  # nobody else's share is less
    outside[0].leave()  # its caller hung up
    assert queue.come("crowd").place is not Place.OUTSIDE


def test_of_a_crowd_who_was_put_off_has_a_turn_where_who_comes_now_has_none() -> None:
    queue = Queue(most_each=4)
    outside = [Turn(queue.lane, Caller("crowd", True)) for _ in range(6)]
    for each in outside:
        each.put_off()
    assert [queue.come("crowd").place for _ in range(2)] == [Place.AT_WORK, Place.WAITS]
    with pytest.raises(TooMany):
        queue.come("crowd")
    assert [each.enter() for each in outside[:2]] == [False, False]
    assert [each.place for each in outside[:2]] == [Place.WAITS] * 2
    with pytest.raises(TooMany, match="4 of your calls"):
        outside[2].enter()


def test_who_comes_again_is_put_off_no_more() -> None:
    queue = Queue(most_each=2)
    first = [queue.come("crowd") for _ in range(2)]
    late = Turn(queue.lane, Caller("crowd", True))
    for _ in range(2):
        late.put_off()
        late.put_off()  # twice is once
        with pytest.raises(TooMany):
            late.enter()
        assert late.place is Place.OUTSIDE
    first[0].leave()
    late.put_off()
    late.enter()
    assert (queue.lane.count, len(queue.lane._put_off)) == (2, 0)


def test_whoever_has_most_gives_way_to_who_has_little_its_latest_call_first() -> None:
    queue = Queue(most=4)
    turns = [queue.come(name) for name in ("greedy1", "greedy2", "greedy3", "greedy4")]
    assert queue.come("quiet1").place is Place.WAITS
    assert (queue.told, turns[3].place) == (["greedy4: Overloaded"], Place.OUTSIDE)
    with pytest.raises(Overloaded, match="4 at most"):
        queue.come("greedy5")


def test_nobody_gives_way_to_who_has_as_many() -> None:
    queue = Queue(most=2)
    for name in ("one1", "two1"):
        queue.come(name)
    with pytest.raises(Overloaded):
        queue.come("three1")


def test_nobody_gives_way_where_nobody_waits() -> None:
    queue = Queue(most=1)
    first = queue.come("one1")
    for _ in range(2):  # at work, and while its body is on its way
        with pytest.raises(Overloaded, match="1 at most"):
            queue.come("two1")
        first.step_aside()


def test_who_leaves_while_it_waits_leaves_nothing_behind_and_twice_is_once() -> None:
    queue = Queue()
    first, second, third = (queue.come(name) for name in ("one1", "two1", "three1"))
    second.leave()
    second.leave()
    assert (queue.lane.count, queue.lane.waiting) == (2, 1)
    first.leave()
    assert (queue.told, third.place) == (["three1"], Place.AT_WORK)


def test_a_place_is_lent_while_a_body_is_on_its_way_and_comes_back_before_the_callers_other_calls() -> None:
    queue = Queue()
    slow, other, later = queue.come("slow1"), queue.come("other1"), queue.come("slow2")
    slow.step_aside()
    assert queue.told == ["other1"]
    assert not slow.come_back()
    other.leave()
    assert queue.told == ["other1", "slow1"]
    slow.leave()
    assert later.place is Place.AT_WORK


def test_calls_that_end_as_soon_as_they_are_called_do_not_pile_up() -> None:
    queue = Queue(most=5_000, most_each=5_000)
    first = queue.come("busy")
    for _ in range(4_000):
        turn = Turn(queue.lane, Caller("gone", True))
        turn.told = lambda error, turn=turn: turn.leave()  # type: ignore[misc]
        turn.enter()
    first.leave()
    assert (queue.lane.count, queue.lane.waiting) == (0, 0)


@given(
    st.lists(
        st.tuples(st.sampled_from(("come", "off", "again", "leave", "aside", "back")), st.integers(0, 30)),
        max_size=80,
    )
)
def test_whatever_happens_places_are_neither_lost_nor_given_twice(steps: list[tuple[str, int]]) -> None:
    queue, turns = Queue(at_once=2, most=8, most_each=5), list[Turn]()
    for what, number in steps:
        if what == "come":
            try:
                turns.append(queue.come("abc"[number % 3]))
            except (TooMany, Overloaded):
                continue
        elif turns:
            turn = turns[number % len(turns)]
            {
                "off": turn.put_off,
                "again": lambda turn=turn: _comes_again(turn),
                "leave": turn.leave,
                "aside": turn.step_aside,
                "back": turn.come_back,
            }[what]()
        places = [each.place for each in turns]
        assert places.count(Place.AT_WORK) == queue.lane.at_work <= 2
        assert places.count(Place.WAITS) == queue.lane.waiting
        counted = [place for place in places if place not in (Place.OUTSIDE, Place.PUT_OFF)]
        assert len(counted) == queue.lane.count <= 8
        assert places.count(Place.PUT_OFF) == sum(queue.lane._put_off.values())
        assert max(queue.lane._of.values(), default=0) <= 5
        assert queue.lane.at_work == 2 or not queue.lane.waiting


def _comes_again(turn: Turn) -> None:
    if turn.place is Place.PUT_OFF:
        with contextlib.suppress(TooMany, Overloaded):
            turn.enter()


def test_one_that_cannot_begin_gives_its_place_back() -> None:
    queue = Queue()
    first, broken, last = (queue.come(name) for name in ("a", "b", "c"))
    broken.told = no_memory
    with pytest.raises(MemoryError):
        first.leave()
    queue.come("d").leave()
    assert queue.told == ["c"]
    last.leave()
    assert (queue.lane.count, queue.lane.at_work, queue.lane.waiting) == (0, 0, 0)


def no_memory(_: Exception | None) -> None:
    raise MemoryError
