"""Patient blocks for those who may read them, each time with an entry that says who did."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence

from contracts.codes import Role
from contracts.patient_reads import PatientRead, PatientReadQuery, ReadReason
from contracts.patients import Patient
from dispatcher.domain import patient_reads
from dispatcher.domain.context import Context
from dispatcher.domain.patient_reads import PATIENT_READ_KIND, READS, reads_of
from dispatcher.domain.refusals import NotFound
from dispatcher.domain.requests import request_id_of
from dispatcher.domain.rights import READS_PATIENT, SEES_PATIENT, SEES_PROOF
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.execute import too_busy
from dispatcher.service.markets import Markets
from dispatcher.store.listing import Cursor


class PatientReads:
    """They raise NotFound for what is unknown or not theirs, in the same words, and Unavailable."""

    def __init__(self, markets: Markets, clock: Clock) -> None:
        self.markets, self.clock = markets, clock

    async def read(self, who: Principal, market: str, request_id: str, reason: ReadReason | None) -> Patient:
        """The block; the entry is durable before it is shown.

        Raises Unreadable, PatientKeyMissing: then nothing was seen, and nothing is written.
        """
        self.markets.authorize(who, market)
        stored = self.markets.store(market)
        patient = await stored.requests.patient(request_id) if who.may(READS_PATIENT) else None
        if patient is None:
            await self.markets.refuse_if_lost()
            raise NotFound(f"there is no patient block of request {request_id}\nMaybe it came without one.")
        context = await self._context(market, who, READS_PATIENT)
        entry = patient_reads.noted(secrets.token_hex(12), request_id, reason, context)
        if not (await stored.commit([entry])).ok:
            raise too_busy("the list of who read patient blocks")
        return patient

    async def note_dispatch(self, who: Principal, market: str, name: str) -> None:
        """That a dispatch is shown with its patient, durable before it is: once an hour, for it is polled."""
        context, stored = await self._context(market, who, SEES_PATIENT), self.markets.store(market)
        read_id = patient_reads.of_dispatch(name, context)
        if await stored.records(PATIENT_READ_KIND).known(read_id) is None:
            await stored.commit([patient_reads.shown(name, context)])  # stale: somebody has noted it just now

    async def note_dispatches(self, who: Principal, market: str, names: Sequence[str]) -> None:
        """The same of several, together: a list of them costs no more than one."""
        context, stored = await self._context(market, who, SEES_PATIENT), self.markets.store(market)
        ids = {patient_reads.of_dispatch(each, context): each for each in names}
        known = await stored.records(PATIENT_READ_KIND).get_all(list(ids))
        new = {read_id: name for read_id, name in ids.items() if read_id not in known}
        entries = [
            patient_reads.noted(each, request_id_of(name), None, context) for each, name in new.items()
        ]
        if entries and not (await stored.commit(entries)).ok:
            for name in new.values():  # somebody has noted one of them just now
                await self.note_dispatch(who, market, name)

    async def note_proof(self, who: Principal, market: str, offer_id: str) -> None:
        """That a proof is shown, which says who signed and where a door is; durable before, once an hour."""
        context, stored = await self._context(market, who, SEES_PROOF), self.markets.store(market)
        read_id = patient_reads.of_dispatch(f"{offer_id}/proof", context)
        if await stored.records(PATIENT_READ_KIND).get(read_id) is None:
            entry = patient_reads.noted(read_id, request_id_of(offer_id), None, context)
            await stored.commit([entry])  # stale: somebody has noted it just now

    async def _context(self, market: str, who: Principal, rights: Collection[Role]) -> Context:
        return Context(
            now_ms=self.clock.now_ms(),
            values=(await self.markets.tuning(market)).values,
            by=who.acting_as(rights),
            subject=who.subject,
        )

    async def page(
        self, who: Principal, market: str, query: PatientReadQuery
    ) -> tuple[list[PatientRead], str | None]:
        """Who looked, by time, and where the next page starts: for ops. Raises Invalid: no such cursor."""
        self.markets.authorize(who, market)
        if not who.may({Role.OPS}):
            raise NotFound("there is no list of who read patient blocks\nMaybe it is for another role.")
        records = self.markets.store(market).records(PATIENT_READ_KIND)
        name = reads_of(query.request_id) if query.request_id else READS
        found, cursor = await records.page([name], Cursor.parse(query.cursor or None), query.limit)
        return [patient_reads.view(each) for each in found], cursor
