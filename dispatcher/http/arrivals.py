"""A call that is here and not yet read: it waits for its turn, is refused, or is left unread for a while.

Whoever calls again before Retry-After has passed is not read until then, which costs nothing: the network
holds it. Whoever does so again and again is left for twice as long each time. Another caller on the same
connection, as behind a proxy, does not wait for that.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple, Protocol

from contracts.codec import MAX_BYTES
from contracts.problems import Overloaded, Problem, TooMany
from dispatcher.http import refused
from dispatcher.http.door import Caller, Turn, unheard
from dispatcher.http.lanes import LONGEST_S, Lanes

MOST_HELD = 65_536  # bytes of a call that waits; what follows is left to the network
WORTH_LITTLE = 16_384  # bytes of a refused body that are passed over of who comes too early, too often
EVER = 8  # times that it was ignored: longer and longer up to here
END = b"\r\n\r\n"


class SentAway(NamedTuple):
    """Who was refused on a connection, and until when it should not call again."""

    caller: Caller
    until_s: float
    ignored: int  # how many times in a row it has done so nevertheless


class Line(Protocol):
    """What an arrival needs of its connection."""

    lanes: Lanes

    def admit(self, turn: Turn, data: bytes) -> None:
        """Read the call: its turn has come."""

    def waits(self) -> None:
        """Its call waits: read on, so that a hang-up is noticed."""

    def refuse(self, answer: bytes, away: SentAway) -> None:
        """Write the answer, and read on."""

    def go_on(self, rest: bytes) -> None:
        """The refused call is passed over; `rest` came behind it."""

    def stop_reading(self) -> None:
        """Leave to the network what comes."""

    def hung_up(self) -> bool:
        """Whether the caller has gone, as may be unnoticed while it is left unread."""

    def end(self) -> None:
        """Hang up."""


class Arrival:
    """One call at the door, with the first of its bytes: all its header lines at least."""

    __slots__ = ("_counted", "_held", "_ignored", "_line", "_loop", "_passing", "_patient", "_timer", "turn")

    def __init__(self, line: Line, loop: asyncio.AbstractEventLoop, turn: Turn, data: bytes) -> None:
        self._line, self._loop, self.turn, self._held = line, loop, turn, data
        self._timer: asyncio.TimerHandle | None = None
        self._ignored = 0
        self._patient = False  # it has been put off, and may be told at once
        self._passing = 0  # bytes of the refused body that are still to come; below 0: all of them
        self._counted = 0  # bytes that it holds, among those that all hold

    def knock(self) -> None:
        """Enter, wait, or be refused; nothing is done for who has gone while it was left unread."""
        self._stop()
        if self._patient and self._line.hung_up():
            self._line.end()
            return
        try:
            goes = self.turn.enter()
        except (TooMany, Overloaded) as error:
            self._turned_away(error)
            return
        if goes:
            self._line.admit(self.turn, self._held)
        elif self._hold():
            self.turn.told = self._told
            self._line.lanes.patience.begins(self, self._loop)
            self._line.waits()

    def too_early(self, away: SentAway) -> None:
        """It was told to come later."""
        self._ignored = away.ignored + 1
        after_s, now_s = self.turn.lane.retry_after_s, self._loop.time()
        more_s = min(after_s * (2**away.ignored - 1), LONGEST_S) if away.ignored < EVER else LONGEST_S
        late_s = self._line.lanes.tells_after_s(self.turn, now_s)  # one of many of its caller's
        self._put_off(max(0.0, away.until_s - now_s) + max(more_s, late_s))

    def _put_off(self, seconds: float) -> None:
        """Leave it unread for so long, and a bit: all at the same moment would be too many."""
        self._patient = True
        spread_s = self._line.lanes.spread() * self.turn.lane.retry_after_s / 2
        if self._hold():
            self.turn.put_off()
            self._timer = self._loop.call_later(seconds + spread_s, self.knock)
            self._line.stop_reading()

    def more(self, data: bytes) -> None:
        """More bytes have come."""
        if self._passing:
            self._pass_over(data)
            return
        self._held += data
        self._line.lanes.held_bytes += len(data)
        self._counted += len(data)
        if len(self._held) > MOST_HELD:
            self._line.stop_reading()

    def gone(self) -> None:
        """Its caller hung up."""
        self._stop()
        self.turn.leave()

    def _turned_away(self, error: Problem) -> None:
        if self._patient:
            self._refuse(error)
        elif late_s := self._line.lanes.tells_after_s(self.turn, self._loop.time()):
            self._put_off(late_s)
        else:
            self._refuse(error)

    def _told(self, error: Exception | None) -> None:
        """Its turn has come; or another's right to its place is better."""
        self._stop()
        if isinstance(error, Problem):
            self._refuse(error)
        else:
            self._line.admit(self.turn, self._held)

    def overdue(self) -> None:
        """It has waited too long."""
        self._stop()
        self.turn.leave()
        self._refuse(self.turn.lane.overloaded())

    def _refuse(self, error: Problem) -> None:
        line, turn, after_s = self._line, self.turn, self.turn.lane.retry_after_s
        end = self._held.index(END) + len(END)
        head, body = self._held[:end], self._held[end:]
        size = refused.size(head, WORTH_LITTLE if self._patient else MAX_BYTES)
        line.lanes.refused(turn.lane.name, error.status)
        line.refuse(
            refused.answer(error, head, keep=size is not None),
            SentAway(turn.caller, self._loop.time() + after_s, self._ignored),
        )
        self._held = b""
        if size is None:
            self._passing = -1
            line.stop_reading()
            self._timer = self._loop.call_later(after_s, line.end)
        else:
            self._passing = size
            self._timer = self._loop.call_later(line.lanes.body_s, line.end)
            self._pass_over(body)

    def _pass_over(self, data: bytes) -> None:
        if self._passing < 0:
            return
        over = min(self._passing, len(data))
        self._passing -= over
        if not self._passing:
            self._stop()
            self._line.go_on(data[over:])

    def _hold(self) -> bool:
        """Keep its bytes; refused if all that wait hold too much already."""
        lanes = self._line.lanes
        if not lanes.may_hold(len(self._held)):
            self.turn.leave()
            self._refuse(self.turn.lane.overloaded())
            return False
        self._counted = len(self._held)
        lanes.held_bytes += self._counted
        return True

    def _stop(self) -> None:
        """Whatever it waited for, it waits no more; and it no more refers to itself by its turn."""
        lanes, self.turn.told = self._line.lanes, unheard
        lanes.held_bytes -= self._counted
        self._counted = 0
        lanes.patience.ends(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
