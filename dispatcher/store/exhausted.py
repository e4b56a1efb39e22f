"""Streams whose ids are used up: one entry with the id 2^64-1 is enough, and nobody can append any more.

The stream goes aside under a name that tells when, and a new one takes its place, with its entries and its
consumer groups (replace_stream.lua). Nothing is thrown away: what was moved aside waits for somebody to look.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from contracts import streams
from dispatcher.store import script
from dispatcher.store.connection import CONNECTION_ERRORS, is_retryable, unavailable, writes_refused
from dispatcher.store.resp import text_of

COPIED = 200_000  # entries that come along, about a second of the server's time; the others are left aside
LONGEST_TIME = 15  # digits of the milliseconds of an id; no clock shows more before the year 33658
log = structlog.get_logger()


class Replaced(NamedTuple):
    """What became of a stream: the name it lies under now, and what its successor took over."""

    aside: str
    entries: int
    groups: int
    left_behind: int


def is_sane(entry_id: str) -> bool:
    """Whether an entry's id may come from a clock; after one that does not, a stream soon takes no more."""
    return len(entry_id.partition("-")[0]) <= LONGEST_TIME


async def replace_stream(client: Redis, stream: str) -> Replaced | None:
    """Give an exhausted stream a successor; None if it is not exhausted. May be asked by several at once.

    Raises Unwritable if the server does not let us, Unavailable if it does not answer.
    """
    prefix, _, name = stream.partition("}:")
    prefix = f"{prefix}}}:{streams.EXHAUSTED}"
    aside = f"{prefix}:{name}:{time.time_ns() // 1_000_000}"
    words = ("EVAL", script.source("replace_stream"), 3, stream, aside, prefix, COPIED)
    try:
        answer = await client.execute_command(*words)  # type: ignore[no-untyped-call]
    except ResponseError as error:
        if "no such key" in str(error):
            return None
        if is_retryable(error):
            raise writes_refused(error) from error
        reason = f"its ids are used up, and it cannot be replaced ({text_of(error)})"
        raise script.unwritable(stream, reason) from error
    except CONNECTION_ERRORS as error:
        raise unavailable(f"the store does not answer ({type(error).__name__}).") from error
    if not answer:
        return None
    found = Replaced(aside, *map(int, answer))
    log.error("stream_replaced", stream=stream, **found._asdict())
    return found
