"""The matcher process: matching by lease; and the jobs, unless these run apart."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import uvloop

from dispatcher.app.jobs import Savers, Work, asking_roads, jobs_of
from dispatcher.app.opened import Opened, opened, telling
from dispatcher.app.pressing import Pressing
from dispatcher.app.saving import savers_of, saving
from dispatcher.app.solving import Solving
from dispatcher.app.until_told import until_told
from dispatcher.matching.arrivals import Arrivals
from dispatcher.matching.process import run_matchers
from dispatcher.runtime.garbage import collect_rarely
from dispatcher.runtime.own_name import own_name
from dispatcher.settings import Settings


def run_matcher(
    settings: Settings, name: str | None = None, pressing: int | None = None, *, apart: bool = False
) -> int:
    """The matcher process until SIGTERM: matching by lease; and jobs, unless they run elsewhere (`apart`).

    `name`: who owns its leases; one that stays the same over a crash need not wait for them to run out.
    `pressing`: the number of an inherited notice, on which jobs beside are told what they give way to.
    """
    uvloop.run(_matcher(settings, name or own_name(), Pressing(pressing), apart=apart))
    return 0


async def _matcher(settings: Settings, name: str, pressing: Pressing, *, apart: bool) -> None:
    async with opened(settings, "matcher-apart" if apart else "matcher") as open_:
        arrivals = Arrivals()
        solving = Solving.of(open_, arrivals.imminent)
        busy, elsewhere = solving.local.busy, solving.elsewhere
        savers = savers_of(open_, lambda: busy() or arrivals.hot())
        beside = jobs_of(
            open_, name, savers, busy=busy, hot=arrivals.hot, calm=arrivals.calm, elsewhere=elsewhere
        )
        try:
            async with saving(open_.store, savers), _nothing() if apart else beside as jobs:
                await until_told(
                    _matching(open_, solving, name, savers, arrivals),
                    pressing.keep_telling(busy, arrivals.hot),
                    *solving.works(),
                    *jobs,
                    *telling(open_.service),
                    *asking_roads(open_),
                )
        finally:
            await solving.aclose()


@contextlib.asynccontextmanager
async def _nothing() -> AsyncIterator[list[Work]]:
    yield []


async def _matching(open_: Opened, solving: Solving, name: str, savers: Savers, arrivals: Arrivals) -> None:
    """A signal that comes while the solvers get warm ends all in order, too."""
    await solving.local.warm()
    collect_rarely()
    travel_of, busy = open_.travel_of, solving.local.busy
    await run_matchers(
        open_.service, solving.solvers, name, travel_of=travel_of, savers=savers, busy=busy, arrivals=arrivals
    )
