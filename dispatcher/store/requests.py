"""Requests: committed by decisions, read by id, listed by state, found when due."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import merge
from itertools import islice
from typing import NamedTuple

from contracts.codes import RequestState
from contracts.requests import Patient, Request
from dispatcher.domain.decision import Decision
from dispatcher.domain.record import RequestRecord
from dispatcher.domain.states import OPEN
from dispatcher.store import codec, decisions
from dispatcher.store.base import Base
from dispatcher.store.keys import Keys
from dispatcher.store.listing import Cursor, Place, page_of
from dispatcher.store.outcome import Command, Outcome
from dispatcher.store.program import Program


class Page(NamedTuple):
    """One page of a listing, by time received; `cursor` is None on the last."""

    records: tuple[RequestRecord, ...]
    cursor: str | None


class Requests(Base):
    """The part of the store that holds requests."""

    async def commit(
        self,
        market: str,
        decided: Sequence[Decision],
        *,
        requests: Sequence[Request] = (),
        command: Command | None = None,
        fence: int | None = None,
    ) -> Outcome:
        """Commit all decisions, or none. `requests` are those received now, with their patient blocks.

        Raises Unavailable; script.BrokenLedger if records and ledger disagree.
        """
        keys, program = Keys(market), Program()
        if fence is not None:
            program.fence(keys.fence, fence)
        if command is not None:
            program.command(keys.command(command.digest), command.fingerprint, command.answer, command.ttl_ms)
        bodies = {each.id: codec.pack_request(each, self._sealed(market, each)) for each in requests}
        decisions.add_decisions(program, keys, decided, bodies)
        return await self.committer.commit(program)

    async def answered(self, market: str, command: Command) -> Outcome | None:
        """How this command ended, if it is known: DUPLICATE or REUSED. Asked before any work is done."""
        raw = await self.reader.get(Keys(market).command(command.digest))
        return None if raw is None else command.judge(raw)

    async def record(self, market: str, request_id: str) -> RequestRecord | None:
        """The record, or None."""
        raw = await self.reader.get(Keys(market).record(request_id))
        return codec.RECORD.unpack(raw).value if raw else None

    async def records(self, market: str, ids: Sequence[str]) -> dict[str, RequestRecord]:
        """The records that exist, by id, in the order asked for."""
        keys = Keys(market)
        found = await self.reader.get_all([keys.record(each) for each in ids])
        return {each: codec.RECORD.unpack(raw).value for each, raw in zip(ids, found, strict=True) if raw}

    async def request(self, market: str, request_id: str) -> Request | None:
        """The request as it came, without its patient block; None if unknown."""
        raw = await self.reader.get(Keys(market).body(request_id))
        return codec.unpack_request(raw) if raw else None

    async def requests(self, market: str, ids: Sequence[str]) -> dict[str, Request]:
        """The requests that exist, by id, without their patient blocks."""
        keys = Keys(market)
        found = await self.reader.get_all([keys.body(each) for each in ids])
        return {each: codec.unpack_request(raw) for each, raw in zip(ids, found, strict=True) if raw}

    async def patient(self, market: str, request_id: str) -> Patient | None:
        """The patient block, or None. Raises UnreadablePatient."""
        raw = await self.reader.get(Keys(market).body(request_id))
        sealed = codec.sealed_of(raw) if raw else b""
        return codec.unpack_patient(self.vault.open(market, request_id, sealed)) if sealed else None

    def _sealed(self, market: str, request: Request) -> bytes:
        return (
            self.vault.seal(market, request.id, codec.pack_patient(request.patient))
            if request.patient
            else b""
        )

    async def open_ids(self, market: str, limit: int) -> list[str]:
        """Requests that wait for a vendor, longest waiting first."""
        keys = Keys(market)
        found = await self.reader.ask_all(
            [("ZRANGE", keys.index(state), 0, limit - 1, "WITHSCORES") for state in sorted(OPEN)]
        )
        places = merge(*(Place.read(each) for each in found))
        return [place.id for place in islice(places, limit)]

    async def page(self, market: str, state: RequestState | None, cursor: str | None, limit: int) -> Page:
        """Up to `limit` records after `cursor`, by time received. Raises ValueError: no such cursor."""
        keys, after = Keys(market), Cursor.parse(cursor)
        states = list(RequestState) if state is None else [state]
        places = await page_of(self.reader, [keys.index(each) for each in states], after, limit + 1)
        records = await self.records(market, [place.id for place in places[:limit]])
        more = len(places) > limit
        return Page(tuple(records.values()), str(Cursor(*places[limit - 1])) if more else None)

    async def counts(self, market: str) -> dict[RequestState, int]:
        """How many requests are in each state."""
        keys = Keys(market)
        found = await self.reader.ask_all([("ZCARD", keys.index(state)) for state in RequestState])
        return dict(zip(RequestState, found, strict=True))

    async def offers(self, market: str, vendor_id: str, limit: int = 1_000) -> list[str]:
        """Ids of a vendor's open offers and dispatches, earliest start first."""
        found = await self.reader.ask("ZRANGE", Keys(market).offers(vendor_id), 0, limit - 1)
        return [each.decode() for each in found]

    async def due(self, market: str, now_ms: int, limit: int) -> list[str]:
        """Requests whose timer is due, the longest overdue first."""
        found = await self.reader.ask(
            "ZRANGE", Keys(market).timers, "-inf", now_ms, "BYSCORE", "LIMIT", 0, limit
        )
        return [each.decode() for each in found]

    async def next_due_ms(self, market: str) -> int | None:
        """When the next timer is due; None if nothing is stored."""
        found = await self.reader.ask("ZRANGE", Keys(market).timers, 0, 0, "WITHSCORES")
        return next((place.score for place in Place.read(found)), None)
