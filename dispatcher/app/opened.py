"""What every process of the service opens: the store, the clock, what it decides by, and its parts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial

from dispatcher.blobs.places import decisions_of, proofs_of
from dispatcher.decisions.store import DecisionStore
from dispatcher.domain.refusals import Unavailable
from dispatcher.jobs.measures import tell_measures
from dispatcher.jobs.patient_keys import keep_agreement
from dispatcher.jobs.quarters import keep_quarters
from dispatcher.jobs.skew import keep_looking
from dispatcher.jobs.unreadable import tell_unreadable
from dispatcher.runtime import traces
from dispatcher.runtime.clock import Clock, make_clock
from dispatcher.runtime.otel import open_tracer
from dispatcher.runtime.own_name import own_name
from dispatcher.runtime.rounds import share_threads
from dispatcher.security import key_files
from dispatcher.service.loops import CLOCK, MEASURES, PATIENT_KEYS, QUARTERS, UNREADABLE, keep_running
from dispatcher.service.service import Service
from dispatcher.settings import Settings
from dispatcher.store.connection import StoreError
from dispatcher.store.store import Store
from dispatcher.travel.engine import Engine
from dispatcher.tuning import plugins
from solvers.travel import DetourTravel, TravelOf

AGREE_S = 2.0


@dataclass(frozen=True, eq=False)
class Opened:
    """Ready to be used."""

    settings: Settings
    store: Store
    clock: Clock
    engine: Engine | None  #: None: rides are estimated
    travel_of: TravelOf
    decisions: DecisionStore
    service: Service


@contextlib.asynccontextmanager
async def opened(settings: Settings, role: str, trouble: Callable[[], str] = str) -> AsyncIterator[Opened]:
    """For a process of this role. Raises UserError: what is set, or stored, cannot be used."""
    clock = clock_of(settings)
    async with _traced(settings, role), open_store(settings, role, trouble) as store:
        engine = engine_of(settings)
        travel_of = DetourTravel.of if engine is None else engine.travel_of
        decisions = DecisionStore(decisions_of(settings), store.vault)
        registry = plugins.load(settings.rules)
        service = Service(
            store,
            clock,
            settings.markets,
            registry,
            travel_of,
            decisions=decisions,
            proofs=proofs_of(settings),
            webhook_networks=settings.webhook_networks,
        )
        await _agree(store, list(settings.markets))
        share_threads()
        yield Opened(settings, store, clock, engine, travel_of, decisions, service)


def telling(service: Service) -> list[Coroutine[None, None, None]]:
    """Of each market: what this process could not read is told, what it can read, what it counted, and
    whether its clock is wrong.
    """
    store, markets = service.store, service.markets
    return [
        *(keep_running(store, each, UNREADABLE, partial(tell_unreadable, service, each)) for each in markets),
        *(keep_running(store, each, MEASURES, partial(tell_measures, service, each)) for each in markets),
        *(keep_running(store, each, PATIENT_KEYS, partial(keep_agreement, store, each)) for each in markets),
        *(keep_running(store, each, CLOCK, partial(keep_looking, store, each)) for each in markets),
        *(keep_running(store, each, QUARTERS, partial(keep_quarters, service, each)) for each in markets),
    ]


def open_store(settings: Settings, role: str, trouble: Callable[[], str] = str) -> Store:
    """The store over REDIS_URL, with the patient keys; used as `async with`."""
    file = key_files.RingFile(settings.patient_keys_file)
    store = Store(
        settings.redis_url,
        file.ring,
        identity=settings.store_identity,
        trouble=trouble,
        replicas=settings.wait_replicas,
    )
    store.agreement.take_part(f"{role} {own_name()}", file)
    return store


@contextlib.asynccontextmanager
async def _traced(settings: Settings, role: str) -> AsyncIterator[None]:
    """Spans go to the collector of the settings, if there is one. Raises UserError without the extra."""
    if settings.traces_url is None:
        yield
        return
    tracer = open_tracer(settings.traces_url, role)
    traces.install(tracer)
    try:
        yield
    finally:
        traces.install(None)
        await asyncio.to_thread(tracer.close)


async def _agree(store: Store, markets: Sequence[str]) -> None:
    """Hear at the start which patient keys the others can read, and whether our clock is the store's, before
    a timer fires by it; a store that is away is asked again later.

    Each market by itself: of a cluster's servers one may be away. Raises UserError: a newer version wrote
    what is stored.
    """
    await asyncio.gather(
        *(_look(store, each) for each in markets), *(_agree_on(store, each) for each in markets)
    )


async def _look(store: Store, market: str) -> None:
    with contextlib.suppress(Unavailable, StoreError, TimeoutError):  # its loop tells
        async with asyncio.timeout(AGREE_S):
            await store.skew.look(market)


async def _agree_on(store: Store, market: str) -> None:
    with contextlib.suppress(Unavailable, StoreError, TimeoutError):  # of this one; its loop tells
        async with asyncio.timeout(AGREE_S):
            await store.formats.refuse([market])
            await store.agreement.reach(market, store.market(market).rings)


def engine_of(settings: Settings) -> Engine | None:
    """What asks the routing server; None: there is none, and rides are estimated."""
    url = settings.travel_url
    return None if url is None else Engine(url, tile=settings.travel_tile, by_get=settings.travel_by_get)


def clock_of(settings: Settings) -> Clock:
    """The system's clock, or the scaled one of the settings."""
    return make_clock(*settings.clock)
