"""The jobs of all markets: timers, notifications, webhooks, housekeeping, what-ifs.

A process of its own, or in the matcher.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any

import uvloop

from dispatcher.app.opened import Opened, opened, telling
from dispatcher.app.pressing import Pressing
from dispatcher.app.saving import savers_of, saving
from dispatcher.app.solving import Solving
from dispatcher.app.until_told import until_told
from dispatcher.decisions.saver import Saver
from dispatcher.delivery.hub import Hub
from dispatcher.delivery.notify.courier import Courier
from dispatcher.delivery.notify.ways import notifier_of
from dispatcher.delivery.webhooks.callers import Callers
from dispatcher.delivery.webhooks.sending import Poster
from dispatcher.domain.kinds import kinds
from dispatcher.interop.tds import form as tds
from dispatcher.jobs.credentials import keep_credentials
from dispatcher.jobs.housekeeping import keep_house
from dispatcher.jobs.lease import keep_lease
from dispatcher.jobs.proofs import keep_proofs
from dispatcher.jobs.routing import tell_routing
from dispatcher.jobs.timers import Timers
from dispatcher.jobs.tuning import keep_tuning
from dispatcher.jobs.unreadable import settle_tasks
from dispatcher.matching.effects import Measurer
from dispatcher.matching.quotes import Quoter
from dispatcher.runtime.own_name import own_name
from dispatcher.service.loops import (
    CREDENTIALS,
    DECISIONS,
    EFFECTS,
    HOUSEKEEPING,
    JOBS,
    NOTIFICATIONS,
    PROOFS,
    READ_AGAIN,
    SEALS,
    TIMERS,
    TUNING,
    WEBHOOKS,
    WHAT_IFS,
    keep_running,
)
from dispatcher.service.service import Service
from dispatcher.settings import Settings
from dispatcher.what_if.errand import Errand
from dispatcher.what_if.runner import Runner
from dispatcher.workers.what_ifs import Comparing

Work = Coroutine[Any, Any, None]
Savers = Mapping[str, Saver]


def run_jobs(settings: Settings, name: str | None = None, pressing: int | None = None) -> int:
    """The jobs alone, until SIGTERM; as many processes as one likes, each market's are shared.

    `pressing`: the number of an inherited notice, on which a matcher beside tells what they give way to.
    """
    uvloop.run(_jobs(settings, name or own_name(), Pressing(pressing)))
    return 0


async def _jobs(settings: Settings, name: str, pressing: Pressing) -> None:
    async with opened(settings, "jobs") as open_:
        savers, solving = savers_of(open_), Solving.of(open_)
        busy, hot, elsewhere = pressing.solving, pressing.hot, solving.elsewhere
        works_of = jobs_of(open_, name, savers, busy=busy, hot=hot, elsewhere=elsewhere, apart=True)
        try:
            async with saving(open_.store, savers), works_of as works:
                await until_told(
                    *works,
                    *solving.works(),
                    *telling(open_.service),
                    *asking_roads(open_),
                )
        finally:
            await solving.aclose()


@contextlib.asynccontextmanager
async def jobs_of(
    open_: Opened,
    name: str,
    savers: Savers,
    *,
    busy: Callable[[], bool] = lambda: False,
    hot: Callable[[], bool] = lambda: False,
    calm: Callable[[], Awaitable[None]] | None = None,
    elsewhere: Comparing | None = None,
    apart: bool = False,
) -> AsyncIterator[list[Work]]:
    """All that is to run beside matching; `busy`, `hot` and `calm` say when what can wait gives way to that.

    `elsewhere`: workers that are asked what-ifs first. `apart`: no matcher is here, whose lease would say who
    does what only one may.
    """
    service, markets = open_.service, open_.settings.markets
    notifier = notifier_of(open_.settings, open_.clock)
    hub, poster = Hub(open_.store), Poster(open_.settings.webhook_networks)
    callers = Callers(service, hub, poster, name, tds.forms(service))
    retimer = Quoter(open_.store, open_.clock, markets, open_.travel_of, savers)
    timers = Timers(service, retimer=retimer, calm=calm)
    courier = Courier(service, notifier, open_.settings.notify_coordinator_email)
    try:
        yield [
            *(job for each in markets for job in _of_market(service, each, timers, courier)),
            *(
                job
                for each in markets
                for job in _by_one(open_, each, name, busy=busy, hot=hot, elsewhere=elsewhere, apart=apart)
            ),
            *(job for each, saver in savers.items() for job in _tidying(open_, each, saver)),
            *(keep_running(open_.store, each, WEBHOOKS, partial(callers.run, each)) for each in markets),
        ]
    finally:
        await poster.aclose()
        await hub.aclose()
        if notifier is not None:
            await notifier.aclose()


def _of_market(service: Service, market: str, timers: Timers, courier: Courier) -> list[Work]:
    """What runs for a market beside matching: timers, each kind by itself; notifications; housekeeping."""
    store = service.store
    return [
        *(keep_running(store, market, TIMERS, partial(timers.run, market, kind)) for kind in kinds()),
        keep_running(store, market, NOTIFICATIONS, partial(courier.run, market)),
        keep_running(store, market, HOUSEKEEPING, partial(keep_house, service, market)),
        keep_running(store, market, TUNING, partial(keep_tuning, service, market)),
        keep_running(store, market, PROOFS, partial(keep_proofs, service, market)),
        keep_running(store, market, READ_AGAIN, partial(settle_tasks, service, market)),
    ]


def _by_one(
    open_: Opened,
    market: str,
    name: str,
    *,
    busy: Callable[[], bool],
    hot: Callable[[], bool],
    elsewhere: Comparing | None,
    apart: bool,
) -> list[Work]:
    """What one process alone does: credentials, and, giving way to every solve, what-ifs and effects.

    An effect is what a parameter does, seen in what was saved.
    """
    settings = open_.settings
    store, service, clock, tz = open_.store, open_.service, open_.clock, open_.settings.markets[market]
    stored, saved = store.market(market), partial(service.decisions.saved, market)
    parameters = service.registry.parameters
    lease = stored.jobs_lease if apart else stored.lease
    keys_file, identity = settings.patient_keys_file, settings.store_identity
    errand = Errand(settings.redis_url, keys_file, identity, market, tz, clock)
    runner = Runner(
        stored, tz, clock, open_.travel_of, name, busy, saved,
        hot=hot, errand=None if open_.engine else errand, elsewhere=elsewhere, lease=lease,
    )  # fmt: skip
    measurer = Measurer(stored, open_.decisions, parameters, tz, clock, name, busy, hot=hot, lease=lease)
    return [
        keep_running(store, market, WHAT_IFS, runner.run),
        keep_running(store, market, EFFECTS, measurer.run),
        keep_running(store, market, CREDENTIALS, partial(keep_credentials, service, market, name, lease)),
        *([keep_running(store, market, JOBS, partial(keep_lease, store, market, name))] if apart else []),
    ]


def _tidying(open_: Opened, market: str, saver: Saver) -> list[Work]:
    """What is saved of decisions is kept tidy, and sealed."""
    return [
        keep_running(open_.store, market, DECISIONS, saver.keep_tidy),
        keep_running(open_.store, market, SEALS, saver.keep_sealing),
    ]


def asking_roads(open_: Opened) -> list[Work]:
    """What asks a routing server, if there is one."""
    if open_.engine is None:
        return []
    return [open_.engine.run(), tell_routing(open_.store, list(open_.settings.markets), open_.engine)]
