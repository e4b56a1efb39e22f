"""What is committed under which id, and how a commit ended."""

from __future__ import annotations

import base64
import hashlib
from enum import StrEnum
from typing import NamedTuple

from dispatcher.domain.record import Booking

COMMAND_TTL_MS = 24 * 3_600_000


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

    @property
    def ok(self) -> bool:
        """Whether the effect is in the store, by this commit or an earlier one of the same command."""
        return self.status in (Status.OK, Status.DUPLICATE)


class Command(NamedTuple):
    """An idempotency key or command id: same id and fingerprint, one effect (for `ttl_ms`, real time)."""

    digest: str
    fingerprint: bytes
    answer: bytes = b""
    ttl_ms: int = COMMAND_TTL_MS

    @classmethod
    def of(
        cls, scope: str, key: str, body: bytes, answer: bytes = b"", ttl_ms: int = COMMAND_TTL_MS
    ) -> Command:
        """`scope` keeps apart what different callers or routes name alike; `body` is what must not differ."""
        name = base64.urlsafe_b64encode(_digest(f"{scope}\0{key}".encode())).rstrip(b"=").decode()
        return cls(name, _digest(body), answer, ttl_ms)

    def judge(self, kept: bytes) -> Outcome:
        """What is kept under this id means: the same command again, or another under its id."""
        if not kept.startswith(self.fingerprint):
            return Outcome(Status.REUSED)
        return Outcome(Status.DUPLICATE, answer=kept[len(self.fingerprint) :])


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()
