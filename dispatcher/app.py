"""The composition root: settings in, running parts out. One function for each kind of process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import structlog
import uvloop

from dispatcher.console.pages import with_console
from dispatcher.decisions.blobs import blobs_of
from dispatcher.decisions.saver import Saver
from dispatcher.decisions.store import DecisionStore
from dispatcher.delivery.hub import Hub
from dispatcher.delivery.replies import Replies
from dispatcher.domain.kinds import kinds
from dispatcher.domain.refusals import Unavailable
from dispatcher.http.concurrency import Limits
from dispatcher.http.parts import Parts
from dispatcher.http.server import Runner, listen
from dispatcher.jobs.housekeeping import keep_house
from dispatcher.jobs.measures import tell_measures
from dispatcher.jobs.patient_keys import keep_agreement
from dispatcher.jobs.quarters import keep_quarters
from dispatcher.jobs.routing import tell_routing
from dispatcher.jobs.tuning import keep_tuning
from dispatcher.jobs.unreadable import tell_unreadable
from dispatcher.matching.quotes import Quoter
from dispatcher.runtime import files, traces
from dispatcher.runtime.clock import Clock, make_clock
from dispatcher.runtime.errors import UserError
from dispatcher.runtime.otel import open_tracer
from dispatcher.runtime.signals import on_ending
from dispatcher.security import key_files
from dispatcher.security.tokens import Authenticator, mint
from dispatcher.serve.notice import Notice
from dispatcher.serve.supervisor import listening
from dispatcher.service.loops import (
    DECISIONS,
    EFFECTS,
    HOUSEKEEPING,
    MEASURES,
    NOTIFICATIONS,
    PATIENT_KEYS,
    QUARTERS,
    REPLIES,
    SEALS,
    TIMERS,
    TUNING,
    UNREADABLE,
    WHAT_IFS,
    Troubles,
)
from dispatcher.service.loops import keep_running as _kept
from dispatcher.service.service import Service
from dispatcher.settings import Settings
from dispatcher.store.connection import StoreError
from dispatcher.store.store import Store
from dispatcher.travel.engine import Engine
from dispatcher.tuning import plugins
from solvers.travel import DetourTravel

if TYPE_CHECKING:  # the web process has no use for them
    from dispatcher.console.oidc import Directory
    from dispatcher.delivery.notify.courier import Courier
    from dispatcher.jobs.timers import Timers

SHUTDOWN_S = 5.0
INSIST_S = 0.2
AGREE_S = 2.0
COLLECT_EVERY = 20_000  # objects
log = structlog.get_logger()


def run_web(
    settings: Settings, listener: int | None = None, name: str | None = None, notice: int | None = None
) -> int:
    """The web process until SIGTERM: HTTP, event streams, replies.

    `listener`, `notice`: numbers of an inherited socket, and of what the supervisor has to tell. `name`: who
    this is in consumer groups; one that stays the same over a crash takes up at once what was left.
    """
    with socket.socket(fileno=listener) if listener is not None else listening(settings) as bound:
        trouble = Notice(notice).read if notice is not None else str
        _collect_rarely()
        uvloop.run(_web(settings, bound, name or own_name(), trouble))
    return 0


def _collect_rarely() -> None:
    """What was made up to here stays, so it is not looked through again and again; and a call leaves few
    cycles behind. Without this, a tenth of a web process that takes requests is garbage collection.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY, 20, 20)


def run_matcher(settings: Settings, name: str | None = None) -> int:
    """The matcher process until SIGTERM: matching by lease, timers, housekeeping.

    `name`: who owns its leases; one that stays the same over a crash need not wait for them to run out.
    """
    uvloop.run(_matcher(settings, name or own_name()))
    return 0


async def _web(settings: Settings, bound: socket.socket, name: str, trouble: Callable[[], str] = str) -> None:
    clock, keys = clock_of(settings), key_files.read_token_keys(settings.token_keys_file)
    async with _traced(settings, "web"), open_store(settings, "web", trouble) as store:
        engine = engine_of(settings)
        travel_of = DetourTravel.of if engine is None else engine.travel_of
        decisions = DecisionStore(blobs_of(settings.decisions, settings.data_dir), store.vault)
        registry = plugins.load(settings.rules)
        service = Service(store, clock, settings.markets, registry, travel_of, decisions=decisions)
        await _agree(store, list(settings.markets))
        hub = Hub(store)
        parts = Parts(
            service=service,
            hub=hub,
            quoter=Quoter(store, clock, settings.markets, travel_of),
            clock=clock,
            token_keys=keys,
            limits=Limits(connections=min(Limits().connections, files.raise_limit())),
            engine=engine,
            map_tiles=settings.map_tiles,
            map_credit=settings.map_credit,
        )
        verify, made_anew = Authenticator(keys).verify, parts.metrics.made_anew
        replies = Replies(service, verify, name, made_anew=made_anew)
        app = with_console(parts, directory_of(settings, keys, clock))
        runner = Runner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
        await runner.setup()
        try:
            await listen(runner, bound)
            await _until_told(
                *(_kept(store, each, REPLIES, partial(replies.run, each)) for each in settings.markets),
                *_telling(service),
                *([] if engine is None else [engine.run()]),
            )
        finally:
            await runner.cleanup()
            await hub.aclose()


def _of_market(
    service: Service, market: str, timers: Timers, courier: Courier
) -> list[Coroutine[Any, Any, None]]:
    """What runs for a market beside matching: timers, each kind by itself; notifications; housekeeping."""
    store, clock, tz = service.store, service.clock, service.markets.zones[market]
    return [
        *(_kept(store, market, TIMERS, partial(timers.run, market, kind)) for kind in kinds()),
        _kept(store, market, NOTIFICATIONS, partial(courier.run, market)),
        _kept(store, market, HOUSEKEEPING, partial(keep_house, store, market, tz, clock)),
        _kept(store, market, TUNING, partial(keep_tuning, service, market)),
    ]


async def _matcher(settings: Settings, name: str) -> None:
    from dispatcher.delivery.notify.courier import Courier  # noqa: PLC0415
    from dispatcher.delivery.notify.ways import notifier_of  # noqa: PLC0415
    from dispatcher.jobs.timers import Timers  # noqa: PLC0415
    from dispatcher.matching.effects import Measurer  # noqa: PLC0415
    from dispatcher.matching.process import run_matchers  # noqa: PLC0415 - the web process has no use for it
    from dispatcher.matching.solving import SolverPool  # noqa: PLC0415
    from dispatcher.what_if.runner import Runner  # noqa: PLC0415

    clock = clock_of(settings)
    async with _traced(settings, "matcher"), open_store(settings, "matcher") as store:
        engine = engine_of(settings)
        travel_of = DetourTravel.of if engine is None else engine.travel_of
        decisions = DecisionStore(blobs_of(settings.decisions, settings.data_dir), store.vault)
        registry = plugins.load(settings.rules)
        service = Service(store, clock, settings.markets, registry, travel_of, decisions=decisions)
        await _agree(store, list(settings.markets))
        retimer = Quoter(store, clock, settings.markets, travel_of)
        timers, solvers = Timers(service, retimer=retimer), SolverPool()
        savers = {each: saver_of(store, each, decisions, tz, clock) for each, tz in settings.markets.items()}
        notifier = notifier_of(settings, clock)
        courier = Courier(service, notifier, settings.notify_coordinator_email)

        def what_if(each: str) -> Coroutine[Any, Any, None]:
            """What-ifs give way to every solve of ours."""
            stored, tz = store.market(each), settings.markets[each]
            saved = partial(service.decisions.saved, each)
            runner = Runner(stored, tz, clock, travel_of, name, solvers.busy, saved)
            return _kept(store, each, WHAT_IFS, runner.run)

        def effects(each: str) -> Coroutine[Any, Any, None]:
            """What each parameter does, seen in what was saved: it gives way, too."""
            stored, tz, known = store.market(each), settings.markets[each], service.registry.parameters
            measurer = Measurer(stored, decisions, known, tz, clock, name, solvers.busy)
            return _kept(store, each, EFFECTS, measurer.run)

        async def match() -> None:  # a signal that comes while they get warm ends all in order, too
            await solvers.warm()
            busy = solvers.busy
            await run_matchers(service, solvers, name, travel_of=travel_of, savers=savers, busy=busy)

        try:
            await _until_told(
                match(),
                *(job for each in settings.markets for job in _of_market(service, each, timers, courier)),
                *map(what_if, settings.markets),
                *map(effects, settings.markets),
                *_telling(service),
                *(_kept(store, each, DECISIONS, saver.run) for each, saver in savers.items()),
                *(_kept(store, each, DECISIONS, saver.keep_tidy) for each, saver in savers.items()),
                *(_kept(store, each, SEALS, saver.keep_sealing) for each, saver in savers.items()),
                *(
                    []
                    if engine is None
                    else [engine.run(), tell_routing(store, list(settings.markets), engine)]
                ),
            )
        finally:
            await solvers.aclose()
            if notifier is not None:
                await notifier.aclose()


def saver_of(store: Store, market: str, decisions: DecisionStore, tz: ZoneInfo, clock: Clock) -> Saver:
    """What saves a market's decisions, and tells where it cannot."""
    troubles = Troubles(store, market, DECISIONS)
    return Saver(store.market(market), decisions, tz, clock, troubles.tell, troubles.end)


def _telling(service: Service) -> list[Coroutine[None, None, None]]:
    """Of each market: what this process could not read is told, what it can read, and what it counted."""
    store, markets = service.store, service.markets
    return [
        *(_kept(store, each, UNREADABLE, partial(tell_unreadable, service, each)) for each in markets),
        *(_kept(store, each, MEASURES, partial(tell_measures, service, each)) for each in markets),
        *(_kept(store, each, PATIENT_KEYS, partial(keep_agreement, store, each)) for each in markets),
        *(_kept(store, each, QUARTERS, partial(keep_quarters, service, each)) for each in markets),
    ]


def open_store(settings: Settings, role: str, trouble: Callable[[], str] = str) -> Store:
    """The store over REDIS_URL, with the patient keys; used as `async with`."""
    file = key_files.RingFile(settings.patient_keys_file)
    store = Store(settings.redis_url, file.ring, identity=settings.store_identity, trouble=trouble)
    store.agreement.take_part(f"{role} {own_name()}#{secrets.token_hex(2)}", file)
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
    """Hear at the start which patient keys the others can read; a store that is away is asked again later.

    Raises UserError: a newer version wrote what is stored.
    """
    with contextlib.suppress(Unavailable, StoreError, TimeoutError):
        async with asyncio.timeout(AGREE_S):
            await store.formats.refuse(markets)
            for each in markets:
                with contextlib.suppress(StoreError):  # of this one; its loop tells
                    await store.agreement.reach(each, store.market(each).rings)


def engine_of(settings: Settings) -> Engine | None:
    """What asks the routing server; None: there is none, and rides are estimated."""
    url = settings.travel_url
    return None if url is None else Engine(url, tile=settings.travel_tile, by_get=settings.travel_by_get)


def directory_of(settings: Settings, keys: Mapping[str, Any], clock: Clock) -> Directory | None:
    """Whose people may sign in to the console; None: nobody's but who has a token. Raises UserError."""
    if settings.oidc_issuer is None:
        return None
    from dispatcher.console.oidc import Directory  # noqa: PLC0415 - slow, and needed where there is one

    if not settings.oidc_client_id or not settings.oidc_roles:
        raise UserError(
            "DISPATCHER_OIDC_ISSUER is set, and OIDC_CLIENT_ID or OIDC_ROLES is not: nobody could sign in.",
            "Set both; for example DISPATCHER_OIDC_ROLES=dispatchers=ops,nurses=coordinator@metro",
        )
    mint(keys, {})  # raises UserError where no key can sign: sessions are tokens of this service
    return Directory(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        secret=_secret(settings.oidc_client_secret_file),
        roles=settings.oidc_roles,
        claim=settings.oidc_claim,
        public_url=settings.public_url or "",
        markets=tuple(settings.markets),
        keys=keys,
        clock=clock,
    )


def _secret(path: Path | None) -> str:
    try:
        return path.read_text().strip() if path else ""
    except OSError as error:
        raise UserError(
            f"DISPATCHER_OIDC_CLIENT_SECRET_FILE is {path}, and it cannot be read: {error.strerror}.",
            "Maybe its name, or its rights.",
        ) from None


def clock_of(settings: Settings) -> Clock:
    """The system's clock, or the scaled one of the settings."""
    return make_clock(*settings.clock)


def own_name() -> str:
    """Who this process is, in leases and consumer groups, unless it is told."""
    return f"{socket.gethostname()}:{os.getpid()}"


async def _until_told(*works: Coroutine[None, None, None]) -> None:
    """Work until SIGTERM or SIGINT. A market's loops look after themselves; beside them, what fails ends the
    process, and the supervisor starts it anew.
    """
    ending = asyncio.Event()
    on_ending(ending.set)
    tasks = [asyncio.ensure_future(work) for work in (*works, ending.wait())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await _end(tasks)


async def _end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel until they end: redis-py loses a cancellation that comes while it connects."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=INSIST_S)
