"""The authorization of a request that comes in: the one that it names, or one of its patient's."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from contracts.codes import Requirement
from contracts.requests import Request
from dispatcher.domain.authorizations import (
    AUTHORIZATION_KIND,
    OTHER_PAYER,
    AuthorizationRecord,
    lacking,
    of_patient,
    record_id,
)
from dispatcher.domain.commands.submit import asked_window
from dispatcher.domain.context import Context
from dispatcher.domain.needed import Needed
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.windows import Leaves
from dispatcher.security.blind_index import BlindIndex
from dispatcher.store.listing import Cursor
from dispatcher.store.store import Store

OTHER_SERVICE = "authorization_other_service"
LOOKED_AT = 64  # authorizations of one patient, those that end first


class Authorizing:
    """Looks a patient up under every key of the ring."""

    def __init__(self, store: Store) -> None:
        self.store, self.index = store, BlindIndex(store.vault)

    async def found(
        self, market: str, request: Request, asked: Needed, context: Context, leaves: Leaves
    ) -> tuple[Request, Needed]:
        """The request, on hold for an authorization unless one covers it; and what it draws on."""
        window = asked_window(request, context, leaves)
        tokens = self.index.tokens(market, request.patient)
        why = list[str]()
        for each in await self._candidates(market, tokens, asked, context):
            lacks = lacking(each, asked, window.earliest_ms, window.latest_ms)
            lacks = lacks or (OTHER_PAYER if each.is_of_another(request.payer) else "")
            if not lacks:
                return _waiting(request, lacks=False), replace(
                    asked, authorization=each.name, payer=each.capped
                )
            why += [lacks] if lacks != OTHER_SERVICE else []
        return _waiting(request, lacks=True), replace(asked, lacks=why[-1] if why else "")

    async def anew(
        self, market: str, record: RequestRecord, request: Request, asked: Needed, context: Context
    ) -> tuple[Needed, AuthorizationRecord | None]:
        """What an amended request draws on: what it drew on before, if that still covers it; else another.

        `record`: as it would be. Where none covers it, what it was under, if it still is its patient's.
        """
        own, first = record.authorization, list[AuthorizationRecord]()
        tokens = self.index.tokens(market, request.patient)
        if own is not None and own.authorization and not asked.authorization:
            known = (
                await self.store.market(market).records(AUTHORIZATION_KIND).get(record_id(own.authorization))
            )
            first = [known] if known is not None and _is_of(known, tokens) else []
        for each in (*first, *await self._candidates(market, tokens, asked, context)):
            mine = own.drawn if own is not None and own.authorization == each.name else 0
            spare = replace(each, used=each.used - mine)
            fits = not each.is_of_another(record.payer) or bool(mine)
            if fits and not lacking(spare, asked, record.earliest_ms, record.latest_ms):
                return replace(asked, authorization=each.name, payer=each.capped), each
        if not first:
            return asked, None
        return replace(asked, authorization=first[0].name, payer=first[0].capped), first[0]

    async def _candidates(
        self, market: str, tokens: Iterable[str], asked: Needed, context: Context
    ) -> list[AuthorizationRecord]:
        """That which is named, where it is not another patient's; else the patient's, by their ends."""
        records = self.store.market(market).records(AUTHORIZATION_KIND)
        if asked.authorization:
            named = await records.get(record_id(asked.authorization))
            return [named] if named is not None and _is_of(named, tokens) else []
        found = dict[str, AuthorizationRecord]()
        for token in tokens:
            since = Cursor(context.now_ms, "")
            page, _ = await records.page([of_patient(token)], since, LOOKED_AT)
            found |= {each.id: each for each in page}
        return sorted(found.values(), key=lambda each: (each.until_ms, each.id))


def _is_of(named: AuthorizationRecord, tokens: Iterable[str]) -> bool:
    return not named.patient or not set(named.patient).isdisjoint(tokens)


def _waiting(request: Request, *, lacks: bool) -> Request:
    """With the requirement, or without."""
    held = request.hold if isinstance(request.hold, tuple) else (request.hold,)
    if lacks and Requirement.AUTHORIZATION in held:
        return request
    others = [each for each in held if each not in (None, Requirement.AUTHORIZATION)]
    return replace(request, hold=(*others, *((Requirement.AUTHORIZATION,) if lacks else ())))
