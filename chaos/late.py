"""What a killed matcher would still have sent: a match that another made meanwhile, under the old fence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from chaos.parts import Parts
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.proposal import Proposal
from dispatcher.domain.requests import RequestRecord
from dispatcher.runtime.clock import SystemClock
from dispatcher.security.key_files import read_patient_keys
from dispatcher.service.service import Service
from dispatcher.store.outcome import Status
from dispatcher.store.store import Store
from dispatcher.tuning.registry import Registry
from tests.e2e.conftest import MARKET
from tests.e2e.made import vendor

LIMIT_S = 30.0


class Held(NamedTuple):
    """What a matcher had read when it was killed: its fence, and requests that it had not offered yet."""

    fence: str
    records: tuple[RequestRecord, ...]


class Late:
    """The former owner of the market, as the store hears it."""

    def __init__(self, parts: Parts) -> None:
        settings = parts.settings
        self.store = Store(parts.redis_url, read_patient_keys(settings.patient_keys_file))
        self.market = self.store.market(MARKET)
        self.service = Service(self.store, SystemClock(), settings.markets, Registry.found())

    async def __aenter__(self) -> Self:
        """It writes nothing before it is told to."""
        await self.store.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.store.__aexit__(kind, error, trace)

    async def held(self, names: Callable[[], Sequence[str]]) -> Held:
        """Once the matcher is dead: its fence, and what of these waits for a match. Raises TimeoutError.

        `names` is asked again and again: all that was there may have been offered a moment before.
        """
        fence = (await self.store.reader.get(self.market.keys.fence) or b"").decode()
        async with asyncio.timeout(LIMIT_S):
            while not (waiting := await self._waiting(names())):
                await asyncio.sleep(0.05)
        return Held(fence, tuple(waiting))

    async def _waiting(self, names: Sequence[str]) -> list[RequestRecord]:
        found = await self.market.requests.records.get_all(tuple(names))
        return [each for each in found.values() if not each.offers]

    async def sent(self, held: Held) -> list[Status | None]:
        """How the store answers to each: all that was held is matched by now, and is matched once more."""
        return [await self._again(each, held.fence) for each in held.records]

    async def _again(self, before: RequestRecord, fence: str) -> Status | None:
        record, body = await asyncio.gather(
            self.market.requests.records.get(before.id), self.market.requests.body(before.id)
        )
        if record is None or body is None:
            raise LookupError(before.id)
        made = record.offers[-1]
        again = Proposal(
            vendor=vendor(made.vendor_id), pool_id=made.pool_id, start_ms=made.start_ms, end_ms=made.end_ms,
            units=1, bookings=made.bookings, price_cents=made.price_cents, snapshot=made.snapshot,
        )  # fmt: skip
        command = MakeOffer(request_id=before.id, request=body, proposal=again)
        outcome = await self.service.executor.attempt("matcher", MARKET, command, before, fence=fence)
        return None if outcome is None else outcome.status
