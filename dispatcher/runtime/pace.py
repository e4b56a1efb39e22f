"""How much of a process's time may go into what can wait, while there is other work to do."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

LEAST, MOST = 0.02, 0.5  # of the time: while the thread has no other moment to spare, and while it idles
REST_S = 0.05  # from which on a rest says how busy others are: some clocks go by the tick
LONGEST_S = 2.0  # what is shown must not grow old, whatever is asked
#: Linux: how long this thread ran, and stood in line for a core
_IN_LINE = Path("/proc/thread-self/schedstat")


def wanted_s() -> float:
    """For how long this thread ran or would have, had it had a core to itself.

    Where there is no such word, for how long it ran: a machine that has other work looks idle then.
    """
    with contextlib.suppress(OSError):
        ran_ns, waited_ns, _ = map(int, _IN_LINE.read_bytes().split())
        if ran_ns:  # a kernel that was built without schedstats says 0 0 0
            return (ran_ns + waited_ns) / 1e9
    return time.thread_time()


class Pace:
    """`begin`, do some of it, then rest for `rest_s`: the busier the thread is, the longer."""

    def __init__(
        self,
        wall: Callable[[], float] = time.monotonic,
        used: Callable[[], float] = time.thread_time,
        *,
        least: float = LEAST,
        credit_s: float = 0.0,
    ) -> None:
        """`credit_s`: so much at once is done without a rest, where as little was done lately."""
        self._wall, self._used, self._least = wall, used, least
        self._since = wall(), used()
        self._began_s, self._at_once = self._since[1], 1.0
        self._most_credit_s = self._credit_s = credit_s

    def begin(self) -> float:
        """Some of it is done now; how much of what is done where nobody else wants the thread (0 to 1).

        Who comes while it is done waits for its end: the busier they kept the thread during the rest, the
        less it is. A rest of some milliseconds, or none, says nothing of that: it is as much as before.
        """
        self._began_s = self._used()
        passed = self._wall() - self._since[0]
        if passed >= REST_S:
            self._at_once = self._share((self._began_s - self._since[1]) / passed) / MOST
        return self._at_once

    def rest_s(self) -> float:
        """For how long others come first now.

        What they did while it awaited something counts as its own: where much is asked it gives way the more.
        """
        wall, used = self._wall(), self._used()
        passed = max(wall - self._since[0], 1e-6)
        share = self._share((used - self._since[1]) / passed)
        self._since = wall, used
        rest = 1 / share - 1  # for each second of it
        earned_s = min(self._most_credit_s, self._credit_s + passed * share)
        self._credit_s = max(earned_s - (used - self._began_s), -LONGEST_S / rest)
        return max(0.0, -self._credit_s) * rest

    def _share(self, busy: float) -> float:
        """Of the time, where the thread was so busy (0 to 1)."""
        return max(self._least, MOST * (1 - min(1.0, busy)) ** 4)


class Rate:
    """At most so many a second, lastingly: `burst` of them may follow each other at once."""

    def __init__(self, most_per_s: float, burst: int, wall: Callable[[], float] = time.monotonic) -> None:
        self._most_per_s, self._burst, self._wall = most_per_s, burst, wall
        self._free, self._at = float(burst), wall()

    def wait_s(self) -> float:
        """For how long the next one waits; it is counted as done then."""
        now = self._wall()
        self._free = min(self._burst, self._free + (now - self._at) * self._most_per_s) - 1
        self._at = now
        return max(0.0, -self._free / self._most_per_s)
