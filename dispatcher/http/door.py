"""Who goes next: of each kind of call few are at work at once, and the others wait, each caller in turn (P8).

What is at work at once shares one processor: more of it is not faster, it is only later. So a lane lets a few
calls in, and the others wait unread; when one ends, the callers that wait have the next place in turn,
however many calls each of them has. A lane has places of its own: probes and vendors' answers do not wait
behind submissions. Pure: no clock, no socket.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from contracts.problems import Overloaded, TooMany

SAME_KEY = "nothing was stored\nMaybe repeat it under the same key"


class Caller(NamedTuple):
    """Who calls, before anything is read: a principal that has proved its token before, or an address."""

    name: str
    proved: bool


class Place(enum.Enum):
    """Where a call is."""

    OUTSIDE = enum.auto()
    WAITS = enum.auto()
    AT_WORK = enum.auto()
    ASIDE = enum.auto()  # it was at work, and its body is still on its way
    PUT_OFF = enum.auto()  # its caller's share is taken: it is left unread until it tries again


def unheard(error: Exception | None) -> None:
    """Until somebody listens."""


class Turn:
    """One call on its way through a lane; `told` hears None when it may go, or why it may not."""

    __slots__ = ("caller", "lane", "place", "told")

    def __init__(
        self, lane: Lane, caller: Caller, told: Callable[[Exception | None], None] = unheard
    ) -> None:
        self.lane, self.caller, self.told = lane, caller, told
        self.place = Place.OUTSIDE

    def enter(self) -> bool:
        """Whether it may go at once; else it waits and is told. Raises TooMany, Overloaded."""
        return self.lane.enter(self)

    def leave(self) -> None:
        """It is over, or its caller is gone; twice is once."""
        self.lane.leave(self)

    def put_off(self) -> None:
        """It was turned away, and tries again later."""
        self.lane.put_off(self)

    @property
    def is_of_a_crowd(self) -> bool:
        """Whether more of its caller's are put off than half its share."""
        return self.lane.is_crowd(self.caller)

    def step_aside(self) -> None:
        """Others may work while its body is on its way."""
        self.lane.step_aside(self)

    def come_back(self) -> bool:
        """Its body is here: whether it may go on at once; else it is told."""
        return self.lane.come_back(self)


class Lane:
    """Calls of one kind: `at_once` at work, `most` in all, `most_each` of a caller that has proved itself.

    A caller of whom more are put off than half its share has that half until fewer are: the more of its
    connections take turns, the colder is each when its turn comes. The other half is for those that were put
    off and try again, so that they are not beaten each time by those that have a turn.
    """

    def __init__(self, name: str, at_once: int, most: int, most_each: int, retry_after_s: float) -> None:
        self.name, self.at_once, self.most, self.most_each = name, at_once, most, most_each
        self.retry_after_s = retry_after_s
        self.at_work = self.count = 0
        self._of: dict[Caller, int] = {}  # waiting, at work and aside
        self._put_off: dict[Caller, int] = {}
        self._waiting: dict[Caller, deque[Turn]] = {}  # in the order in which they have their next turn
        self._calling = False

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    def enter(self, turn: Turn) -> bool:
        """As `Turn.enter`."""
        share = self._share(turn)
        if turn.place is Place.PUT_OFF:
            self._comes_again(turn)
        if turn.caller.proved and self._of.get(turn.caller, 0) >= share:
            raise self.too_many(share)
        if self.count >= self.most and not self._make_room(turn.caller):
            raise self.overloaded()
        self._of[turn.caller] = self._of.get(turn.caller, 0) + 1
        self.count += 1
        return self._work_or_wait(turn)

    def leave(self, turn: Turn) -> None:
        """As `Turn.leave`."""
        if turn.place is Place.OUTSIDE:
            return
        if turn.place is Place.PUT_OFF:
            self._comes_again(turn)
            return
        if turn.place is Place.WAITS:
            self._take_out(turn)
        elif turn.place is Place.AT_WORK:
            self.at_work -= 1
        turn.place = Place.OUTSIDE
        self.count -= 1
        _one_less(self._of, turn.caller)
        self._call_next()

    def put_off(self, turn: Turn) -> None:
        """As `Turn.put_off`."""
        if turn.place is Place.OUTSIDE:
            turn.place = Place.PUT_OFF
            self._put_off[turn.caller] = self._put_off.get(turn.caller, 0) + 1

    def step_aside(self, turn: Turn) -> None:
        """As `Turn.step_aside`."""
        if turn.place is Place.AT_WORK:
            turn.place = Place.ASIDE
            self.at_work -= 1
            self._call_next()

    def come_back(self, turn: Turn) -> bool:
        """As `Turn.come_back`; among its caller's calls it is the first."""
        return turn.place is not Place.ASIDE or self._work_or_wait(turn, first=True)

    def too_many(self, share: int) -> TooMany:
        """The caller's share is taken."""
        crowd = "" if share == self.most_each else " while so many of its calls are left unread"
        return TooMany(
            f"{share} of your calls are under way, which is one caller's share{crowd}; {SAME_KEY}, "
            "and fewer at the same time.",
            retry_after_s=self.retry_after_s,
        )

    def overloaded(self) -> Overloaded:
        """There is no more room, or the wait was too long."""
        return Overloaded(
            f"more calls wait than can be answered soon ({self.most} at most); {SAME_KEY}.",
            retry_after_s=self.retry_after_s,
        )

    def is_crowd(self, caller: Caller) -> bool:
        """Whether more of its calls are put off than half its share."""
        return self._put_off.get(caller, 0) > self.most_each // 2 > 0

    def _share(self, turn: Turn) -> int:
        if turn.place is not Place.PUT_OFF and self.is_crowd(turn.caller):
            return self.most_each // 2
        return self.most_each

    def _comes_again(self, turn: Turn) -> None:
        turn.place = Place.OUTSIDE
        _one_less(self._put_off, turn.caller)

    def _work_or_wait(self, turn: Turn, *, first: bool = False) -> bool:
        if self.at_work < self.at_once and not self._calling:
            self.at_work += 1
            turn.place = Place.AT_WORK
            return True
        queue = self._waiting.setdefault(turn.caller, deque())
        (queue.appendleft if first else queue.append)(turn)
        turn.place = Place.WAITS
        return False

    def _make_room(self, caller: Caller) -> bool:
        """Whether the last call of whoever has most could be refused instead: one who has clearly more."""
        most = max(self._waiting, key=self._of.__getitem__, default=None)
        if most is None or self._of[most] <= self._of.get(caller, 0) + 1:
            return False
        last = self._waiting[most][-1]
        self.leave(last)
        last.told(self.overloaded())
        return True

    def _take_out(self, turn: Turn) -> None:
        queue = self._waiting[turn.caller]
        queue.remove(turn)
        if not queue:
            del self._waiting[turn.caller]

    def _call_next(self) -> None:
        """Let in who waits; one that is called may end at once, and must not call the next from within."""
        if self._calling:
            return
        self._calling = True
        try:
            while self._waiting and self.at_work < self.at_once:
                self._call(next(iter(self._waiting)))
        finally:
            self._calling = False

    def _call(self, caller: Caller) -> None:
        """The caller's next; one that cannot begin (memory is full) does not keep its place."""
        queue = self._waiting.pop(caller)
        turn = queue.popleft()
        if queue:
            self._waiting[caller] = queue  # behind the others
        self.at_work += 1
        turn.place = Place.AT_WORK
        try:
            turn.told(None)
        except BaseException:
            self.leave(turn)
            raise


def _one_less(counts: dict[Caller, int], caller: Caller) -> None:
    left = counts.pop(caller) - 1
    if left:
        counts[caller] = left
