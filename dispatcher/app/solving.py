"""Who solves for a matcher: its own processes, and workers on other machines where a broker is set."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from dispatcher.app.opened import Opened
from dispatcher.blobs.places import parcels_of
from dispatcher.domain.refusals import Unavailable
from dispatcher.matching.solvers import Solvers
from dispatcher.matching.solving import SolverPool
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.service.measures import SOLVED_AT
from dispatcher.store.connection import StoreError
from dispatcher.store.pulse import Workers
from dispatcher.store.store import Store
from dispatcher.workers.broker import Broker
from dispatcher.workers.errands import Desk
from dispatcher.workers.kinds import SOLVES, WHAT_IFS, Kind
from dispatcher.workers.living import Living, Threads
from dispatcher.workers.parcels import Parcels
from dispatcher.workers.shared import SharedSolvers
from dispatcher.workers.what_ifs import Comparing

TIDY_S = 3_600.0
log = structlog.get_logger()
Work = Coroutine[Any, Any, None]


@dataclass(frozen=True, eq=False)
class Solving:
    """`desks`: where workers are asked, by kind; none without a broker."""

    open_: Opened
    local: SolverPool
    threads: Threads
    desks: dict[Kind, Desk]

    @classmethod
    def of(cls, open_: Opened, imminent: Callable[[], bool] = lambda: False) -> Solving:
        """`imminent`: see `SolverPool`.

        Raises UserError: a broker is set, and Celery or the place of parcels cannot be used.
        """
        threads, settings = Threads(), open_.settings
        made = cls(open_, SolverPool(imminent=imminent), threads, {})
        if settings.broker_url is None:
            return made
        parcels = Parcels(open_.store.vault, parcels_of(settings))
        for kind in (SOLVES, WHAT_IFS):
            broker = Broker(settings.broker_url, kind)
            tell = made.told if kind == SOLVES else None
            made.desks[kind] = Desk(broker, Living(broker, threads, tell), parcels, threads)
        return made

    @property
    def solvers(self) -> Solvers:
        """Workers first, where there are any."""
        if not self.desks:
            return self.local
        measures = self.open_.service.executor.measures
        return SharedSolvers(
            self.local, self.desks[SOLVES], lambda market, place: measures.count(market, SOLVED_AT, place)
        )

    @property
    def elsewhere(self) -> Comparing | None:
        """Who is asked what-ifs first. With a routing server none: this process alone knows what it said."""
        return Comparing(self.desks[WHAT_IFS]) if self.desks and self.open_.engine is None else None

    def works(self) -> list[Work]:
        """What runs beside: who lives is looked at, what was left behind is tidied away."""
        if not self.desks:
            return [self._tell_none()]
        looks = [each.living.run() for each in self.desks.values()]
        return [*looks, self._tidy(self.desks[SOLVES].parcels)]

    async def told(self, workers: Workers | None) -> None:
        """Say in every market who solves for it. Raises Unavailable, StoreError."""
        await tell(self.open_.store, self.open_.settings.markets, workers)

    async def _tell_none(self) -> None:
        """Once: before, a broker may have been set."""
        with contextlib.suppress(Unavailable, StoreError):
            await self.told(None)
        await asyncio.Event().wait()

    async def _tidy(self, parcels: Parcels) -> None:
        while not cancel_requested():
            for each in self.open_.settings.markets:
                with contextlib.suppress(OSError):
                    if number := await self.threads.call(partial(parcels.tidied, each)):
                        log.info("parcels_tidied", market=each, number=number)
            await asyncio.sleep(TIDY_S)

    async def aclose(self) -> None:
        """End the processes, and wait for no broker."""
        self.threads.close()
        await self.local.aclose()


async def tell(store: Store, markets: Iterable[str], workers: Workers | None) -> None:
    """Raises Unavailable, StoreError."""
    await asyncio.gather(*(store.market(each).pulse.solved_by(workers) for each in markets))
