"""Rewrites the embedded server's append-only file by age: what was forgotten leaves the disk, too.

The server itself rewrites by size alone: until the file has doubled, what was deleted lies in it. The age is
that of the file which the last rewrite made, so a service that is restarted every night grows old as well.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from dispatcher.domain.refusals import Unavailable
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.connection import Reader, StoreError, connect

HOUR_S = 3_600.0
LOOK_S = 300.0  # real seconds
POLL_S = 0.02
LONGEST_S = 600.0  # for one rewrite; one that takes longer is looked at again
log = structlog.get_logger()


async def keep_rewriting(redis: EmbeddedRedis, hours: float, now_s: Callable[[], float] = time.time) -> None:
    """Until cancelled: rewrite whenever the file is `hours` (real) old; what fails is tried again."""
    while True:
        try:
            await rewrite_if_old(redis, hours, now_s())
        except (Unavailable, StoreError, OSError, TimeoutError) as error:
            log.warning("append_only_file_not_rewritten", reason=type(error).__name__, hours=hours)
        await asyncio.sleep(LOOK_S)


async def rewrite_if_old(redis: EmbeddedRedis, hours: float, now_s: float) -> bool:
    """Whether it was old enough and was rewritten. Raises Unavailable, TimeoutError."""
    base = _base(redis.folder)
    if redis.pid is None or base is None or now_s - base.stat().st_mtime < hours * HOUR_S:
        return False
    client = connect(redis.url)
    try:
        await Reader(client).ask("BGREWRITEAOF")
        async with asyncio.timeout(LONGEST_S):
            while not _is_over(redis.folder, base):  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(POLL_S)
    finally:
        await client.aclose()
    log.info("append_only_file_rewritten", after_hours=hours)
    return True


def _is_over(folder: Path, before: Path) -> bool:
    """Whether what was there before is gone: the file of the last rewrite, and what came after it."""
    files = folder / "appendonlydir"
    return not before.exists() and all(len(list(files.glob(each))) == 1 for each in ("*.base.*", "*.incr.*"))


def _base(folder: Path) -> Path | None:
    """What the last rewrite made; None where there is none, or while one is taking its place."""
    found = list((folder / "appendonlydir").glob("*.base.*"))
    return found[0] if len(found) == 1 else None
