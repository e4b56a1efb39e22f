"""Requests in: one commit for all that came together, before anybody is told that they are safe."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from contracts.requests import Request
from contracts.tuning import Tuning
from dispatcher.domain.decision import Decision
from dispatcher.domain.decisions import receive
from dispatcher.domain.refusals import Refusal, Reused
from dispatcher.security.principal import Principal
from dispatcher.service.base import ATTEMPTS, Base, refuse_reuse, too_busy
from dispatcher.service.rides import ride_s
from dispatcher.store.outcome import Command


class Intake(Base):
    """The command `submit`."""

    async def submit(
        self, who: Principal, market: str, requests: Sequence[Request], command: Command
    ) -> tuple[str, ...]:
        """Store all of them, durably, or none; their ids in order, which is all a repeat has to answer.

        A request that is stored already under the same body is left as it is. Raises NotFound (market),
        Invalid (a window in the past), Reused (key or request id with another body), Unavailable.
        """
        self.enter_for_requests(who, market)
        ids = tuple(request.id for request in requests)
        _refuse_repeats(ids)
        await self.store.refuse_unless_durable()
        tuning = await self.values(market)
        wanted = requests
        for _ in range(ATTEMPTS):
            try:
                decided = self._received(market, wanted, tuning)
            except Refusal:
                if await self.had_effect(market, command):
                    return ids
                raise
            outcome = await self.store.commit(market, decided, requests=wanted, command=command)
            if outcome.ok:
                return ids
            refuse_reuse(outcome)
            wanted = await self._missing(market, requests)
        raise too_busy(f"a batch of {len(requests)}")

    def _received(self, market: str, requests: Sequence[Request], tuning: Tuning) -> list[Decision]:
        now_ms, zone, values = self.clock.now_ms(), self.markets[market], tuning.values
        travel = self.travel_of(values)
        return [receive(each, now_ms, values, travel_s=ride_s(each, zone, travel)) for each in requests]

    async def _missing(self, market: str, requests: Sequence[Request]) -> list[Request]:
        """The requests that are not stored. Raises Reused for an id that is stored with another body."""
        stored = await self.store.requests(market, [request.id for request in requests])
        known = [request for request in requests if request.id in stored]
        same = await asyncio.gather(*(self._is_same(market, each, stored[each.id]) for each in known))
        reused = [request.id for request, is_same in zip(known, same, strict=True) if not is_same]
        if reused:
            raise Reused(
                f"request {reused[0]} is stored with another body\n"
                "Maybe give the changed request an id of its own, and cancel the first.",
                request_ids=reused,
            )
        return [request for request in requests if request.id not in stored]

    async def _is_same(self, market: str, request: Request, stored: Request) -> bool:
        if replace(request, patient=None) != stored:
            return False
        return await self.store.patient(market, request.id) == request.patient


def _refuse_repeats(ids: tuple[str, ...]) -> None:
    if len(set(ids)) < len(ids):
        twice = sorted({each for each in ids if ids.count(each) > 1})
        raise Reused(
            f"request {twice[0]} stands in the batch more than once\nMaybe number the requests anew.",
            request_ids=twice,
        )
