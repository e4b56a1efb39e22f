"""Codes that sign a vendor's people in, once, and which sessions of a vendor still count.

A code is kept as its digest. A vendor's sessions carry the mark that stood when they were opened; ops ends
them all by setting another.
"""

from __future__ import annotations

import hashlib
import secrets

from dispatcher.store.connection import Reader
from dispatcher.store.resp import text_of

CODE, MARK = "dispatch:sign-in:", "dispatch:sign-in-mark:"


class SignIns:
    """All of it raises Unavailable."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def keep(self, code: str, said: bytes, remember_s: int) -> None:
        """What a code is worth, until it is used or its time is over."""
        await self.reader.ask("SET", _key(CODE, code), said, "EX", remember_s)

    async def take(self, code: str) -> bytes | None:
        """What a code is worth, to the first who asks."""
        found: bytes | None = await self.reader.ask("GET", _key(CODE, code))
        first = found is not None and await self.reader.ask("DEL", _key(CODE, code))  # who deletes it has it
        return found if first else None

    async def mark(self, market: str, vendor_id: str) -> str:
        """What sessions of the vendor have to carry; "" if none were ended yet."""
        found = await self.reader.ask("GET", _key(MARK, f"{market}/{vendor_id}"))
        return text_of(found) if found else ""

    async def end(self, market: str, vendor_id: str) -> None:
        """No session opened before counts any more, and no code."""
        await self.reader.ask("SET", _key(MARK, f"{market}/{vendor_id}"), secrets.token_hex(8))


def _key(kind: str, name: str) -> str:
    return kind + hashlib.sha256(name.encode()).hexdigest()
