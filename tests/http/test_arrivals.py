"""Calls at the door, by a clock that the test holds: who ignores Retry-After is not read until then."""

from __future__ import annotations

import gc
from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import pytest

from dispatcher.http.arrivals import LONGEST_S, Arrival, SentAway
from dispatcher.http.concurrency import Limits
from dispatcher.http.door import Caller, Turn
from dispatcher.http.lanes import EARLIER, TOLD_AT_ONCE, Lanes
from dispatcher.http.patience import Patience

CALL = b"POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"
SPREAD = 1.5  # unread for up to half of Retry-After more, so that not all come back at once
GREEDY = Caller("greedy", True)


class Loop:
    """Time passes when the test says so."""

    def __init__(self) -> None:
        self.now_s, self.later = 0.0, list[tuple[float, Callable[[], None]]]()

    def time(self) -> float:
        return self.now_s

    def call_later(self, seconds: float, what: Callable[..., None], *with_: object) -> Any:
        entry = (self.now_s + seconds, lambda: what(*with_))
        self.later.append(entry)
        return Timer(lambda: self.later.remove(entry) if entry in self.later else None)

    def call_soon(self, what: Callable[..., None], *with_: object) -> None:
        self.call_later(0.0, what, *with_)

    def passes(self, seconds: float) -> None:
        self.now_s += seconds
        while due := [each for each in self.later if each[0] <= self.now_s]:
            self.later.remove(due[0])
            due[0][1]()


class Timer:
    def __init__(self, cancel: Callable[[], None]) -> None:
        self.cancel = cancel


class Line:
    """A connection that writes down what becomes of its call."""

    def __init__(self, lanes: Lanes) -> None:
        self.lanes, self.seen, self.away = lanes, list[str](), cast(SentAway, None)
        self.gone = False

    def admit(self, turn: Turn, data: bytes) -> None:
        self.seen.append(f"read {len(data)}")

    def waits(self) -> None:
        self.seen.append("waits")

    def refuse(self, answer: bytes, away: SentAway) -> None:
        self.away = away
        self.seen.append(answer[9:12].decode())

    def go_on(self, rest: bytes) -> None:
        self.seen.append(f"goes on, {len(rest)} behind")

    def stop_reading(self) -> None:
        self.seen.append("unread")

    def hung_up(self) -> bool:
        return self.gone

    def end(self) -> None:
        self.seen.append("ends")


class Door:
    """One place at work, two calls in all, or so many."""

    def __init__(self, most: int = 2) -> None:
        limits = Limits(at_once=1, in_flight=most, per_caller=most, retry_after_s=1.0, wait_s=3.0)
        self.most = most
        self.refused: list[tuple[str, int]] = []
        self.lanes = Lanes(limits, (), lambda token: None, lambda *what: self.refused.append(what))
        self.loop = Loop()
        self.turns: list[Turn] = []

    def fill(self) -> None:
        for _ in range(self.most):
            self.turns.append(Turn(self.lanes.calls, GREEDY))
            self.turns[-1].enter()

    def arrival(self, data: bytes = CALL) -> tuple[Line, Arrival]:
        line = Line(self.lanes)
        turn = Turn(self.lanes.calls, GREEDY)
        return line, Arrival(line, cast(Any, self.loop), turn, data)


@pytest.fixture
def door() -> Door:
    return Door()


def test_a_call_waits_read_on_so_that_a_hang_up_is_noticed_and_then_has_its_turn(door: Door) -> None:
    (first, one), (second, two) = door.arrival(), door.arrival()
    one.knock()
    two.knock()
    assert (first.seen, second.seen, door.lanes.held_bytes) == (["read 42"], ["waits"], len(CALL))
    one.turn.leave()
    door.loop.passes(10.0)
    assert (second.seen, door.lanes.held_bytes, door.loop.later) == (["waits", "read 42"], 0, [])


def test_a_call_that_waited_is_gone_once_it_was_read_and_waits_for_no_collection(door: Door) -> None:
    (_, one), (_, two) = door.arrival(), door.arrival()
    one.knock()
    two.knock()
    one.turn.leave()
    gc.collect()  # of what other tests left
    gc.disable()
    try:
        del one, two
        assert not [each for each in gc.get_objects() if type(each) is Arrival]
    finally:
        gc.enable()


def test_each_waits_as_long_as_the_others_whenever_it_came(door: Door) -> None:
    (_, at_work), (second, two) = door.arrival(), door.arrival()
    at_work.knock()
    two.knock()
    door.loop.passes(2.0)
    two.gone()
    third, three = door.arrival()
    three.knock()
    door.loop.passes(2.0)
    assert third.seen == ["waits"]
    door.loop.passes(1.0)
    assert (second.seen, third.seen) == (["waits"], ["waits", "503", "goes on, 0 behind"])


def test_a_call_that_has_waited_too_long_is_refused_rather_than_served_late(door: Door) -> None:
    (_, one), (second, two) = door.arrival(), door.arrival()
    one.knock()
    two.knock()
    door.loop.passes(3.0)
    assert second.seen == ["waits", "503", "goes on, 0 behind"]
    assert (door.refused, door.lanes.calls.count, door.lanes.held_bytes) == ([("calls", 503)], 1, 0)


def test_each_that_is_overdue_is_refused_by_itself_and_once() -> None:
    """Refusing one may end another's wait, where its connection goes on with its next call; or fail."""
    loop, refused = Loop(), list[str]()
    patience, calls = Patience(3.0), dict[str, Any]()

    class Call:
        def __init__(self, name: str) -> None:
            self.name = name

        def overdue(self) -> None:
            refused.append(self.name)
            if self.name == "ends another's":
                patience.ends(calls["ended"])
            if self.name == "fails":
                raise RuntimeError

    for each in ("fails", "ends another's", "ended", "last"):
        calls[each] = Call(each)
        patience.begins(calls[each], cast(Any, loop))
    with pytest.raises(RuntimeError):
        loop.passes(3.0)
    loop.passes(0.0)
    assert refused == ["fails", "ends another's", "last"]


def test_who_ignores_retry_after_is_not_read_until_it_has_passed_and_then_twice_as_long(door: Door) -> None:
    door.fill()
    line, arrival = door.arrival()
    arrival.knock()
    assert line.seen == ["429", "goes on, 0 behind"]
    for unread_s in (1.0, 2.0, 4.0, 8.0):
        again, arrival = door.arrival()
        arrival.too_early(line.away)
        door.loop.passes(unread_s * 0.99)
        assert again.seen == ["unread"]
        door.loop.passes(0.51 + unread_s * 0.02)
        assert again.seen == ["unread", "429", "goes on, 0 behind"]
        line = again
    assert line.away.until_s - door.loop.now_s == pytest.approx(1.0)


def test_nobody_is_left_unread_for_ever(door: Door) -> None:
    door.fill()
    line, arrival = door.arrival()
    arrival.too_early(SentAway(GREEDY, 1.0, 10_000))
    door.loop.passes(1.0 + LONGEST_S + 0.5)
    assert line.seen[1] == "429"


def test_who_was_left_unread_is_read_when_there_is_room_again(door: Door) -> None:
    door.fill()
    line, arrival = door.arrival()
    arrival.too_early(SentAway(GREEDY, 1.0, 0))
    for each in door.turns:
        each.leave()
    door.loop.passes(SPREAD)
    assert line.seen == ["unread", "read 42"]


def test_of_many_refusals_the_later_ones_are_told_later_on_whatever_connections() -> None:
    door = Door(2 * TOLD_AT_ONCE)
    door.fill()
    lines = []
    for _ in range(2 * TOLD_AT_ONCE):
        line, arrival = door.arrival()
        arrival.knock()
        lines.append(line)
    assert sum("429" in each.seen for each in lines) == TOLD_AT_ONCE - 1
    assert lines[-1].seen == ["unread"]
    door.loop.passes(2 * SPREAD)
    assert all("429" in each.seen for each in lines)


def test_of_many_who_ignore_retry_after_the_later_ones_are_told_later_and_not_all_together(
    door: Door,
) -> None:
    door.fill()
    lines = []
    for _ in range(10 * TOLD_AT_ONCE):
        line, arrival = door.arrival()
        arrival.too_early(SentAway(GREEDY, 0.0, 0))
        lines.append(line)
    told = []
    for _ in range(int(LONGEST_S + SPREAD)):
        door.loop.passes(1.0)
        told.append(sum("429" in each.seen for each in lines))
    assert told[0] < 3 * TOLD_AT_ONCE
    assert max(after - before for before, after in pairwise(told)) < 4 * TOLD_AT_ONCE
    assert told[-1] == len(lines)


def test_of_a_crowd_each_rests_for_as_long_as_may_be() -> None:
    door = Door(2 * TOLD_AT_ONCE)
    door.fill()
    lines = []
    for _ in range(4 * TOLD_AT_ONCE):  # from where more are put off than half the share, it is a crowd
        line, arrival = door.arrival()
        arrival.knock()
        lines.append(line)
    door.loop.passes(LONGEST_S * (1 - EARLIER) - 0.1)
    assert [each.seen for each in lines[-TOLD_AT_ONCE:]] == [["unread"]] * TOLD_AT_ONCE
    door.loop.passes(LONGEST_S * EARLIER + SPREAD)
    assert all("429" in each.seen for each in lines)


def test_a_refused_body_is_passed_over_and_what_comes_behind_it_is_the_next_call(door: Door) -> None:
    door.fill()
    line, arrival = door.arrival(CALL[:-2])
    arrival.knock()
    assert line.seen == ["429"]
    arrival.more(b"d")
    arrival.more(b"yGET")
    assert line.seen == ["429", "goes on, 3 behind"]


def test_a_call_whose_end_is_not_certain_ends_its_connection_once_retry_after_has_passed(door: Door) -> None:
    door.fill()
    line, arrival = door.arrival(CALL.replace(b"Content-Length: 4", b"Transfer-Encoding: chunked"))
    arrival.knock()
    arrival.more(b"x" * 1_000)
    assert line.seen == ["429", "unread"]
    door.loop.passes(1.0)
    assert line.seen == ["429", "unread", "ends"]


def test_what_waits_holds_no_more_memory_than_all_may(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatcher.http.lanes.MOST_HELD_BYTES", 50)
    (_, one), (second, two), (third, three) = door.arrival(), door.arrival(), door.arrival()
    for each in (one, two):
        each.knock()
    two.gone()
    assert (second.seen, door.lanes.held_bytes, door.lanes.calls.count) == (["waits"], 0, 1)
    door.lanes.held_bytes = 20
    three.knock()
    assert third.seen == ["503", "goes on, 0 behind"]
    assert door.lanes.calls.count == 1
