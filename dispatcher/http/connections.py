"""How many connections there are, and which of them make room for new ones."""

from __future__ import annotations

from typing import Protocol

from contracts.problems import Overloaded
from dispatcher.http.concurrency import Limits


class Idle(Protocol):
    """A connection without a call under way."""

    def give_way(self) -> None:
        """End at once."""


class Connections:
    """How many there are; those without a call under way make room for new ones, the longest idle first.

    Whose token has not held before, and who was refused, goes before the others.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._idle: dict[Idle, None] = {}  # in the order in which they became so
        self._strangers: dict[Idle, None] = {}  # likewise
        self._count = 0

    def opened(self, connection: Idle) -> bool:
        """Whether it may stay: there is room, or room could be made."""
        self._count += 1
        if self._count > self._limits.connections:
            longest = next(iter(self._strangers or self._idle), None)
            if longest is None:
                return False
            self.busy(longest)
            longest.give_way()
        self._strangers[connection] = None
        return True

    def closed(self, connection: Idle) -> None:
        """It is gone."""
        self._count -= 1
        self.busy(connection)

    def busy(self, connection: Idle) -> None:
        """It has a call under way."""
        self._idle.pop(connection, None)
        self._strangers.pop(connection, None)

    def idle(self, connection: Idle, *, known: bool = False) -> None:
        """Its call is answered; `known`: its caller had proved itself before."""
        (self._idle if known else self._strangers)[connection] = None

    def ending(self) -> Exception:
        """What a call is told that waits when the service ends."""
        return Overloaded(
            "the service ends; nothing was stored\nMaybe repeat it under the same key.",
            retry_after_s=self._limits.retry_after_s,
        )

    def overloaded(self) -> Exception:
        """What the one too many is told."""
        return Overloaded(
            f"{self._limits.connections} connections are open, each with a call under way\n"
            "Maybe use fewer connections, and each for many calls.",
            retry_after_s=self._limits.retry_after_s,
        )
