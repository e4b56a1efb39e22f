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
        key = PREFIX + hashlib.sha256(name.encode()).hexdigest()
        return bool(await self.reader.ask("SET", key, "1", "NX", "EX", remember_s))
