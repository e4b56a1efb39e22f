"""Authorizations: issued, read and revoked; and what waits for one, freed by it."""

from __future__ import annotations

from datetime import timedelta

from contracts.authorizations import Authorization
from contracts.codes import Requirement
from contracts.local_day import first_instant_ms
from dispatcher.domain.authorizations import AUTHORIZATION_KIND, SWEEPS, AuthorizationRecord, record_id
from dispatcher.domain.commands.authorizations import Authorize, PutAuthorization
from dispatcher.domain.commands.fire_timer import FireTimer
from dispatcher.domain.patients import PATIENT_KIND
from dispatcher.domain.refusals import Invalid, NotFound
from dispatcher.domain.requests import RequestRecord
from dispatcher.security.blind_index import BlindIndex
from dispatcher.security.principal import Principal
from dispatcher.service.execute import Executor
from dispatcher.service.markets import Markets
from dispatcher.store.market import MarketStore
from dispatcher.store.outcome import Outcome
from dispatcher.store.store import Store

BY = "service"


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

    async def get(self, who: Principal, market: str, name: str) -> AuthorizationRecord:
        """One as it is stored."""
        self.markets.authorize(who, market)
        record = await self.markets.store(market).records(AUTHORIZATION_KIND).get(record_id(name))
        if record is None:
            raise NotFound(f"there is no authorization {name}\nMaybe the id is misspelt.")
        return record

    async def fire(self, by: str, market: str, record: AuthorizationRecord) -> Outcome | None:
        """Its timer: what waits for it is freed, each in a commit of its own, those first that start first.

        No more than it has left for; then the timer itself, which looks once more a little later.
        """
        if record.timer_ms > self.executor.clock.now_ms():
            return None
        if record.sweeps:
            await self._free(by, market, record)
        timer = FireTimer(kind=AUTHORIZATION_KIND.name, id=record.id)
        return await self.executor.attempt(by, market, timer, record)

    async def _free(self, by: str, market: str, record: AuthorizationRecord) -> None:
        freed = 0
        for request, codes in await self._waiting(self.markets.store(market), record):
            if freed >= record.left:
                return
            command = Authorize(request_id=request.id, authorization=record, codes=codes)
            outcome = await self.executor.attempt(by, market, command, request)
            freed += outcome is not None and outcome.ok

    async def _waiting(
        self, stored: MarketStore, record: AuthorizationRecord
    ) -> list[tuple[RequestRecord, tuple[str, ...]]]:
        """What is on hold for an authorization, of the patient or named, by start; with its HCPCS codes."""
        patients = await stored.records(PATIENT_KIND).get_all(record.patient)
        filed = {each.request_id: each for one in patients.values() for each in one.requests}
        names = sorted({*filed, *record.requests})
        found = await stored.requests.records.get_all(names) if names else {}
        held = [each for each in found.values() if Requirement.AUTHORIZATION in each.requirements]
        held.sort(key=lambda each: (each.earliest_ms, each.id))
        codes = {name: tuple(dict.fromkeys((*each.rented, *each.bought))) for name, each in filed.items()}
        if record.sweeps < SWEEPS:  # who was put on hold since it was issued, was so by a person who knows
            held = [each for each in held if each.history[-1].at_ms == each.received_ms]
        return [(each, codes.get(each.id, ())) for each in held if _is_meant(each, record)]


def _is_meant(request: RequestRecord, record: AuthorizationRecord) -> bool:
    """Whether it does not name another."""
    named = request.authorization.authorization if request.authorization else ""
    return named in ("", record.name) or request.id in record.requests
