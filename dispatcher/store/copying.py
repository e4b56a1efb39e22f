"""Copies what is stored from one server to another that holds nothing of it; the store's name goes last."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from redis.exceptions import ResponseError

from contracts.streams import PREFIX
from dispatcher.runtime.errors import UserError
from dispatcher.store.connection import REDIRECTED, Reader, server_words
from dispatcher.store.identity import IDENTITY

AT_ONCE = 500


async def is_empty(reader: Reader) -> bool:
    """Whether nothing of ours is stored there. Raises Unavailable."""
    async for names in _names(reader):
        if names:
            return False
    return True


async def clear(reader: Reader) -> None:
    """Remove all that is ours. Raises Unavailable."""
    async for names in _names(reader):
        if names:
            await reader.ask("UNLINK", *names)


async def copy(source: Reader, target: Reader) -> int:
    """Everything that is ours, as it is, with the time that it has left; how many keys.

    Whoever finds the store's name there finds all the rest. Raises Unavailable, UserError.
    """
    copied = 0
    async for names in _names(source):
        await _copy(source, target, [name for name in names if name != IDENTITY.encode()])
        copied += len(names)
    await _copy(source, target, [IDENTITY.encode()])
    return copied


async def _copy(source: Reader, target: Reader, names: list[bytes]) -> None:
    asked = [words for name in names for words in (("DUMP", name), ("PTTL", name))]
    answers = await source.ask_all(asked)
    written: list[tuple[Any, ...]] = []
    for name, raw, left_ms in zip(names, answers[::2], answers[1::2], strict=True):
        if raw is not None:
            written.append(("RESTORE", name, max(0, int(left_ms)), raw, "REPLACE"))
    try:
        await target.ask_all(written)
    except REDIRECTED as error:
        raise UserError(
            "the server is one of a cluster, and others have the slots of some that is in the backup.",
            "Maybe give it those slots first, as the server had that the backup is of.",
        ) from error
    except ResponseError as error:
        raise UserError(
            f"the store does not take the backup: {server_words(error)}.",
            "Maybe it is older than the server that made it: restore into one of that version or newer.",
        ) from error


async def _names(reader: Reader) -> AsyncIterator[list[bytes]]:
    cursor: Any = 0
    while True:
        cursor, names = await reader.ask("SCAN", cursor, "MATCH", f"{PREFIX}*", "COUNT", AT_ONCE)
        yield list(names)
        if int(cursor) == 0:
            return
