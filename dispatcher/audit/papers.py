"""Whether every document that a credential has is known, and lies where it should, whole."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Final

from contracts.vendors import Vendor
from dispatcher.audit.blobs import Named, faults
from dispatcher.audit.proofs import NO_KEYS, Look
from dispatcher.blobs.port import Blobs
from dispatcher.domain.papers import PaperRecord, key_of
from dispatcher.security.vault import Vault
from dispatcher.store.market import MarketStore
from dispatcher.store.node import Node
from dispatcher.store.papers import folder
from dispatcher.store.servers import Servers

RULE: Final = "documents"


async def judge_documents(
    servers: Servers, market: str, blobs: Blobs
) -> tuple[dict[str, int], list[dict[str, str]]]:
    """What was looked at, and findings that were there twice. Raises OSError, Unavailable."""
    stored = MarketStore(Node(servers, Vault(NO_KEYS)), market)
    looks = [await _look(stored, blobs)]
    if looks[0].wrong:  # one may have been replaced while we read
        looks.append(await _look(stored, blobs))
    found = [each for each in looks[-1].wrong if each in looks[0].wrong]
    return looks[-1].told, [{"rule": RULE, "subject": what, "detail": how} for what, how in found]


async def _look(stored: MarketStore, blobs: Blobs) -> Look:
    """Records first: a document is put before its record names it, and removed after that does not."""
    vendors = {name: each.value for name, each in (await stored.vendors.get_all()).items()}
    records = await stored.papers.get_all()
    files = [(owner, each) for owner, record in records.items() for each in record.files]
    kept = {each.name: each.size for each in await asyncio.to_thread(blobs.under, folder(stored.name))}
    expected = [Named(owner, each.name, each.size, each.sealed) for owner, each in files]
    wrong = await asyncio.to_thread(faults, "document", expected, kept, blobs)
    wrong += [finding for each in vendors.values() for finding in _unknown(each, records)]
    unnamed = kept.keys() - {each.name for _, each in files}
    return Look({"documents": len(files), "documents_unnamed": len(unnamed)}, wrong)


def _unknown(vendor: Vendor, records: Mapping[str, PaperRecord]) -> Iterator[tuple[str, str]]:
    """What its credentials have, and nobody knows where it lies."""
    record = records.get(vendor.id)
    for each in vendor.credentials:
        if each.file is not None and (record is None or record.of(key_of(each), each.file.sha256) is None):
            yield vendor.id, f"has a document of {each.kind.value} until {each.expires_on} that is not known"
