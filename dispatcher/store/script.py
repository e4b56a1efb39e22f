"""commit.lua: its text, and what its answers mean."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from redis.exceptions import NoScriptError

from dispatcher.domain.booking import Booking
from dispatcher.store.connection import Reader
from dispatcher.store.outcome import Outcome, Status
from dispatcher.store.program import Program

Reply = list[bytes | int]


class BrokenLedger(RuntimeError):
    """An unbooking would give back more than is booked: record and ledger differ. Run `dispatcher audit`."""


class CommitFailed(RuntimeError):
    """The script itself failed: a fault of the program or of the server, not of the command."""


@cache
def source(name: str) -> bytes:
    """The text of a script of this package."""
    return files(__package__).joinpath(f"{name}.lua").read_bytes()


async def run(reader: Reader, name: str, keys: Sequence[str], *words: str | int) -> Any:
    """The answer of a script of this package that may run twice. Raises Unavailable."""
    text, given = source(name), (len(keys), *keys, *words)
    try:
        return await reader.ask("EVALSHA", sha(text), *given)
    except NoScriptError:
        return await reader.ask("EVAL", text, *given)


def sha(text: bytes) -> str:
    """The name the server knows a loaded script by."""
    return hashlib.sha1(text, usedforsecurity=False).hexdigest()


def outcome_of(program: Program, reply: Reply, *, asked_again: bool) -> Outcome:
    """What the answer, without its tag, means for this program. `asked_again`: an earlier reply was lost.

    A document that is "stale" by being exactly what this program would write was written by it: that is OK.
    """
    status = bytes(reply[0]).decode() if isinstance(reply[0], bytes) else str(reply[0])
    if status == "broken":
        raise BrokenLedger(
            f"{_booking(program, reply)} would take cell {reply[2]!r} below zero: {reply[3]!r} booked."
        )
    if status == Status.DUPLICATE:
        return Outcome(Status.DUPLICATE, answer=_bytes(reply[1]))
    if status == Status.STALE:
        check = program.checks[_int(reply[1])]
        if check.intended is None:
            return Outcome(Status.OUTDATED, stale_id=str(check.about))
        ours = asked_again and check.intended == reply[2]
        return Outcome(Status.OK) if ours else Outcome(Status.STALE, stale_id=str(check.about))
    if status == Status.FULL:
        cell = _int(reply[2])
        return Outcome(Status.FULL, booking=_booking(program, reply), bucket=cell - 1 if cell else None)
    return Outcome(Status(status))


def _booking(program: Program, reply: Reply) -> Booking | None:
    about = program.checks[_int(reply[1])].about
    return about if isinstance(about, Booking) else None


def _int(value: bytes | int) -> int:
    return int(value)


def _bytes(value: bytes | int) -> bytes:
    return value if isinstance(value, bytes) else b""
