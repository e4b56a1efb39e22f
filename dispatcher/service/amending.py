"""What an amendment needs to know beside its request: authorizations, and what else its patient has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec.structs import replace

from contracts.requests import Request
from dispatcher.domain.amendments import WINDOWS, Facts, Filing, agreed_level, as_agreed
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.needed import Needed, as_asked_for, needed
from dispatcher.domain.requests import RequestRecord
from dispatcher.service.authorizing import Authorizing
from dispatcher.service.duplicates import Before, Duplicates
from dispatcher.service.one_patient import OnePatient, Together
from dispatcher.store.store import Store

WHOSE, WHAT = frozenset({"patient"}), frozenset({"lines"})
SERVICES = frozenset({"level_of_service", "lines"})


class Beside(NamedTuple):
    """What it needs an authorization for, where it is filed, and what was read to tell, by id."""

    asks: Needed | None
    filing: Filing | None
    records: Mapping[str, Record]
    together: Together = Together()


class Amending:
    """Looked up for what changes: whose it is, when, which lines, which level."""

    def __init__(self, store: Store) -> None:
        self.authorizing, self.duplicates = Authorizing(store), Duplicates(store)
        self.patients = OnePatient(store)

    async def beside(
        self,
        market: str,
        record: RequestRecord,
        requests: tuple[Request, Request],
        context: Context,
        *,
        fields: frozenset[str],
        facts: Facts,
    ) -> Beside:
        """Of a request before and after. Raises PossibleDuplicate, Invalid, Unreadable."""
        before, after = requests
        wanted = replace(
            record,
            earliest_ms=facts.earliest_ms,
            latest_ms=facts.latest_ms,
            service_class=facts.service_class,
        )
        window = (record.earliest_ms, record.latest_ms)
        is_moved = bool(fields & WINDOWS) or window != (facts.earliest_ms, facts.latest_ms)
        asks, records = record.authorization, dict[str, Record]()
        if is_moved or fields & (SERVICES | WHOSE):
            level = agreed_level(record.dispatch, fields) if record.dispatch else ""
            asks, known = await self.asked(market, wanted, after, fields, context, level=level)
            records |= known
        if not (is_moved or fields & (WHOSE | WHAT)):
            return Beside(asks, None, records)
        together = await self.patients.refuse_amended(market, record, before, after)
        both = Before(record, wanted)
        filing, known = await self.duplicates.amended(market, before, after, both, context)
        return Beside(asks, filing, {**records, **known}, together)

    async def asked(
        self,
        market: str,
        wanted: RequestRecord,
        request: Request,
        fields: frozenset[str],
        context: Context,
        *,
        level: str = "",
    ) -> tuple[Needed | None, Mapping[str, Record]]:
        """What a request as it would be needs an authorization for, and what was read to tell, by id.

        `level`: that its vendor comes with, where that is another than is asked for.
        """
        own = wanted.authorization
        usual = as_asked_for(own) if own is not None and own.agreed else own
        before = replace(wanted, authorization=usual)
        asks, found = await self._asked(market, before, request, fields, context)
        known: dict[str, Record] = {found.id: found} if found is not None else {}
        if not level:
            return asks, known
        there, found = await self._asked(market, wanted, as_agreed(request, level), fields, context)
        known |= {found.id: found} if found is not None else {}
        there = there or Needed((level,), waived=True)  # nobody has to allow it; it is kept what else would
        return replace(there, agreed=level, usual=asks and replace(asks, drawn=0)), known

    async def _asked(
        self,
        market: str,
        wanted: RequestRecord,
        request: Request,
        fields: frozenset[str],
        context: Context,
    ) -> tuple[Needed | None, Record | None]:
        own, asked = wanted.authorization, needed(request, context.values, context.lists)
        if asked is None:
            return (own if own is not None and own.by_hand else None), None
        is_other = bool(fields & WHOSE) or own is None
        if own is not None and own.waived and not is_other and own.services == asked.services:
            return replace(asked, authorization=own.authorization, waived=True), None
        asked = replace(asked, by_hand=own is not None and own.by_hand)
        return await self.authorizing.anew(market, wanted, request, asked, context)
