"""Writes decisions at the end of a market's chain, several at a time.

They are packed in one hop to a thread, and stand in the ledger by one write, for one fsync. What cannot be
packed or kept is lost by itself; the others are linked without it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from dispatcher.decisions.decided import Decided, Looked, header_of, linked
from dispatcher.decisions.packer import Packer
from dispatcher.decisions.parameters import DAYS
from dispatcher.decisions.record import BOOKS_NOTHING, BY_HAND, Raw, hash_of
from dispatcher.decisions.store import DecisionStore
from dispatcher.domain.refusals import Unavailable, Unwritable
from dispatcher.store.connection import StoreError
from dispatcher.store.decisions import Entry, Link, Taken
from dispatcher.store.market import MarketStore
from solvers.saved import NotSaved

TRIES: Final = 5  #: for a place in the chain
UNNOTED: Final = BOOKS_NOTHING | {BY_HAND}
_SEEN: Final = 4_096
_THREAD = ThreadPoolExecutor(1, "decisions")
#: what a full disk, a store that is away, a damaged ledger or a plug-in's own travel times raise
FAULTS: Final = (
    OSError,
    Unavailable,
    Unwritable,
    StoreError,
    NotSaved,
    msgspec.DecodeError,
    ValueError,
    Taken,
)

Result = TypeVar("Result")


class _Packed(NamedTuple):
    raw: Raw
    shared: list[bytes]  #: with other records
    requests: Sequence[str]  #: of which it is noted that this decided on them last
    kept_days: int


_AllPacked = tuple[list[_Packed], list[BaseException]]  #: and why some could not be


@dataclass(eq=False)
class Writer:
    """Of one market. Not for two tasks at once."""

    stored: MarketStore
    decisions: DecisionStore
    tz: ZoneInfo
    _last: Entry | None = None
    _seen: OrderedDict[str, int] = field(default_factory=OrderedDict)
    _packer: Packer = field(default_factory=Packer)

    async def write(self, some: Sequence[Decided | Looked]) -> list[BaseException]:
        """Write them; why some of them were lost, one fault for each. Raises FAULTS: all were."""
        try:
            return await self._chained(some)
        except FAULTS:
            self._last = None
            raise

    async def _chained(self, some: Sequence[Decided | Looked]) -> list[BaseException]:
        packed: _AllPacked | None = None
        for _ in range(TRIES):
            known = self._last  # read in this order: who writes between has the place, and we try again
            place = known.seq if known else await self.stored.decisions.issued()
            before = known or await self.stored.decisions.last()
            packed, links, lost = await beside(self._linked, some, packed, before, place)
            try:
                if links:
                    await self.stored.decisions.add(links)
                    self._last = links[-1].entry
                return lost
            except Taken:  # who had the market before us still writes; or what we wrote last is lost
                self._last = None
        raise Taken(f"{TRIES} times")

    def _linked(
        self, some: Sequence[Decided | Looked], packed: _AllPacked | None, before: Entry | None, place: int
    ) -> tuple[_AllPacked, list[Link], list[BaseException]]:
        """In the thread: nothing here is of the event loop's. What is packed already stays so."""
        packed = packed or self._all_packed(some)
        links, lost = self._all_kept(packed[0], before, place)
        return packed, links, packed[1] + lost

    def _all_packed(self, some: Sequence[Decided | Looked]) -> _AllPacked:
        packed, lost = list[_Packed](), list[BaseException]()
        for each in some:
            try:
                packed.append(self._packed(each if isinstance(each, Decided) else each.make()))
            except Exception as error:  # whatever a plug-in raises: it is told, and the others are written
                lost.append(error)
        return packed, lost

    def _all_kept(
        self, packed: Sequence[_Packed], before: Entry | None, place: int
    ) -> tuple[list[Link], list[BaseException]]:
        """One after the other, from the place after this one on."""
        links, lost = list[Link](), list[BaseException]()
        for each in packed:
            try:
                entry = self._put(linked(each.raw, before, place + 1), each.shared)
            except Exception as error:  # the same
                lost.append(error)
                continue
            links.append(Link(entry, each.requests, each.kept_days))
            before, place = entry, entry.seq
        return links, lost

    def _packed(self, decided: Decided) -> _Packed:
        digest = decided.plan.digest
        nth = self._seen[digest] = self._seen.pop(digest, -1) + 1
        while len(self._seen) > _SEEN:
            self._seen.popitem(last=False)
        market, vault = self.stored.name, self.decisions.vault
        raw, shared = self._packer.pack(
            header_of(market, self.tz, decided, nth),
            decided.screening(),
            decided.plan,
            lambda subject, plain: vault.seal(market, subject, plain),
        )
        # an offer names its decision: that of the matcher before it stays the one that is noted
        noted = () if decided.kind in UNNOTED else decided.requests[: decided.waiting]
        return _Packed(raw, shared, noted, DAYS.whole(decided.values))

    def _put(self, raw: Raw, shared: list[bytes]) -> Entry:
        record, header = self.decisions.put(raw, shared), raw.header
        return Entry(
            seq=header.seq,
            digest=header.digest,
            nth=header.nth,
            day=header.day,
            at_ms=header.at_ms,
            kind=header.kind,
            solver=header.solver,
            requests=len(header.requests),
            matched=header.matched,
            cost=header.cost,
            bound=header.bound,
            hash=hash_of(record),
            previous=header.previous,
        )


async def beside(work: Callable[..., Result], *words: object) -> Result:
    """In the one thread that writes decisions: never two at once in a process."""
    return await asyncio.get_running_loop().run_in_executor(_THREAD, work, *words)
