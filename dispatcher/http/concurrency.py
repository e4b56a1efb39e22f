"""How much work may be under way: a bound for all, and a share of it for each caller (P8)."""

from __future__ import annotations

import msgspec

from contracts.problems import Overloaded, TooMany


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """`in_flight` calls at once, of which one caller holds at most `per_caller`; event streams likewise.

    Of the calls a few are at work at once, the others wait for their turn, unread: see `door`.
    """

    in_flight: int = 1_000
    per_caller: int = 128  # of whom more wait, their connections grow cold: each call costs a tenth more
    at_once: int = 48  # calls at work: more of them on one processor are not faster, only later
    answers_at_once: int = 16  # vendors' answers to offers and their reports, beside those
    probes_at_once: int = 8
    wait_s: float = 3.0  # a call that has waited for its turn this long is refused (real seconds)
    strangers: int = 100  # calls that need no token, and whose body is on its way
    streams: int = 2_000
    streams_per_caller: int = 100
    retry_after_s: float = 1.0
    connections: int = 5_000  # open at once; beyond it those without a call under way are closed
    header_s: float = (
        10.0  # from a connection's or a call's first byte to its last header line (real seconds)
    )
    idle_s: float = 75.0  # a connection without a call is closed after this long (real seconds)
    body_s: float = 30.0  # a body that takes longer to arrive gives its slot back (real seconds)
    keep_alive_s: float = 15.0  # an event stream without events says so this often (real seconds)


class ConcurrencyLimit:
    """`total` slots, of which one caller takes at most `per_caller`; refuses before anything is read."""

    def __init__(self, total: int, per_caller: int, retry_after_s: float) -> None:
        self.total, self.per_caller, self.retry_after_s = total, per_caller, retry_after_s
        self.taken = 0
        self.taken_by: dict[str, int] = {}

    def slot(self, caller: str) -> Slot:
        """A slot for one call. Raises TooMany (the caller's share is taken) or Overloaded (all slots are)."""
        if (taken := self.taken_by.get(caller, 0)) >= self.per_caller:
            raise TooMany(
                f"{caller} holds {taken} calls at once, its share is {self.per_caller}\n"
                "Maybe send fewer at the same time.",
                retry_after_s=self.retry_after_s,
            )
        if self.taken >= self.total:
            raise Overloaded(
                f"{self.taken} calls are under way, the limit is {self.total}; nothing was stored\n"
                "Maybe repeat it under the same key.",
                retry_after_s=self.retry_after_s,
            )
        return Slot(self, caller)


class Slot:
    """A slot, held for the length of a block. A class: contextlib's generator costs four times as much."""

    __slots__ = ("_caller", "_limit")

    def __init__(self, limit: ConcurrencyLimit, caller: str) -> None:
        self._limit, self._caller = limit, caller

    def __enter__(self) -> None:
        limit, caller = self._limit, self._caller
        limit.taken += 1
        limit.taken_by[caller] = limit.taken_by.get(caller, 0) + 1

    def __exit__(self, *error: object) -> None:
        limit, caller = self._limit, self._caller
        limit.taken -= 1
        left = limit.taken_by.pop(caller) - 1
        if left:
            limit.taken_by[caller] = left
