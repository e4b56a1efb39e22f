"""Which store this is: a name written at its first use, which tells one that lost everything from a new one.

A store that is emptied (FLUSHALL), that starts without its append-only file, or that is another one than
before, has no request that was ever acknowledged: nothing may go on as if that were so.
"""

from __future__ import annotations

import secrets

from dispatcher.store.connection import Reader

IDENTITY = "dispatch:identity"
REMEDY = "restore the backup and start again; if it is meant to be so, see docs/operations.md"


class Identity:
    """The store's name as this process knows it: told at the start, or the first that is found."""

    def __init__(self, reader: Reader, known: str = "") -> None:
        self.reader = reader
        self.known = known

    async def problem(self) -> str:
        """What is wrong, "" if it is the store that is known. A new one gets its name. Raises Unavailable."""
        found = await self._found()
        if not self.known:
            self.known = found or await self._name_it()
            return ""
        if found == self.known:
            return ""
        if found:
            return f"this is another store than the one that was in use; {REMEDY}"
        return (  # what is written to it since (leases, consumer groups) does not make it whole
            f"the store was in use and is now empty, or has lost its key {IDENTITY} "
            f"(FLUSHALL, or a lost append-only file); {REMEDY}"
        )

    async def _found(self) -> str:
        raw = await self.reader.ask("GET", IDENTITY)
        return raw.decode(errors="replace") if raw else ""

    async def _name_it(self) -> str:
        """Several may do so at once: the first one's name stands."""
        await self.reader.ask("SET", IDENTITY, secrets.token_hex(16), "NX")
        return await self._found()
