"""What was committed under an Idempotency-Key or a command's id."""

from __future__ import annotations

import base64
import hashlib
from typing import NamedTuple

from contracts.instants import DAY_MS
from dispatcher.store.outcome import Outcome, Status

COMMAND_TTL_MS = DAY_MS


class IdempotencyRecord(NamedTuple):
    """A key or command id: same id and fingerprint, one effect (for `ttl_ms`, real time)."""

    digest: str
    fingerprint: bytes
    answer: bytes = b""
    ttl_ms: int = COMMAND_TTL_MS

    @classmethod
    def of(
        cls, scope: str, key: str, body: bytes, answer: bytes = b"", ttl_ms: int = COMMAND_TTL_MS
    ) -> IdempotencyRecord:
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
