"""Which formats a market's data has: every version writes its own before it stores anything, and looks first.

A version that meets a number which it does not know cannot read all there is: it says so at its start, and
does not pass over a part of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from dispatcher.runtime.errors import UserError
from dispatcher.store import formats, script
from dispatcher.store.connection import Reader, StoreError
from dispatcher.store.keys import Keys
from dispatcher.store.resp import text_of
from dispatcher.store.rings import FOR_EVER_MS

REMEDY = "upgrade this one, or restore the backup from before: docs/upgrading.md"


class NewerData(UserError):
    """What is stored was written by a newer version of the service."""


class FormatNumbers:
    """Of all markets that one process serves."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.wrong: frozenset[str] = (
            frozenset()
        )  #: markets whose numbers lately were in a key of another type

    async def problems(self, markets: Sequence[str]) -> tuple[str, ...]:
        """What this version does not know, in words; else its own numbers are added. Raises Unavailable."""
        known, told = formats.known(), list[str]()
        for market, names in (await self._stored(markets)).items():
            key = Keys(market).formats
            stored = newest(map(text_of, names))
            if newer := unknown(stored, known):
                told += [f"{market}: {each}" for each in newer]
            else:
                await self._tell(key, dict(known.items() - stored.items()))
        return tuple(told)

    async def refuse(self, markets: Sequence[str]) -> None:
        """Raises NewerData, and Unavailable."""
        if told := await self.problems(markets):
            raise NewerData("; ".join(told) + ".", f"A newer version wrote it: {REMEDY}.")

    async def _stored(self, markets: Sequence[str]) -> Mapping[str, Iterable[bytes]]:
        """By market what is told there; without those of which the key is of another type."""
        asked = [("HGETALL", Keys(each).formats) for each in markets]
        try:
            found = await self.reader.ask_all(asked)
        except StoreError:  # one of them: its trouble is its own
            found = await asyncio.gather(*(self.reader.ask(*each) for each in asked), return_exceptions=True)
        told = dict(zip(markets, found, strict=True))
        self.wrong = frozenset(name for name, names in told.items() if isinstance(names, StoreError))
        for names in told.values():
            if isinstance(names, BaseException) and not isinstance(names, StoreError):
                raise names
        return {name: names for name, names in told.items() if name not in self.wrong}

    async def _tell(self, key: str, numbers: Mapping[str, int]) -> None:
        for kind, number in numbers.items():
            await script.run(self.reader, "living", [key], "here", f"{kind} {number}", FOR_EVER_MS)


def newest(names: Iterable[str]) -> dict[str, int]:
    """The highest number of each kind, of names like "vendor 2"."""
    found: dict[str, int] = {}
    for name in names:
        kind, _, number = name.rpartition(" ")
        if number.isdecimal():
            found[kind] = max(int(number), found.get(kind, 0))
    return found


def unknown(stored: Mapping[str, int], known: Mapping[str, int]) -> list[str]:
    """What is of a format that this version does not know, in words."""
    return [
        f"what is stored of kind '{kind}' {formats.told(number, known.get(kind, 0))}"
        for kind, number in sorted(stored.items())
        if number > known.get(kind, 0)
    ]
