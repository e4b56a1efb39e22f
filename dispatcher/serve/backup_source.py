"""The store that a backup is of: where it answers, and which it is."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.errors import UserError
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.settings import Settings
from dispatcher.store import copying
from dispatcher.store.connection import REDIRECTED, Reader, connect
from dispatcher.store.identity import IDENTITY

AOF = "appendonlydir"
ASK_S = 5.0


@contextlib.asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[str]:
    """A URL on which the store answers: as set, the running embedded server's, or one that is started."""
    redis = EmbeddedRedis(settings.data_dir)
    if settings.redis_url:
        yield settings.redis_url
    elif await answers(redis.url):
        yield redis.url
    elif await asyncio.to_thread(os.path.isdir, redis.folder / AOF):  # False for a name that is too long, too
        async with redis:
            yield redis.url
    else:
        raise UserError(
            f"there is no store in {settings.data_dir}.", "Maybe name another folder with --data-dir."
        )


async def answers(url: str) -> bool:
    """Whether a server does there, now."""
    with contextlib.suppress(Unavailable):
        async with reader_of(url, timeout_s=0.0) as reader:
            return bool(await reader.ask("PING"))
    return False


async def identity_at(url: str) -> str:
    """Which store it is; "" of a cluster's server if another one has that key.

    Raises UserError: none that was ever in use.
    """
    async with reader_of(url) as reader:
        try:
            if found := await identity_of(reader):
                return found
        except REDIRECTED:
            if not await copying.is_empty(reader):
                return ""
    raise UserError("nothing is stored there.", "Maybe the address is another: see --url and --data-dir.")


async def identity_of(reader: Reader) -> str:
    """Which it is; "" for one that was never in use."""
    raw = await reader.ask("GET", IDENTITY)
    return raw.decode(errors="replace") if raw else ""


@contextlib.asynccontextmanager
async def reader_of(url: str, timeout_s: float | None = None) -> AsyncIterator[Reader]:
    """A client of its own, closed at the end."""
    client = connect(url)
    try:
        yield Reader(client, ASK_S if timeout_s is None else timeout_s)
    finally:
        await client.aclose()


def database(url: str) -> int:
    """The number of the database that a URL names."""
    path = urlsplit(url)
    return int(path.path.strip("/") or 0) if path.scheme != "unix" else 0
