"""How a commit ended."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from dispatcher.domain.booking import Booking

UNKNOWN, NOT_SENT = "unknown", "not sent"  # what became of a program that has no answer


class Status(StrEnum):
    """How a commit ended; only OK wrote."""

    OK = "ok"
    DUPLICATE = "duplicate"  # this command had its effect before: same answer again
    REUSED = "reused"  # this command id came before with another body
    FENCED = "fenced"  # another matcher owns the market now
    STALE = "stale"  # a document that it writes moved on since it was read
    OUTDATED = "outdated"  # a document that it only relies on did: a vendor, or what it posted
    FULL = "full"  # a booking does not fit


class Outcome(NamedTuple):
    """The status, and what it is about: the document that moved on (its id), or what could not be booked."""

    status: Status
    answer: bytes = b""  # DUPLICATE: what was kept with the command
    stale_id: str = ""
    booking: Booking | None = None
    bucket: int | None = None  # FULL: the ledger bucket; None: the day's cap
    left_out: frozenset[str] = frozenset()  # OK: keys of figures that could not be written

    @property
    def ok(self) -> bool:
        """Whether the effect is in the store, by this commit or an earlier one of the same command."""
        return self.status in (Status.OK, Status.DUPLICATE)
