"""Writers that race and remember: what they were told is what must be there."""

import asyncio
import random

import msgspec

from contracts.codes import OfferState, RequestState
from dispatcher.domain.decision import Decision
from dispatcher.domain.record import RequestRecord
from dispatcher.domain.refusals import Unavailable
from dispatcher.store.outcome import Command
from dispatcher.store.store import Store
from tests.store.made import booking, changed, moved, offered, received, released, trip


class Writers:
    """Tasks that submit, offer, decline, cancel and complete at random, until stopped."""

    def __init__(self, store: Store, market: str, seed: int, *, last_bucket: int = 287) -> None:
        self.store = store
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
        record = await self.store.record(self.market, self.random.choice(sorted(self.acknowledged)))
        assert record is not None, "an acknowledged request is gone"
        decision = self._decide(record)
        if decision:
            self._count((await self.store.commit(self.market, [decision])).status.value)
        return None

    async def _submit(self, request_id: str) -> None:
        command = Command.of("platform", request_id, b"body")
        outcome = await self.store.commit(
            self.market, [received(request_id)], requests=[trip(request_id)], command=command
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


def accepted(before: RequestRecord) -> Decision:
    """The vendor takes it; the units stay held."""
    offer = msgspec.structs.replace(before.offers[-1], state=OfferState.ACCEPTED)
    after = moved(before, RequestState.ACCEPTED, offers=(*before.offers[:-1], offer))
    return Decision(before=before, after=after, messages=(changed(after),))


def cancelled(before: RequestRecord) -> Decision:
    """The platform takes it back; the units are free."""
    offer = msgspec.structs.replace(before.offers[-1], state=OfferState.CANCELLED, bookings=())
    after = moved(before, RequestState.CANCELLED, offers=(*before.offers[:-1], offer))
    return Decision(before=before, after=after, unbook=before.offers[-1].bookings, messages=(changed(after),))
