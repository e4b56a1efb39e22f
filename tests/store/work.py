"""Writers that race and remember: what they were told is what must be there."""

import asyncio
import random

from contracts.codes import RequestState
from dispatcher.domain.decision import Decision
from dispatcher.domain.refusals import Unavailable
from dispatcher.domain.requests import RequestRecord
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.market import MarketStore
from tests.store.made import accepted, booking, cancelled, offered, received, released, trip


class Writers:
    """Tasks that submit, offer, decline, cancel and accept at random, until stopped."""

    def __init__(self, market: MarketStore, seed: int, *, last_bucket: int = 287) -> None:
        self.market = market
        self.random = random.Random(seed)
        self.last_bucket = last_bucket
        self.acknowledged: set[str] = set()
        self.tally: dict[str, int] = {}
        self.stopping = False

    async def run(self, writers: int, prefix: str, steps: int = 1_000_000) -> None:
        """All of them, `steps` each or until `stopping`."""
        await asyncio.gather(*(self._write(f"{prefix}-{number}", steps) for number in range(writers)))

    async def _write(self, name: str, steps: int) -> None:
        for number in range(steps):
            if self.stopping:
                return
            try:
                await self._step(f"{name}-{number}")
            except Unavailable:  # the server is away: the outcome is unknown, and nothing was promised
                self._count("unavailable")

    async def _step(self, request_id: str) -> None:
        if not self.acknowledged or self.random.random() < 0.4:
            return await self._submit(request_id)
        record = await self.market.requests.records.get(self.random.choice(sorted(self.acknowledged)))
        assert record is not None, "an acknowledged request is gone"
        decision = self._decide(record)
        if decision:
            self._count((await self.market.commit([decision])).status.value)
        return None

    async def _submit(self, request_id: str) -> None:
        outcome = await self.market.commit(
            [received(request_id)],
            requests=[trip(request_id)],
            idempotency=IdempotencyRecord.of("platform", request_id, b"body"),
        )
        assert outcome.ok
        self.acknowledged.add(request_id)

    def _decide(self, record: RequestRecord) -> Decision | None:
        if record.state in (RequestState.RECEIVED, RequestState.MATCHING):
            first = self.random.randrange(self.last_bucket - 6)
            return offered(record, booking(self.random.choice((1, 1, 2)), first=first))
        if record.state is RequestState.OFFERED:
            return self.random.choice((released, cancelled, accepted))(record)
        return None

    def _count(self, status: str) -> None:
        self.tally[status] = self.tally.get(status, 0) + 1
