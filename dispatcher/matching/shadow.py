"""The shadow of one market: its candidate plans a batch beside the one that counts, after that is over.

In a process of its own, of the lowest priority, that is stopped while anything else is solved. One at a
time: a batch that comes meanwhile is passed over, and counted. Nothing of it is offered to anybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from contracts.instants import to_instant
from contracts.tuning import parted
from contracts.tuning_shadow import Shadow as Candidate
from contracts.tuning_shadow import ShadowBatch, ShadowHeld, ShadowKind, ShadowRow
from dispatcher.domain.refusals import Stale, Unavailable, Unreadable
from dispatcher.matching.arrivals import GivesWay
from dispatcher.matching.low_priority import POLL_S, Worker, worked
from dispatcher.matching.shadow_child import STEPS, Beside, Differs, work
from dispatcher.runtime.clock import Clock
from dispatcher.store.codec import Versioned
from dispatcher.store.market import MarketStore
from dispatcher.tuning.shadow import with_batch
from solvers.compare import Kind
from solvers.rules import registry
from solvers.screening import Screening

KINDS = {
    int(Kind.MOVED): ShadowKind.MOVED,
    int(Kind.GAINED): ShadowKind.GAINED,
    int(Kind.LOST): ShadowKind.LOST,
}
log = structlog.get_logger()


@dataclass(frozen=True, eq=False)
class Batch:
    """A batch as the matcher planned it, before its matches took anything."""

    screening: Screening
    requests: Sequence[str]
    vendors: Sequence[str]
    tuning_version: int
    at_ms: int


@dataclass(eq=False)
class Shadow:
    """`busy`: whether something that counts is solved, or waits for it. `hot`: whether requests come fast."""

    stored: MarketStore
    clock: Clock
    busy: Callable[[], bool] = lambda: False
    worker: Worker = worked
    steps: int = STEPS
    skipped: int = 0  #: since the last that was written down
    at_work: asyncio.Task[None] | None = field(default=None)
    hot: Callable[[], bool] = lambda: False

    async def wanted(self) -> Versioned[ShadowHeld] | None:
        """The candidate, if there is one and the last batch with it is over; else that one is passed over."""
        try:
            held = await self.stored.tuning_shadow.get()
        except (Unreadable, Unavailable):  # the one is told already, of the other all else will be
            return None
        if held.value.shadow is None:
            return None
        if self.at_work is not None and not self.at_work.done():
            self.skipped += 1
            return None
        return held

    def begin(self, held: Versioned[ShadowHeld], batch: Batch) -> None:
        """Plan it beside, from now on; nobody waits for it."""
        assert held.value.shadow is not None  # noqa: S101  (as `wanted` has seen)
        self.at_work = asyncio.create_task(self._compare(held.version, held.value.shadow, batch))

    async def aclose(self) -> None:
        """End what is under way."""
        if self.at_work is not None:
            self.at_work.cancel()
            await asyncio.gather(self.at_work, return_exceptions=True)

    async def _compare(self, version: int, candidate: Candidate, batch: Batch) -> None:
        numbers, _ = parted(candidate.values)
        job = Beside(batch.screening, numbers, steps=self.steps, plugins=registry.plugins())
        try:
            gives_way = GivesWay(self.busy, self.hot)
            while gives_way():  # noqa: ASYNC110 - for the end of what others do
                await asyncio.sleep(POLL_S)
            found = await self.worker(work, job, gives_way)
            if isinstance(found, str):
                log.warning("shadow_failed", market=self.stored.name, reason=found)
            told = found if isinstance(found, Differs) else None
            await self._keep(version, None if told is None else _told(told, batch))
        except (Stale, Unreadable, Unavailable) as refusal:
            log.warning("shadow_not_kept", market=self.stored.name, reason=refusal.reason)
        except Exception as error:  # it may fail as it likes: nothing rests on it
            log.exception("shadow_failed", market=self.stored.name, reason=type(error).__name__)

    async def _keep(self, version: int, batch: ShadowBatch | None) -> None:
        part = self.stored.tuning_shadow_found
        before = await part.get()
        skipped, self.skipped = self.skipped, 0
        await part.put(with_batch(before.value, version, batch, skipped), before.version)


def _told(found: Differs, batch: Batch) -> ShadowBatch:
    return ShadowBatch(
        at=to_instant(batch.at_ms),
        tuning_version=batch.tuning_version,
        requests=batch.screening.requests,
        moved=found.moved,
        gained=found.gained,
        lost=found.lost,
        anyway=found.anyway,
        cents=found.cents,
        rows=tuple(
            ShadowRow(
                request_id=batch.requests[row],
                kind=KINDS[kind],
                vendor=batch.vendors[after] if after >= 0 else "",
                instead_of=batch.vendors[before] if before >= 0 else "",
                cents=cents,
                minutes=minutes,
                reason=reason,
                anyway=anyway,
            )
            for row, kind, before, after, cents, minutes, reason, anyway in found.rows
        ),
    )
