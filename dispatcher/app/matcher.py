"""The matcher process: matching by lease, timers, housekeeping, what is saved of decisions, what-ifs."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from functools import partial
from typing import Any

import uvloop

from dispatcher.app.opened import Opened, opened, own_name, telling
from dispatcher.app.saving import savers_of
from dispatcher.app.until_told import until_told
from dispatcher.decisions.saver import Saver
from dispatcher.delivery.hub import Hub
from dispatcher.delivery.notify.courier import Courier
from dispatcher.delivery.notify.ways import notifier_of
from dispatcher.delivery.webhooks.callers import Callers
from dispatcher.delivery.webhooks.sending import Poster
from dispatcher.domain.kinds import kinds
from dispatcher.jobs.credentials import keep_credentials
from dispatcher.jobs.housekeeping import keep_house
from dispatcher.jobs.proofs import keep_proofs
from dispatcher.jobs.routing import tell_routing
from dispatcher.jobs.timers import Timers
from dispatcher.jobs.tuning import keep_tuning
from dispatcher.matching.arrivals import Arrivals
from dispatcher.matching.effects import Measurer
from dispatcher.matching.process import run_matchers
from dispatcher.matching.quotes import Quoter
from dispatcher.matching.solving import SolverPool
from dispatcher.runtime.garbage import collect_rarely
from dispatcher.service.loops import (
    CREDENTIALS,
    DECISIONS,
    EFFECTS,
    HOUSEKEEPING,
    NOTIFICATIONS,
    PROOFS,
    SEALS,
    TIMERS,
    TUNING,
    WEBHOOKS,
    WHAT_IFS,
    keep_running,
)
from dispatcher.service.service import Service
from dispatcher.settings import Settings
from dispatcher.store.store import Store
from dispatcher.what_if.errand import Errand
from dispatcher.what_if.runner import Runner

Work = Coroutine[Any, Any, None]
Savers = Mapping[str, Saver]


def run_matcher(settings: Settings, name: str | None = None) -> int:
    """The matcher process until SIGTERM: matching by lease, timers, housekeeping.

    `name`: who owns its leases; one that stays the same over a crash need not wait for them to run out.
    """
    uvloop.run(_matcher(settings, name or own_name()))
    return 0


async def _matcher(settings: Settings, name: str) -> None:
    async with opened(settings, "matcher") as open_:
        solvers, arrivals, notifier = SolverPool(), Arrivals(), notifier_of(settings, open_.clock)
        hub, poster = Hub(open_.store), Poster(settings.webhook_networks)
        callers = Callers(open_.service, hub, poster, name)
        savers = savers_of(open_)
        retimer = Quoter(open_.store, open_.clock, settings.markets, open_.travel_of, savers)
        timers = Timers(open_.service, retimer=retimer)
        courier = Courier(open_.service, notifier, settings.notify_coordinator_email)
        try:
            await until_told(
                _matching(open_, solvers, name, savers, arrivals),
                *(
                    job
                    for each in settings.markets
                    for job in _of_market(open_.service, each, timers, courier, name)
                ),
                *(
                    job
                    for each in settings.markets
                    for job in _giving_way(open_, each, solvers, name, arrivals)
                ),
                *(job for each, saver in savers.items() for job in _saving(open_.store, each, saver)),
                *(
                    keep_running(open_.store, each, WEBHOOKS, partial(callers.run, each))
                    for each in settings.markets
                ),
                *telling(open_.service),
                *_routing(open_),
            )
        finally:
            await solvers.aclose()
            await poster.aclose()
            await hub.aclose()
            if notifier is not None:
                await notifier.aclose()


async def _matching(
    open_: Opened, solvers: SolverPool, name: str, savers: Savers, arrivals: Arrivals
) -> None:
    """A signal that comes while the solvers get warm ends all in order, too."""
    await solvers.warm()
    collect_rarely()
    travel_of, busy = open_.travel_of, solvers.busy
    await run_matchers(
        open_.service, solvers, name, travel_of=travel_of, savers=savers, busy=busy, arrivals=arrivals
    )


def _of_market(service: Service, market: str, timers: Timers, courier: Courier, name: str) -> list[Work]:
    """What runs for a market beside matching: timers, each kind by itself; notifications; housekeeping."""
    store, clock, tz = service.store, service.clock, service.markets.zones[market]
    return [
        *(keep_running(store, market, TIMERS, partial(timers.run, market, kind)) for kind in kinds()),
        keep_running(store, market, NOTIFICATIONS, partial(courier.run, market)),
        keep_running(store, market, HOUSEKEEPING, partial(keep_house, store, market, tz, clock)),
        keep_running(store, market, TUNING, partial(keep_tuning, service, market)),
        keep_running(store, market, PROOFS, partial(keep_proofs, service, market)),
        keep_running(store, market, CREDENTIALS, partial(keep_credentials, service, market, name)),
    ]


def _giving_way(open_: Opened, market: str, solvers: SolverPool, name: str, arrivals: Arrivals) -> list[Work]:
    """What gives way to every solve: what-ifs, and what each parameter does, seen in what was saved."""
    settings = open_.settings
    store, service, clock, tz = open_.store, open_.service, open_.clock, open_.settings.markets[market]
    stored, saved = store.market(market), partial(service.decisions.saved, market)
    parameters = service.registry.parameters
    keys_file, identity = settings.patient_keys_file, settings.store_identity
    errand = Errand(settings.redis_url, keys_file, identity, market, tz, clock)
    runner = Runner(
        stored, tz, clock, open_.travel_of, name, solvers.busy, saved,
        hot=arrivals.hot, errand=None if open_.engine else errand,
    )  # fmt: skip
    measurer = Measurer(stored, open_.decisions, parameters, tz, clock, name, solvers.busy, hot=arrivals.hot)
    return [
        keep_running(store, market, WHAT_IFS, runner.run),
        keep_running(store, market, EFFECTS, measurer.run),
    ]


def _saving(store: Store, market: str, saver: Saver) -> list[Work]:
    """What is saved of decisions, and kept tidy and sealed."""
    return [
        keep_running(store, market, DECISIONS, saver.run),
        keep_running(store, market, DECISIONS, saver.keep_tidy),
        keep_running(store, market, SEALS, saver.keep_sealing),
    ]


def _routing(open_: Opened) -> list[Work]:
    """What asks a routing server, if there is one."""
    if open_.engine is None:
        return []
    return [open_.engine.run(), tell_routing(open_.store, list(open_.settings.markets), open_.engine)]
