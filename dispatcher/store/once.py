"""What may happen once: whoever says its name first does it, whichever process it is."""

from __future__ import annotations

import hashlib

from dispatcher.store.connection import Reader

PREFIX = "dispatch:once:"


class Once:
    """Names that were said, for a while; a name is kept as its digest."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def first(self, name: str, remember_s: int) -> bool:
        """Whether nobody has said it before. Raises Unavailable."""
        return bool(await self.reader.ask("SET", _key(name), "1", "NX", "EX", remember_s))

    async def was(self, name: str) -> bool:
        """Whether somebody has said it, and it is remembered. Raises Unavailable."""
        return bool(await self.reader.ask("EXISTS", _key(name)))


def _key(name: str) -> str:
    return PREFIX + hashlib.sha256(name.encode()).hexdigest()
