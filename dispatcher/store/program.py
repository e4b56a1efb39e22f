"""A program for commit.lua: checks, then writes. Built without I/O; the same program may be sent again."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import NamedTuple

from dispatcher.domain.booking import Booking
from dispatcher.domain.caps import Charged
from dispatcher.store.codec import expected
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.keys import Keys

Word = str | bytes | int
FIGURE = "~"  # before a command's name: see `figure`
ONCE_MS = 60_000  # real; nothing is sent again for so long
NAME_BYTES = 12
NO_VERSION = b"doubt"  # longer than any: no document begins with it


def once_name() -> str:
    """A name that nothing else has, for `Program.once`."""
    return secrets.token_hex(NAME_BYTES)


class Check(NamedTuple):
    """What a check is about, to tell of its failure."""

    about: str | Booking | Charged
    intended: bytes | None = None  # version: what the document becomes (b"": it goes; None: it is only read)


class Program:
    """Checks and writes on the keys of one market."""

    __slots__ = ("_checks", "_keys", "_versions", "_writes", "checks")

    def __init__(self) -> None:
        self.checks: list[Check] = []
        self._keys: dict[str, int] = {}
        self._checks: list[Word] = []
        self._writes: list[Word] = []
        self._versions: list[int] = []  # places of versions that documents are written over

    @property
    def key(self) -> str:
        """One of its keys: all are of one market."""
        return next(iter(self._keys))

    @property
    def weight(self) -> int:
        """What it costs the server, roughly: the number of its checks."""
        return len(self.checks)

    def write_out(self) -> None:
        """Before it is sent: nothing, it is whole."""

    def fence(self, key: str, token: str) -> None:
        """Go on only while `token` is the current fence; it is compared, never read."""
        self._check(Check("fence"), "fence", self._place(key), token)

    def remember(self, keys: Keys, idempotency: IdempotencyRecord) -> None:
        """Go on only if this command is new; remember it and its answer."""
        key = keys.command(idempotency.digest)
        self._check(Check("command"), "command", self._place(key), idempotency.fingerprint)
        self._note(key, idempotency)

    def once(self, keys: Keys, name: str = "") -> None:
        """Go on only if this very program had no effect yet; named first, it is looked at first.

        For what only appends or counts: sent again after a lost answer it would do that twice. `name`: of
        what another program may try once more, where nobody knows what became of this one; see `once_name`.
        """
        self.remember(keys, IdempotencyRecord.of("once", name or once_name(), b"", ttl_ms=ONCE_MS))

    def note(self, keys: Keys, idempotency: IdempotencyRecord) -> None:
        """Remember it and its answer, new or not."""
        self._note(keys.command(idempotency.digest), idempotency)

    def document(self, about: str, key: str, version: int, content: bytes) -> None:
        """Write `content` over version `version` (0: there is none yet)."""
        self._over(version)
        place = self._place(key)
        self._check(Check(about, content), "version", place, expected(version))
        self._writes += (place, "SET", 1, content)

    def remove(self, about: str, key: str, version: int) -> None:
        """Delete the document, which must still be of this version."""
        self._over(version)
        self._check(Check(about, b""), "version", self._place(key), expected(version))
        self.write(key, "DEL")

    def unchanged(self, about: str, key: str, version: int) -> None:
        """Go on only while a document that is not written here is of this version (0: there is none)."""
        self._check(Check(about), "version", self._place(key), expected(version))

    def book(self, keys: Keys, booking: Booking) -> None:
        """Book the units, bucket by bucket, within the limit."""
        limit = self._place(keys.limit(booking.vendor_id, booking.pool_id, booking.day))
        self._check(Check(booking), "book", limit, *self._run(keys, booking))

    def unbook(self, keys: Keys, booking: Booking) -> None:
        """Give the units back."""
        self._check(Check(booking), "unbook", *self._run(keys, booking))

    def cap(self, about: Charged, limits: str, used: str, trips: int, cents: int) -> None:
        """Go on only if a payer's caps allow a vendor so much more on a day; less counts for what follows."""
        words = self._place(limits), self._place(used), about.payer, about.day, trips, cents
        self._check(Check(about), "cap", *words)

    def ceiling(self, about: str, used: str, limit: str, content: bytes) -> None:
        """Set new limits, if no more than these is booked; without `content` the ledger goes."""
        self._check(Check(about), "ceiling", self._place(used), content)
        if content:
            self.write(limit, "SET", content)
        else:
            self.write(limit, "DEL")
            self.write(used, "DEL")

    def write(self, key: str, name: str, *words: Word) -> None:
        """The command `name key words…`, after all checks."""
        keys = self._keys  # as `_place` has it: this is most of what a commit's program costs
        self._writes += (keys.setdefault(key, len(keys) + 1), name, len(words), *words)

    def figure(self, key: str, name: str, *words: Word) -> None:
        """As `write`, of what is only counted: where it cannot be written it is left out, and told."""
        self.write(key, FIGURE + name, *words)

    def command_line(self, sha: str, tag: bytes, *, doubted: bool = False) -> tuple[Word, ...]:
        """The EVALSHA; its answer begins with `tag`.

        `doubted`: a version may be another document's than was read, and counts for none. Then nothing is
        written over; the answer says whether this very program had its effect before.
        """
        checks = list(self._checks) if doubted else self._checks
        for place in self._versions if doubted else ():
            checks[place] = NO_VERSION
        return ("EVALSHA", sha, len(self._keys), *self._keys, tag, *checks, "writes", *self._writes)

    def _note(self, key: str, idempotency: IdempotencyRecord) -> None:
        self.write(key, "SET", idempotency.fingerprint + idempotency.answer, "PX", idempotency.ttl_ms)

    def _over(self, version: int) -> None:
        """The next check is of a version that is written over."""
        if version:
            self._versions.append(len(self._checks) + 2)

    def _check(self, check: Check, *words: Word) -> None:
        self.checks.append(check)
        self._checks += words

    def _place(self, key: str) -> int:
        return self._keys.setdefault(key, len(self._keys) + 1)

    def _run(self, keys: Keys, booking: Booking) -> tuple[int, ...]:
        used = self._place(keys.used(booking.vendor_id, booking.pool_id, booking.day))
        return used, 1 + booking.first, booking.count, booking.units, booking.daily


class Deferred(Program):
    """Written out when it is sent, with the others that are sent with it.

    The way through the code is the same for all of them, and the second finds it in the processor's caches:
    written out one at a time, between all else that a call does, it costs half as much again.
    """

    __slots__ = ("_key", "_weight", "_write")

    def __init__(self, key: str, weight: int, write: Callable[[Program], None]) -> None:
        """`key`, `weight`: as the program will have them, the latter roughly; `write` adds all to it."""
        super().__init__()
        self._key, self._weight = key, weight
        self._write: Callable[[Program], None] | None = write

    @property
    def key(self) -> str:
        """See `Program`."""
        return self._key

    @property
    def weight(self) -> int:
        """See `Program`; the same before it is written out and after."""
        return self._weight

    def write_out(self) -> None:
        """Once. Raises what writing raises, each time: then nothing of it is to be sent."""
        if self._write is not None:
            self._write(self)
            self._write = None

    def command_line(self, sha: str, tag: bytes, *, doubted: bool = False) -> tuple[Word, ...]:
        """See `Program`."""
        self.write_out()
        return super().command_line(sha, tag, doubted=doubted)
