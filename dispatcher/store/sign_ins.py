"""Codes that sign a vendor's people in, once; which sessions are open, and which of them still count.

A code is kept as its digest. A vendor's sessions carry the marks that stood when they were opened, the
vendor's and the person's; ops ends them, all or one person's, by setting another. So that a stream need not
ask for its own all the time, each end also changes one word that all streams look at.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence

from dispatcher.store.connection import Reader
from dispatcher.store.once import Once
from dispatcher.store.resp import text_of

CODE, MARK = "dispatch:sign-in:", "dispatch:sign-in-mark:"
LONGEST_S = 86_400  # that a code may be worth something
OPEN, ENDED = "dispatch:sign-in-open:", "dispatch:sign-in-ended"


class SignIns:
    """All of it raises Unavailable."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def keep(self, code: str, said: bytes, remember_s: int) -> None:
        """What a code is worth, until it is used or its time is over."""
        await self.reader.ask("SET", _key(CODE, code), said, "EX", remember_s)

    async def take(self, code: str) -> bytes | None:
        """What a code is worth, to the first who asks, be it again after a lost answer."""
        key = _key(CODE, code)
        found: bytes | None = await self.reader.ask("GET", key)
        if found is None or not await Once(self.reader).first(key, LONGEST_S):
            return None
        await self.reader.ask("DEL", key)
        return found

    async def mark(self, market: str, vendor_id: str, person: str) -> str:
        """What sessions of the vendor's person have to carry; "" if none were ended yet."""
        names = (_vendor(market, vendor_id), _person(market, vendor_id, person))
        found = await self.reader.ask_all([("GET", _key(MARK, each)) for each in names])
        vendors, own = (text_of(each) if each else "" for each in found)
        return f"{vendors}.{own}" if own else vendors

    async def opened(self, market: str, vendor_id: str, name: str, said: bytes, remember_s: int) -> None:
        """A session is open from here on."""
        key = _key(OPEN, _vendor(market, vendor_id))
        await self.reader.ask_all([("HSET", key, name, said), ("EXPIRE", key, remember_s)])

    async def open(self, market: str, vendor_id: str) -> Mapping[str, bytes]:
        """Sessions that were opened and not ended, by name; some may be over by their time."""
        found = await self.reader.ask("HGETALL", _key(OPEN, _vendor(market, vendor_id)))
        return {text_of(name): said for name, said in found.items()}

    async def closed(self, market: str, vendor_id: str, names: Sequence[str]) -> None:
        """These are open no more."""
        if names:
            await self.reader.ask("HDEL", _key(OPEN, _vendor(market, vendor_id)), *names)

    async def end(self, market: str, vendor_id: str, person: str = "") -> None:
        """No session opened before counts any more, and no code: the person's, or all of the vendor's."""
        owner = _person(market, vendor_id, person) if person else _vendor(market, vendor_id)
        await self.reader.ask("SET", _key(MARK, owner), secrets.token_hex(8))
        if not person:
            await self.reader.ask("DEL", _key(OPEN, owner))
        await self.told()

    async def told(self) -> None:
        """Some session has ended, anybody's: every stream of a session asks for its own."""
        await self.reader.ask("SET", ENDED, secrets.token_hex(8))

    async def ended(self) -> str:
        """What changes with each end."""
        found = await self.reader.ask("GET", ENDED)
        return text_of(found) if found else ""


def _vendor(market: str, vendor_id: str) -> str:
    return f"{market}/{vendor_id}"


def _person(market: str, vendor_id: str, person: str) -> str:
    return f"{market}/{vendor_id}/{person}"


def _key(kind: str, name: str) -> str:
    return kind + hashlib.sha256(name.encode()).hexdigest()
