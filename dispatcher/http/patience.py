"""Calls that wait for their turn are refused when they have waited too long: one timer for all of them.

Under load thousands a second wait, and nearly all are called in time; a timer for each is made in vain.
"""

from __future__ import annotations

import asyncio
from itertools import takewhile
from typing import Final, Protocol

TOGETHER_S: Final = 0.05  # what falls due within this is refused together, that much later at the most


class Waiting(Protocol):
    """A call that waits."""

    def overdue(self) -> None:
        """It has waited too long."""


class Patience:
    """Who waits, in the order of coming; each may wait for `wait_s` (real seconds)."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s
        self._until_s: dict[Waiting, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begins(self, call: Waiting, loop: asyncio.AbstractEventLoop) -> None:
        """It waits from now on."""
        self._until_s[call] = loop.time() + self.wait_s
        if self._timer is None:
            self._timer = loop.call_later(self.wait_s, self._look, loop)

    def ends(self, call: Waiting) -> None:
        """It waits no more; nothing where it did not."""
        self._until_s.pop(call, None)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Refuse who is overdue; who is next is looked at in its time."""
        self._timer, now_s = None, loop.time()
        late = [call for call, _ in takewhile(lambda each: each[1] <= now_s, self._until_s.items())]
        until_s = list(self._until_s.values())[len(late) : len(late) + 1]
        if until_s:
            self._timer = loop.call_later(max(TOGETHER_S, until_s[0] - now_s), self._look, loop)
        for call in late:  # each by itself: one that cannot be refused is no trouble of the others
            loop.call_soon(self._refuse, call)

    def _refuse(self, call: Waiting) -> None:
        """Unless its turn came, or it was refused, since it was found to be late."""
        if self._until_s.pop(call, None) is not None:
            call.overdue()
