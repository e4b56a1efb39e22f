"""What is stored and cannot be read: set aside and named once, so that everything beside it goes on.

A cut document, a form that no version of the service wrote, a patient block whose key is gone: whoever reads
many leaves it out, whoever asks for that one is told so. Nothing of what it holds is repeated anywhere.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

import msgspec
import structlog

from dispatcher.domain.refusals import PatientKeyMissing, Unreadable
from dispatcher.security.vault import MissingKey, UnreadablePatient
from dispatcher.store.formats import NewerFormat

READ_ERRORS = (msgspec.MsgspecError, UnreadablePatient, ValueError, LookupError, TypeError, struct.error)
KEY_RETRY_S = 5
MET_S = 60.0  # real: what is at work is read more often than that
MOST_KNOWN = 10_000  # of one market; beyond, some may be named twice
Value = TypeVar("Value")
log = structlog.get_logger()


class Item(NamedTuple):
    """Something stored: what it is (a key of docs/operations.md's table) and its id."""

    kind: str
    id: str


class Aside:
    """What this process has set aside, by market; `next` hands each over to be told of."""

    def __init__(self) -> None:
        self._known: defaultdict[str, dict[Item, float]] = defaultdict(dict)  # and when it was last met
        self._keyless: defaultdict[str, dict[Item, str]] = defaultdict(dict)
        self._news: defaultdict[str, asyncio.Queue[Item]] = defaultdict(asyncio.Queue)

    def read(
        self, market: str, item: Item, raw: bytes, unpack: Callable[[bytes], Value], **facts: object
    ) -> Value:
        """What `raw` holds. Raises Unreadable, which names it and has these facts."""
        try:
            value = unpack(raw)
            self._is_readable(market, item)
            return value
        except MissingKey as error:
            self._note_keyless(market, item, error.key_id)
            raise PatientKeyMissing(
                f"{item.kind} {item.id} was sealed under the patient key {error.key_id!r}, not known here\n"
                "Maybe put the newest key file there: the command `keys status` says more.",
                kind=item.kind,
                id=item.id,
                key_id=error.key_id,
                retry_after_s=KEY_RETRY_S,
            ) from error
        except NewerFormat as error:
            self.note(market, item, str(error))
            raise Unreadable(
                f"{item.kind} {item.id} {error}\nMaybe a newer version wrote it: see docs/upgrading.md.",
                kind=item.kind,
                id=item.id,
                **facts,
            ) from error
        except READ_ERRORS as error:
            self.note(market, item, type(error).__name__)
            raise Unreadable(
                f"{item.kind} {item.id} is stored and cannot be read\n"
                "Maybe restore it from a backup: the command `audit` names all that is like it.",
                kind=item.kind,
                id=item.id,
                **facts,
            ) from error

    def read_all(
        self,
        market: str,
        kind: str,
        found: Iterable[tuple[str, bytes | None]],
        unpack: Callable[[bytes], Value],
        *,
        expected: bool = False,
    ) -> dict[str, Value]:
        """Those that are there and can be read, by id; the others are set aside.

        `expected`: also those that are not there, or are of another type, which reads alike.
        """
        values: dict[str, Value] = {}
        for each, raw in found:
            if raw is None:
                if expected:
                    self.note(market, Item(kind, each), "missing")
            elif raw or expected:
                try:
                    values[each] = unpack(raw)
                    self._is_readable(market, Item(kind, each))
                except MissingKey as error:
                    self._note_keyless(market, Item(kind, each), error.key_id)
                except READ_ERRORS as error:
                    why = str(error) if isinstance(error, NewerFormat) else type(error).__name__
                    self.note(market, Item(kind, each), why)
        return values

    def note(self, market: str, item: Item, reason: str) -> None:
        """Name it, if it was not named before."""
        known = self._known[market]
        is_news = item not in known
        if is_news and len(known) >= MOST_KNOWN:
            known.clear()
        known[item] = time.monotonic()
        if not is_news:
            return
        log.error("unreadable", market=market, kind=item.kind, id=item.id, reason=reason)
        self._news[market].put_nowait(item)

    def note_again(self, market: str, item: Item, reason: str) -> None:
        """As `note`, of what is only written: named again once it was not met for a while."""
        met_s = self._known[market].get(item)
        if met_s is not None and met_s < time.monotonic() - MET_S:
            del self._known[market][item]
        self.note(market, item, reason)

    def key_of(self, market: str, item: Item) -> str:
        """The patient key for want of which it was set aside; "": it was for another reason."""
        return self._keyless[market].get(item, "")

    def forget_keyless(self) -> None:
        """The key ring is another: what was set aside for want of a key is named again if it still is."""
        for market, items in self._keyless.items():
            for item in items:
                self._known[market].pop(item, None)
        self._keyless.clear()

    def _note_keyless(self, market: str, item: Item, key_id: str) -> None:
        if len(self._keyless[market]) >= MOST_KNOWN:
            self._keyless[market].clear()
        self._keyless[market][item] = key_id
        self.note(market, item, f"patient key {key_id} is missing")

    def known(self, market: str) -> frozenset[Item]:
        """All that was set aside, and was not read since."""
        return frozenset(self._known[market])

    def met_lately(self, market: str) -> Counter[str]:
        """How many of each kind this process has come upon in the last MET_S."""
        since_s = time.monotonic() - MET_S
        return Counter(item.kind for item, met_s in self._known[market].items() if met_s >= since_s)

    def _is_readable(self, market: str, item: Item) -> None:
        """It may have been mended: then it is named again when it is damaged again."""
        if self._known[market] and self._known[market].pop(item, None) is not None:
            log.info("readable_again", market=market, kind=item.kind, id=item.id)

    async def next(self, market: str) -> Item:
        """The next that was set aside, in order; each once."""
        return await self._news[market].get()
