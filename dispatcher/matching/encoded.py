"""Vendors and their capacity as arrays; who makes that raise is left out until the document is another.

So is a vendor with whom planning raises, see `culprits`. It is told as what cannot be read, under `vendor.`
and the rule or step that raised.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import structlog

from contracts.vendors import Vendor
from dispatcher.matching.capacity import CapacityBook, Postings, capacity_book
from dispatcher.matching.faults import MOST, NO_FAULT_OF_AN_ITEM, step_of
from dispatcher.matching.halving import faulty
from dispatcher.runtime.errors import kind_of_failure
from dispatcher.store.aside import Item
from dispatcher.store.codec import Versioned
from dispatcher.store.ledger import Ledger, LedgerKey
from dispatcher.store.market import MarketStore
from dispatcher.store.vendors import VENDOR
from solvers.encoding import VendorBook
from solvers.horizon import Horizon
from solvers.screening import VendorKnowledge

log = structlog.get_logger()
Documents = Mapping[str, Versioned[Vendor]]  #: by vendor


class LeftOut(NamedTuple):
    """Until the document is of another version."""

    version: int
    kind: str  #: it is told as
    reason: str


LeftOuts = Mapping[str, LeftOut]  #: by vendor


@dataclass(frozen=True, eq=False)
class VendorsRead:
    """What vendors and their capacity are encoded from."""

    documents: Documents
    known: VendorKnowledge
    posted: Postings
    ledgers: Mapping[LedgerKey, Ledger]
    horizon: Horizon
    book: VendorBook | None  #: of the very same documents, as encoded before

    def encoded(self) -> tuple[VendorBook, CapacityBook]:
        """As arrays."""
        if self.book is not None:
            book = self.book.knowing(self.known)
        else:
            book = VendorBook.of(tuple(each.value for each in self.documents.values()), self.known)
        return book, capacity_book(book.index, self.posted, self.ledgers, self.horizon)

    def only(self, vendor_ids: Collection[str]) -> VendorsRead:
        """The same of some."""
        some = {each: document for each, document in self.documents.items() if each in vendor_ids}
        return replace(self, documents=some, book=None)

    def works(self, vendor_ids: Collection[str]) -> bool:
        """Whether these can be encoded."""
        with contextlib.suppress(Exception):
            self.only(vendor_ids).encoded()
            return True
        return False


class Encoded(NamedTuple):
    """Vendors that are planned with, as arrays; and who is left out."""

    documents: Documents
    book: VendorBook
    capacity: CapacityBook
    left_out: LeftOuts


async def encoded(stored: MarketStore, read: VendorsRead, left_out: LeftOuts, *, alone: bool) -> Encoded:
    """Without those that make it raise, who are left out as well. Raises what is no vendor's fault.

    `alone`: somebody asked for this one, and is told what is wrong with it.
    """
    try:
        return Encoded(read.documents, *read.encoded(), left_out)
    except NO_FAULT_OF_AN_ITEM:
        raise
    except Exception as error:
        ids = tuple(read.documents)
        found = [] if alone else await asyncio.to_thread(faulty, ids, read.works, MOST)
        if not found:
            raise
        more = with_these(stored, left_out, read.documents, found, error)
        rest = read.only(read.documents.keys() - set(found))
        return Encoded(rest.documents, *rest.encoded(), more)


def with_these(
    stored: MarketStore,
    left_out: LeftOuts,
    documents: Documents,
    vendor_ids: Collection[str],
    error: Exception,
) -> LeftOuts:
    """These left out as well, since they raise `error`. Raises it where they are too many."""
    if len(left_out) + len(vendor_ids) > MOST:
        raise error
    log.error("vendors_not_planned", market=stored.name, vendors=[*vendor_ids], exc_info=error)
    kind, reason = f"{VENDOR}.{step_of(error)}", kind_of_failure(error)
    there = [each for each in vendor_ids if each in documents]
    fresh = {each: LeftOut(documents[each].version, kind, reason) for each in there}
    _tell(stored, fresh)
    return {**left_out, **fresh}


def still_left_out(stored: MarketStore, before: LeftOuts, documents: Documents) -> LeftOuts:
    """Those whose documents are the same; they are told of as long as that is so."""
    same = {
        each: one
        for each, one in before.items()
        if each in documents and documents[each].version == one.version
    }
    _tell(stored, same)
    return same


def _tell(stored: MarketStore, vendors: LeftOuts) -> None:
    for each, one in vendors.items():
        stored.node.aside.note_again(stored.name, Item(one.kind, each), one.reason)
