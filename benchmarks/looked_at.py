"""Consoles without a browser: streams of a board's changes, read and thrown away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

import aiohttp


@contextlib.asynccontextmanager
async def looked_at(url: str, headers: Mapping[str, str], consoles: int) -> AsyncIterator[None]:
    """So many look at the market at `url` while this lasts."""
    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(None)) as session:
        streams = [await session.get(f"{url}/board/changes") for _ in range(consoles)]
        readers = [asyncio.create_task(_read(each)) for each in streams]
        try:
            yield
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)
            for stream in streams:
                stream.close()


async def _read(stream: aiohttp.ClientResponse) -> None:
    async for _ in stream.content.iter_any():
        pass
