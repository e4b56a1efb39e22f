"""The web process: HTTP, event streams, the console, vendors' replies."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any

import uvloop

from dispatcher.app.opened import Opened, opened, telling
from dispatcher.app.replies import replies_of
from dispatcher.app.saving import savers_of, saving
from dispatcher.app.until_told import until_told
from dispatcher.console.directory import directory_of
from dispatcher.console.pages import with_console
from dispatcher.delivery.hub import Hub
from dispatcher.http.concurrency import Limits
from dispatcher.http.parts import Parts
from dispatcher.http.server import Runner, listen
from dispatcher.interop.fhir import routes as fhir
from dispatcher.interop.tds import routes as telegrams
from dispatcher.matching.quotes import Quoter
from dispatcher.runtime import files
from dispatcher.runtime.garbage import collect_rarely
from dispatcher.runtime.own_name import own_name
from dispatcher.runtime.places import read_places
from dispatcher.security import key_files
from dispatcher.security.tokens import Authenticator
from dispatcher.serve.notice import Notice
from dispatcher.serve.supervisor import listening
from dispatcher.settings import Settings

SHUTDOWN_S = 5.0


def run_web(
    settings: Settings,
    listener: int | None = None,
    name: str | None = None,
    notice: int | None = None,
    *,
    apart: bool = False,
) -> int:
    """The web process until SIGTERM: HTTP, event streams; and replies, unless they run elsewhere (`apart`).

    `listener`, `notice`: numbers of an inherited socket, and of what the supervisor has to tell. `name`: who
    this is in consumer groups; one that stays the same over a crash takes up at once what was left.
    """
    with socket.socket(fileno=listener) if listener is not None else listening(settings) as bound:
        trouble = Notice(notice).read if notice is not None else str
        collect_rarely()
        uvloop.run(_web(settings, bound, name or own_name(), trouble, apart=apart))
    return 0


async def _web(
    settings: Settings,
    bound: socket.socket,
    name: str,
    trouble: Callable[[], str] = str,
    *,
    apart: bool = False,
) -> None:
    keys = key_files.read_token_keys(settings.token_keys_file)
    async with opened(settings, "web-apart" if apart else "web", trouble) as open_:
        await _serve(open_, keys, bound, name, apart=apart)


async def _serve(
    open_: Opened, keys: Mapping[str, Any], bound: socket.socket, name: str, *, apart: bool = False
) -> None:
    settings, store, clock, service = open_.settings, open_.store, open_.clock, open_.service
    engine, markets = open_.engine, open_.settings.markets
    hub, savers = Hub(store), savers_of(open_)
    quoter = Quoter(store, clock, markets, open_.travel_of, savers)
    parts = Parts(
        service=service,
        hub=hub,
        quoter=quoter,
        clock=clock,
        token_keys=keys,
        limits=Limits(connections=files.most_connections(Limits().connections)),
        engine=engine,
        map_tiles=settings.map_tiles,
        map_credit=settings.map_credit,
        places=read_places(settings.places, markets) if settings.places else {},
        public_url=settings.public_url or "",
    )
    verify, made_anew = Authenticator(keys).verify, parts.metrics.made_anew
    replies = [] if apart else replies_of(open_, name, verify, quoter, made_anew)
    app = with_console(parts, directory_of(settings, keys, clock), [fhir.ROUTES, telegrams.ROUTES])
    runner = Runner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    async with saving(store, savers):
        try:
            await listen(runner, bound)
            await until_told(*replies, *telling(service), *([] if engine is None else [engine.run()]))
        finally:
            await runner.cleanup()
            await hub.aclose()
