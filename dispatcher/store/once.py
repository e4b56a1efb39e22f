"""What may happen once: whoever says its name first does it, whichever process it is."""

from __future__ import annotations

import hashlib
import secrets

from dispatcher.store.connection import Reader

PREFIX = "dispatch:once:"
WORD_BYTES = 8


class Once:
    """Names that were said, for a while; a name is kept as its digest."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def first(self, name: str, remember_s: int) -> bool:
        """Whether nobody has said it before. Raises Unavailable.

        Who says it leaves a word of its own: asked again after a lost answer, it finds that and is the first.
        """
        own = secrets.token_hex(WORD_BYTES).encode()
        # as bytes: redis-py would read the answer as that of a SET without GET
        before = await self.reader.ask(b"SET", _key(name), own, "NX", "GET", "EX", remember_s)
        return before is None or bytes(before) == own

    async def was(self, name: str) -> bool:
        """Whether somebody has said it, and it is remembered. Raises Unavailable."""
        return bool(await self.reader.ask("EXISTS", _key(name)))


def _key(name: str) -> str:
    return PREFIX + hashlib.sha256(name.encode()).hexdigest()
