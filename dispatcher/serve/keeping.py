"""Keeps the embedded server: it comes back when it ends, however often that fails, and callers hear why."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import structlog

from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.errors import UserError
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.serve.notice import Notice
from dispatcher.serve.processes import FIRST_PAUSE_S, LONGEST_PAUSE_S, STEADY_S
from dispatcher.store.connection import Reader, connect
from dispatcher.store.identity import Identity

LOOK_S = 0.02
IDENTITY_FILE = "identity"  # beside what it names: a copy of the folder is whole
log = structlog.get_logger()


@contextlib.asynccontextmanager
async def started(redis: EmbeddedRedis, notice: Notice) -> AsyncIterator[asyncio.Task[None]]:
    """The embedded server, answering or loading; what is yielded ends when it answers.

    Raises UserError if it cannot be started at all.
    """
    starting = asyncio.create_task(redis.start())
    try:
        while not starting.done() and not redis.loading:  # noqa: ASYNC110 - once, at the start
            await asyncio.sleep(LOOK_S)
        if starting.done():
            starting.result()
            await remember(redis)
        else:
            notice.write(f"the embedded server does not answer yet: {redis.loading}")
        yield starting
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await redis.stop()


async def keep(redis: EmbeddedRedis, notice: Notice, starting: Awaitable[None]) -> None:
    """Start the server again whenever it ends, with growing pauses; what it acknowledged is on disk."""
    pause_s = FIRST_PAUSE_S
    while True:
        began_s, reason = time.monotonic(), ""
        try:
            await _answering(redis, notice, starting)
            reason = f"it ended with status {await redis.watch()}"
        except Exception as error:  # whatever it is (no memory, no thread): it may be otherwise in a moment
            told = isinstance(error, UserError | OSError)
            reason = (" ".join(str(error).split()) if told else "") or type(error).__name__
        pause_s = (
            FIRST_PAUSE_S if time.monotonic() - began_s > STEADY_S else min(2 * pause_s, LONGEST_PAUSE_S)
        )
        log.error("embedded_server_ended", reason=reason, restart_in_s=pause_s)
        notice.write(f"the embedded server is away, and is started again and again: {reason}")
        await asyncio.sleep(pause_s)
        starting = asyncio.create_task(redis.start())


async def _answering(redis: EmbeddedRedis, notice: Notice, starting: Awaitable[None]) -> None:
    """Until it answers; then there is nothing to tell any more."""
    try:
        await starting
    except asyncio.CancelledError:
        if isinstance(starting, asyncio.Task):
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
        raise
    await remember(redis)
    notice.write("")


async def remember(redis: EmbeddedRedis) -> None:
    """Keep the store's name in its folder, unless one is: an empty store is then not taken for a new one."""
    file = redis.folder / IDENTITY_FILE
    if file.exists():
        return
    client = connect(redis.url)
    try:
        identity = Identity(Reader(client, 1.0))
        await identity.problem()
        _write(file, identity.known)
    except (Unavailable, OSError) as error:
        log.warning("store_not_named", reason=str(error).partition("\n")[0])
    finally:
        await client.aclose()


def remembered(redis: EmbeddedRedis) -> str:
    """The name that is kept, "" if none is."""
    try:
        return (redis.folder / IDENTITY_FILE).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _write(file: Path, text: str) -> None:
    draft = file.with_suffix(".new")
    draft.write_text(text, encoding="ascii")
    draft.replace(file)
