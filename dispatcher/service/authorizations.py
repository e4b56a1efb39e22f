"""Authorizations: issued, read and revoked; and what waits for one, freed by it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import NamedTuple

from msgspec.structs import replace

from contracts.authorizations import Authorization, AuthorizationQuery, AuthorizationState
from contracts.codes import Requirement
from contracts.local_day import first_instant_ms
from dispatcher.domain.authorizations import (
    AUTHORIZATION_KIND,
    AuthorizationRecord,
    amount,
    listed,
    of_patient,
    record_id,
    wanting,
)
from dispatcher.domain.commands.authorizations import (
    Authorize,
    PutAuthorization,
    RevokeAuthorization,
    Unauthorize,
)
from dispatcher.domain.commands.fire_timer import FireTimer
from dispatcher.domain.drawing import is_sought
from dispatcher.domain.needed import Needed, held_by_hand
from dispatcher.domain.patients import PATIENT_KIND
from dispatcher.domain.refusals import Invalid, no_such
from dispatcher.domain.requests import RequestRecord
from dispatcher.security.blind_index import BlindIndex
from dispatcher.security.principal import Principal
from dispatcher.service.execute import ATTEMPTS, Executor
from dispatcher.service.markets import Markets
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.listing import END, Cursor
from dispatcher.store.market import MarketStore
from dispatcher.store.outcome import Outcome
from dispatcher.store.store import Store

BY = "service"
LOOKED_AT = 1_000  # requests that want to draw on one, those that start first


class Authorizations:
    """They raise NotFound for what is unknown, Unreadable, and Unavailable."""

    def __init__(self, store: Store, markets: Markets, executor: Executor) -> None:
        self.markets, self.executor = markets, executor
        self.index = BlindIndex(store.vault)

    async def put(
        self, who: Principal, market: str, name: str, body: Authorization, expected_version: int
    ) -> AuthorizationRecord:
        """As it stands now, what waited for it freed. Raises Stale, WrongState, Invalid."""
        self.markets.authorize(who, market)
        tz, patient = self.markets.zones[market], self.index.tokens(market, body.patient)
        if not patient and not body.requests:
            raise Invalid(
                "the patient block does not tell who it is: a name alone is that of several people\n"
                "Maybe add the record number, or the phone; or name the requests that it is for."
            )
        command = PutAuthorization(
            authorization_id=name,
            body=body,
            patient=patient,
            from_ms=first_instant_ms(body.first_day, tz),
            until_ms=first_instant_ms(body.last_day + timedelta(days=1), tz),
            expected_version=expected_version,
        )
        record = await self.executor.execute(who, market, command)
        await self.fire(BY, market, record)  # at once; its timer would, too
        return await self.get(who, market, name)

    async def revoke(
        self, who: Principal, market: str, command: RevokeAuthorization, key: IdempotencyRecord | None
    ) -> AuthorizationRecord:
        """As it stands now, what was to draw on it on hold, or under another of its patient's."""
        record = await self.executor.execute(who, market, command, key)
        await self.fire(BY, market, record)  # at once; its timer would, too
        return await self.get(who, market, command.authorization_id)

    async def get(self, who: Principal, market: str, name: str) -> AuthorizationRecord:
        """One as it is stored."""
        self.markets.authorize(who, market)
        record = await self.markets.store(market).records(AUTHORIZATION_KIND).get(record_id(name))
        if record is None:
            raise no_such(f"authorization {name}")
        return record

    async def page(
        self, who: Principal, market: str, query: AuthorizationQuery
    ) -> tuple[list[AuthorizationRecord], str | None]:
        """Those that are asked for by their ends, and where the next page starts. Raises Invalid."""
        self.markets.authorize(who, market)
        stored, cursor = self.markets.store(market), Cursor.parse(query.cursor or None)
        until_ms = END
        if query.expiring_before is not None:
            until_ms = first_instant_ms(query.expiring_before, self.markets.zones[market])
            cursor = max(cursor, Cursor(self.executor.clock.now_ms(), ""))
        states = [query.state] if query.state else list(AuthorizationState)
        records = stored.records(AUTHORIZATION_KIND)
        if query.request is None:
            found, after = await records.page([listed(each) for each in states], cursor, query.limit)
        else:
            found, after = _page(await self._of_request(market, query.request, states), cursor, query.limit)
        within = [each for each in found if each.until_ms <= until_ms]
        return within, after if len(within) == len(found) else None

    async def _of_request(
        self, market: str, request_id: str, states: Sequence[AuthorizationState]
    ) -> list[AuthorizationRecord]:
        """Its patient's, and the one that it names or draws on. Raises NotFound, Unreadable."""
        stored = self.markets.store(market)
        record = await stored.requests.records.get(request_id)
        if record is None:
            raise no_such(f"request {request_id}")
        records, tokens = stored.records(AUTHORIZATION_KIND), await self._tokens(market, request_id)
        lists = [of_patient(each) for each in tokens]
        page = (await records.page(lists, Cursor(0, ""), LOOKED_AT))[0] if lists else []
        asked = record.authorization
        named = await records.get(record_id(asked.authorization)) if asked and asked.authorization else None
        found = {each.id: each for each in (*page, *((named,) if named is not None else ()))}
        by_end = sorted(found.values(), key=lambda each: (each.until_ms, each.id))
        return [each for each in by_end if each.state in states]

    async def _tokens(self, market: str, request_id: str) -> tuple[str, ...]:
        """By which the patient of a request is found; nobody is shown who it is."""
        requests = self.markets.store(market).requests
        whole = requests.opened_whole(request_id, await requests.raw_body(request_id))
        return self.index.tokens(market, whole.patient)

    async def fire(self, by: str, market: str, record: AuthorizationRecord) -> Outcome | None:
        """Its timer: what it does not cover any more is put on hold, and what waits for it is freed.

        Each in a commit of its own, those first that start first, no more than it has left for; then the
        timer itself, which looks once more a little later.
        """
        if record.timer_ms > self.executor.clock.now_ms():
            return None
        if record.sweeps:
            await self._hold(by, market, record)
            await self._free(by, market, record)
        timer = FireTimer(kind=AUTHORIZATION_KIND.name, id=record.id)
        return await self.executor.attempt(by, market, timer, record)

    async def _hold(self, by: str, market: str, record: AuthorizationRecord) -> None:
        """What was to draw on it and may not: by another of its patient's, where there is one.

        What moves on just then is looked at anew, and by the next sweep.
        """
        for _ in range(ATTEMPTS):
            outcomes = await self._held(by, market, record)
            if all(each.ok for each in outcomes.values()):
                break
        await self._free_by_others(by, market, record)

    async def _free_by_others(self, by: str, market: str, record: AuthorizationRecord) -> None:
        """What it does not cover: held just now, or where a vendor was to have it and too little was left."""
        records = self.markets.store(market).records(AUTHORIZATION_KIND)
        lists = [of_patient(each) for each in record.patient]
        page = (await records.page(lists, Cursor(0, ""), LOOKED_AT))[0] if lists else []
        for other in page:
            if other.id != record.id and other.state is AuthorizationState.ACTIVE:
                await self._free(by, market, other)

    async def _held(self, by: str, market: str, record: AuthorizationRecord) -> dict[str, Outcome]:
        """How it went with each request that was to draw on it and may not."""
        stored = self.markets.store(market)
        named, _ = await stored.requests.records.page([wanting(record.name)], Cursor(0, ""), LOOKED_AT)
        patients = await stored.records(PATIENT_KIND).get_all(record.patient) if named else {}
        filed = {each.request_id for one in patients.values() for each in one.requests}
        outcomes = dict[str, Outcome]()
        for each in filter(is_sought, named):
            is_another_s = not _is_own(each, record, filed)
            command = Unauthorize(request_id=each.id, authorization=record, is_another_s=is_another_s)
            outcome = await self.executor.attempt(by, market, command, each)
            outcomes |= {each.id: outcome} if outcome is not None else {}
        return outcomes

    async def _free(self, by: str, market: str, record: AuthorizationRecord) -> None:
        """What waits for it; looked for anew where something moved on just then: not a minute later."""
        for _ in range(ATTEMPTS):
            if await self._freed(by, market, record):
                return
            now = await self.markets.store(market).records(AUTHORIZATION_KIND).get(record.id)
            if now is None:
                return
            record = replace(now, renewed=record.renewed)

    async def _freed(self, by: str, market: str, record: AuthorizationRecord) -> bool:
        """The first to start first, no more than is left beside what is sought; whether none moved on."""
        found = await self._wanting(self.markets.store(market), record)
        left = record.left - sum(_draws(record, each) for each in found if _is_sought(each.request, record))
        stood = True
        for each in found:
            if _waits(each.request, record) and _draws(record, each) <= left:
                command = Authorize(request_id=each.request.id, authorization=record, codes=each.codes)
                outcome = await self.executor.attempt(by, market, command, each.request)
                left -= _draws(record, each) if outcome is not None and outcome.ok else 0
                stood = stood and (outcome is None or outcome.ok)
        return stood

    async def _wanting(self, stored: MarketStore, record: AuthorizationRecord) -> list[Wanting]:
        """Its patient's requests, and those that name it or that it names, by start."""
        patients = await stored.records(PATIENT_KIND).get_all(record.patient)
        filed = {each.request_id: each for one in patients.values() for each in one.requests}
        named, _ = await stored.requests.records.page([wanting(record.name)], Cursor(0, ""), LOOKED_AT)
        names = sorted({*filed, *record.requests, *(each.id for each in named)})
        found = await stored.requests.records.get_all(names) if names else {}
        codes = {name: tuple(dict.fromkeys((*each.rented, *each.bought))) for name, each in filed.items()}
        own = [each for each in found.values() if _is_own(each, record, filed)]
        by_start = sorted(own, key=lambda each: (each.earliest_ms, each.id))
        return [Wanting(each, codes.get(each.id, ())) for each in by_start]


def _page(
    found: Sequence[AuthorizationRecord], after: Cursor, limit: int
) -> tuple[list[AuthorizationRecord], str | None]:
    left = [each for each in found if (each.until_ms, each.id) > after]
    last = left[limit - 1] if len(left) > limit else None
    return left[:limit], str(Cursor(last.until_ms, last.id)) if last else None


class Wanting(NamedTuple):
    """A request, with its HCPCS codes as far as its patient's index tells them."""

    request: RequestRecord
    codes: tuple[str, ...]


def _is_own(request: RequestRecord, record: AuthorizationRecord, filed: Collection[str]) -> bool:
    """Whether it is of the authorization's patient, under whom these are filed, or they name one another."""
    asked = request.authorization
    is_named = asked is not None and asked.named and asked.authorization == record.name
    return request.id in filed or request.id in record.requests or (is_named and not record.patient)


def _draws(record: AuthorizationRecord, one: Wanting) -> int:
    asked = one.request.authorization or Needed(one.codes or (one.request.service_class,))
    return amount(record, asked)


def _is_sought(request: RequestRecord, record: AuthorizationRecord) -> bool:
    """Whether it is to draw on it as soon as a vendor takes it."""
    asked = request.authorization
    return asked is not None and asked.authorization == record.name and is_sought(request)


def _waits(request: RequestRecord, record: AuthorizationRecord) -> bool:
    """Whether it is on hold for one, and may have this.

    Not if it names another. Who was put there by a person stays, until one is issued or renewed.
    """
    if Requirement.AUTHORIZATION not in request.requirements:
        return False
    asked = request.authorization
    is_another_s = asked is not None and asked.named and asked.authorization != record.name
    if is_another_s and request.id not in record.requests:
        return False
    return record.renewed or not held_by_hand(asked)
