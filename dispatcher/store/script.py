"""commit.lua: its text, and what its answers mean."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from redis.exceptions import NoScriptError, ResponseError

from dispatcher.domain.booking import Booking
from dispatcher.domain.refusals import Unwritable
from dispatcher.store.connection import Reader
from dispatcher.store.outcome import Outcome, Status
from dispatcher.store.program import Program

Reply = list[bytes | int]
_REFUSAL = re.compile(r"(UNWRITABLE|EXHAUSTED) (\S+) (\S+)(.*?)(?: script: .*)?$", re.DOTALL)
_DONE = Outcome(Status.OK)
MEND_S = 30  # nothing but a person mends such a key: ask again, but not at once


class BrokenLedger(RuntimeError):
    """An unbooking would give back more than is booked: record and ledger differ. Run `dispatcher audit`."""


class CommitFailed(RuntimeError):
    """The script itself failed: a fault of the program or of the server, not of the command."""


class Exhausted(Unwritable):
    """The stream takes no entry any more: its ids are used up. `replace_stream` mends that."""


def unwritable(key: str, reason: str) -> Unwritable:
    """The refusal that names the key, and what is wrong with it."""
    return Unwritable(_unwritable(key, reason), key=key, reason=reason, retry_after_s=MEND_S)


def exhausted(key: str) -> Exhausted:
    """The refusal for a stream that takes nothing more."""
    reason = "the ids of this stream are used up"
    return Exhausted(_unwritable(key, reason), key=key, reason=reason, retry_after_s=MEND_S)


def refusal_of(error: ResponseError) -> tuple[bytes, Unwritable] | None:
    """The tag, and what the script found to be unwritable; None if the error is another one."""
    found = _REFUSAL.match(str(error))
    if found is None:
        return None
    code, tag, key, reason = found.groups()
    return tag.encode(), exhausted(key) if code == "EXHAUSTED" else unwritable(key, reason.strip())


def _unwritable(key: str, reason: str) -> str:
    return f"the store cannot write {key}: {reason}.\nMaybe ops has to mend that key; nothing was stored."


@cache
def source(name: str) -> bytes:
    """The text of a script of this package."""
    return files(__package__).joinpath(f"{name}.lua").read_bytes()


async def run(reader: Reader, name: str, keys: Sequence[str], *words: str | bytes | int) -> Any:
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
    Raises BrokenLedger.
    """
    if reply[0] == b"ok":  # nearly always, and nothing more
        return _DONE if len(reply) == 1 else Outcome(Status.OK, left_out=frozenset(map(_text, reply[1:])))
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


def _text(value: bytes | int) -> str:
    return _bytes(value).decode()


def _bytes(value: bytes | int) -> bytes:
    return value if isinstance(value, bytes) else b""
