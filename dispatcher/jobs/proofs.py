"""Proofs whose time is over: their pictures go from where they lie, then the record. And those that are
sealed under an old patient key are sealed anew: they are kept for longer than any key should be.

A picture is put before its record names it. Where a process died between, or a backup was restored that is
older, one lies there that no record names: it goes after a month, as a document does (`papers`); what is left
then, for nobody looked for some days, when its time would be over.
"""

from __future__ import annotations

import asyncio
import datetime as dt

import structlog
from msgspec.structs import replace

from contracts.instants import HOUR_MS, to_instant
from dispatcher.domain.commands.proof import DropPictures, SealAnew
from dispatcher.domain.proofs import DAYS, PictureRecord, ProofRecord, proof_id
from dispatcher.domain.refusals import Unreadable
from dispatcher.jobs import papers
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.security.vault import UnreadablePatient
from dispatcher.service.service import Service
from dispatcher.store.listing import END
from dispatcher.store.proofs import dispatch_of, renamed

EVERY_MS = HOUR_MS  # by the clock
LOOK_S = 60.0  # real
NO_DAY = "0000-00-00"  # nothing lies there: it costs one question
LOOKED_AT_DAYS = 32  # beyond the time of what is kept: so long may the service have been down
MISSED_DAYS = 4  # so long may nobody have looked, and what is a month old goes still
BY = "service"
log = structlog.get_logger()


async def keep_proofs(service: Service, market: str) -> None:
    """Tidy once an hour until cancelled; meanwhile see whether the place where pictures lie is there.

    Not while this machine's clock is wrong, as others say: what goes for being old cannot come back.

    Raises Unavailable when it is not: whoever keeps this running tells of it, before a driver does.
    """
    looked_at, next_ms = "", 0
    while not cancel_requested():
        now_ms = service.clock.now_ms()
        is_due = not 0 < next_ms - now_ms <= EVERY_MS  # also where the clock was ahead, and is put right
        if is_due and not service.store.has_wrong_clock(market):
            today = to_instant(now_ms).date().isoformat()
            await tidy(service, market, once_a_day=looked_at != today)
            looked_at, next_ms = today, now_ms + EVERY_MS
        await service.proofs.beside(service.proofs.blobs.under, f"{market}/{NO_DAY}")
        await asyncio.sleep(LOOK_S)


async def tidy(service: Service, market: str, *, once_a_day: bool) -> None:
    """What is over goes; once a day what nobody names, and what is under an old key is sealed anew."""
    did = {"pictures": await drop_over(service, market), "documents": await papers.drop_over(service, market)}
    if once_a_day:
        did["unnamed"] = await remove_unnamed(service, market)
        did["sealed_anew"] = await seal_anew(service, market)
        did["documents_unnamed"] = await papers.remove_unnamed(service, market)
        did["documents_sealed_anew"] = await papers.seal_anew(service, market)
    log.info("proofs_tidied", market=market, **did)


async def drop_over(service: Service, market: str) -> int:
    """Remove the pictures of proofs whose time is over; how many. Raises Unavailable."""
    stored, proofs, gone = service.store.market(market).proofs, service.proofs, 0
    while records := await stored.over():
        before = gone
        for each in records:
            await proofs.beside(proofs.blobs.remove, [picture.name for picture in each.pictures])
            command = DropPictures(offer_id=each.offer_id)
            outcome = await service.executor.attempt(BY, market, command, each)
            gone += len(each.pictures) if outcome is not None and outcome.ok else 0
        if gone == before:
            break  # others do the same
    return gone


async def remove_unnamed(service: Service, market: str) -> int:
    """Remove pictures that no record names after a month, or their time; how many. Raises Unavailable."""
    proofs, gone = service.proofs, 0
    days = DAYS.whole((await service.markets.tuning(market)).values)
    today = to_instant(service.clock.now_ms()).date()
    month_old = range(papers.UNNAMED_DAYS, papers.UNNAMED_DAYS + MISSED_DAYS)
    for ago in sorted({*month_old, *range(days + 2, days + LOOKED_AT_DAYS)}):
        day = (today - dt.timedelta(days=ago)).isoformat()
        kept = [each.name for each in await proofs.beside(proofs.blobs.under, f"{market}/{day}")]
        unnamed = [each for each in kept if not await _is_named(service, market, each)]
        if unnamed:
            await proofs.beside(proofs.blobs.remove, unnamed)
            gone += len(unnamed)
    return gone


async def seal_anew(service: Service, market: str) -> int:
    """Seal under the current patient key what is under another one; how many proofs. Raises Unavailable."""
    stored, vault, done = service.store.market(market).proofs, service.store.vault, 0
    key = vault.sealing(market)
    if not key or len(vault.ring.keys) < 2:
        return 0
    async for page in stored.between(0, END):
        for each in page:
            try:
                if not each.over and stored.keys_of(each) - {key}:
                    done += await _sealed_anew(service, market, each)
            except (Unreadable, UnreadablePatient):
                continue  # it is told of as such
    return done


async def _sealed_anew(service: Service, market: str, record: ProofRecord) -> bool:
    """A picture lies where its record says all the while: it is put elsewhere before that says so."""
    stored, proofs = service.store.market(market).proofs, service.proofs
    reports = tuple(
        stored.seal(record.offer_id, stored.open(record.offer_id, each.sealed)) for each in record.given
    )
    pictures = list[PictureRecord]()
    for each in record.pictures:
        name = renamed(each.name)
        sealed = stored.seal_picture(name, await proofs.opened(market, each))
        await proofs.beside(proofs.blobs.put, name, sealed.content)
        pictures.append(replace(each, name=name, key=sealed.key, sealed=sealed.sha256))
    command = SealAnew(offer_id=record.offer_id, reports=reports, pictures=tuple(pictures))
    outcome = await service.executor.attempt(BY, market, command, record)
    done = outcome is not None and outcome.ok
    await proofs.beside(proofs.blobs.remove, [each.name for each in (record.pictures if done else pictures)])
    return done


async def _is_named(service: Service, market: str, name: str) -> bool:
    """Whether a record names it; where that cannot be read, nobody knows that it does not."""
    try:
        record = await service.store.market(market).proofs.records.get(proof_id(dispatch_of(name)))
    except Unreadable:
        return True
    return record is not None and any(each.name == name for each in record.pictures)
