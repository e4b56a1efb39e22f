"""Documents of credentials that matter no longer go once their days are over; and those that are sealed under
an old patient key are sealed anew, elsewhere, before their record says so.

A record ceases to name a file before that is removed. Where a process died between, or before a file's record
came to name it, one lies there that nobody names: it goes after a month.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from msgspec.structs import replace

from contracts.instants import to_instant
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.papers import KeptFile, PaperRecord, sealed_anew, tidied, without_files
from dispatcher.domain.refusals import Unreadable
from dispatcher.security.vault import UnreadablePatient
from dispatcher.service.service import Service
from dispatcher.store.outcome import Status
from dispatcher.store.papers import blob_name, day_of, folder, vendor_of

UNNAMED_DAYS = 31  # a backup that is older by so much may be restored, and another one after it


async def drop_over(service: Service, market: str) -> int:
    """Remove the documents whose time is over; how many. Raises Unavailable."""
    gone = 0
    for record in (await service.store.market(market).papers.get_all()).values():
        try:
            gone += await _drop_over(service, market, record)
        except Unreadable:
            continue  # it is told of as such, and nobody knows what its vendor names
    return gone


async def _drop_over(service: Service, market: str, record: PaperRecord) -> int:
    stored, now_ms = service.store.market(market), service.clock.now_ms()
    values = (await service.markets.tuning(market)).values
    found = await stored.vendors.get(record.id)
    after, over = tidied(record, found.value if found is not None else None, values, now_ms)
    if after is record:
        return 0
    decision = Decision(changes=(Change(record, after),), at_ms=now_ms)
    vendor = without_files(found.value, after) if found is not None else None
    if found is None or vendor is None or vendor == found.value:
        outcome = await stored.commit([decision])
    else:
        outcome = await stored.vendors.replace(found.version, found, vendor, at_ms=now_ms, entry=decision)
    if outcome.status is not Status.OK:
        return 0  # somebody sends another: in an hour again
    await _remove(service, [each.name for each in over])
    return len(over)


async def remove_unnamed(service: Service, market: str) -> int:
    """Remove documents that no record names, a month after they were put; how many. Raises Unavailable."""
    proofs, records = service.proofs, service.store.market(market).papers.records
    last = (to_instant(service.clock.now_ms()).date() - dt.timedelta(days=UNNAMED_DAYS)).isoformat()
    kept = [each.name for each in await proofs.beside(proofs.blobs.under, folder(market))]
    unnamed = list[str]()
    for name in kept:
        if day_of(name) < last:
            try:
                record: PaperRecord | None = await records.get(vendor_of(name))
            except Unreadable:
                continue  # nobody knows that it does not name it
            if record is None or all(each.name != name for each in record.files):
                unnamed.append(name)
    await _remove(service, unnamed)
    return len(unnamed)


async def seal_anew(service: Service, market: str) -> int:
    """Seal under the current patient key what is under another; of how many vendors. Raises Unavailable."""
    stored, vault, done = service.store.market(market).papers, service.store.vault, 0
    key = vault.sealing(market)
    if not key or len(vault.ring.keys) < 2:
        return 0
    for record in (await stored.get_all()).values():
        old = [each for each in record.files if each.key != key]
        try:
            done += bool(old) and await _sealed_anew(service, market, record, old)
        except (Unreadable, UnreadablePatient):
            continue  # it is told of as such
    return done


async def _sealed_anew(service: Service, market: str, record: PaperRecord, old: Sequence[KeptFile]) -> bool:
    stored, proofs, now_ms = service.store.market(market), service.proofs, service.clock.now_ms()
    anew = dict[str, KeptFile]()
    for each in old:
        name = blob_name(market, day_of(each.name), record.id, each.paper, each.name.rpartition(".")[2])
        sealed = stored.papers.seal(name, await service.papers.opened(market, each))
        await proofs.beside(proofs.blobs.put, name, sealed.content)
        anew[each.name] = replace(each, name=name, key=sealed.key, sealed=sealed.sha256)
    decision = Decision(changes=(Change(record, sealed_anew(record, anew, now_ms)),), at_ms=now_ms)
    done = (await stored.commit([decision])).ok
    await _remove(service, list(anew) if done else [each.name for each in anew.values()])
    return done


async def _remove(service: Service, names: Sequence[str]) -> None:
    if names:
        await service.proofs.beside(service.proofs.blobs.remove, names)
