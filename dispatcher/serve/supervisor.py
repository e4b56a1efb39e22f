"""`dispatcher serve`: the embedded server; web, matcher and jobs, each in a process; kept running as one.

The supervisor holds the listening socket, so that a web process which crashed is replaced without a refused
connection: callers wait in the queue. A crashed child comes back; when the supervisor ends, all end.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING

import structlog
from msgspec.structs import replace

from dispatcher.blobs.places import decisions_of, parcels_of, proofs_of
from dispatcher.console.directory import directory_of
from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime import otel
from dispatcher.runtime.clock import Clock, make_clock
from dispatcher.runtime.errors import UserError
from dispatcher.runtime.own_name import own_name
from dispatcher.runtime.places import read_places
from dispatcher.runtime.signals import on_ending
from dispatcher.security import key_files
from dispatcher.security.tokens import Authenticator
from dispatcher.serve import whereabouts
from dispatcher.serve.data_folder import make_usable
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.serve.keeping import keep, remembered, started
from dispatcher.serve.notice import Notice
from dispatcher.serve.processes import Child, own_command, own_environment
from dispatcher.serve.rewriting import keep_rewriting
from dispatcher.settings import Settings
from dispatcher.store.connection import StoreError, named
from dispatcher.store.format_numbers import FormatNumbers
from dispatcher.store.health import CLUSTER, NO_CLUSTER
from dispatcher.store.identity import Identity
from dispatcher.store.servers import CLUSTER_SCHEMES, servers_of

if TYPE_CHECKING:  # slow to load: only once the children are on their way
    import aiohttp

BACKLOG = 4_096  # connections that wait; Linux takes no more than net.core.somaxconn
STOP_TIMEOUT_S = 10.0  # for a child that was told to end
JOBS = "jobs"  # whose start waits for the others': what they load takes both cores of a small machine
FIXES = {
    errno.EADDRINUSE: "Maybe another service uses it: choose another --port, or --port 0 for any free one.",
    errno.EACCES: "Maybe choose another with --port: those below 1,024 are for the superuser.",
}
log = structlog.get_logger()


class ServeError(UserError):
    """The service cannot start."""


async def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Run until a signal ends it; `announce` gets the address once the service answers.

    Raises UserError for what keeps it from starting at all, in words.
    """
    ending = asyncio.Event()
    on_ending(ending.set)
    working, told = asyncio.create_task(_serve(settings, announce)), asyncio.create_task(ending.wait())
    await asyncio.wait((working, told), return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if not working.done():
        log.info("stopping")
        working.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


async def _serve(settings: Settings, announce: Callable[[str], None]) -> None:
    prepare(settings)
    with (
        listening(settings) as listener,
        contextlib.closing(Notice()) as notice,
        contextlib.closing(Notice()) as pressing,
    ):
        url = address(settings, listener)
        if settings.redis_url:
            known = settings.store_identity or await looked_at(settings.redis_url, list(settings.markets))
            children = _children(replace(settings, store_identity=known), listener, notice, pressing)
            await _run(settings, children, [], url, announce)
            return
        redis = EmbeddedRedis(settings.data_dir)
        async with started(redis, notice) as starting:
            if starting.done():
                await looked_at(redis.url, list(settings.markets), remembered(redis))
            ours = replace(settings, redis_url=redis.url, store_identity=remembered(redis))
            children = _children(ours, listener, notice, pressing, name="embedded")
            kept = [keep(redis, notice, starting), keep_rewriting(redis, settings.aof_rewrite_hours)]
            await _run(settings, children, kept, url, announce)


def prepare(settings: Settings) -> None:
    """The data folder, and development keys where none are set; whatever a child would end of is tried here.

    Raises UserError: folder, key files, rules, decisions, proofs, notifications, clock, the store's address,
    places or the people's directory cannot be used.
    """
    make_usable(settings.data_dir)
    if settings.token_keys is None and key_files.ensure_token_keys(settings.token_keys_file):
        log.warning("development_token_keys_made", file=str(settings.token_keys_file))
    if settings.patient_keys is None and key_files.ensure_patient_keys(settings.patient_keys_file):
        log.warning("development_patient_keys_made", file=str(settings.patient_keys_file))
    keys = key_files.read_token_keys(settings.token_keys_file)
    Authenticator(keys)
    key_files.read_patient_keys(settings.patient_keys_file)
    if settings.redis_url:
        servers_of(settings.redis_url)
    decisions_of(settings)
    proofs_of(settings)
    try:
        clock = make_clock(*settings.clock)
        clock.now_ms()
    except (OSError, ValueError) as error:
        told = f"DISPATCHER_CLOCK_FILE={settings.clock_file} cannot be read: {type(error).__name__}."
        raise UserError(told, "Maybe it is a folder, or holds something else than a Unix time.") from error
    directory_of(settings, keys, clock)
    if settings.places is not None:
        read_places(settings.places, settings.markets)
    _prepare_extras(settings, clock)


def _prepare_extras(settings: Settings, clock: Clock) -> None:
    """What few use, and is slow to load. Raises UserError."""
    if settings.rules:
        from dispatcher.tuning import plugins  # noqa: PLC0415 - numpy: a tenth of a second

        plugins.load(settings.rules)
    if settings.notify_webhook_url or settings.smtp_url or settings.notify_coordinator_email:
        from dispatcher.delivery.notify.ways import notifier_of  # noqa: PLC0415 - slow, and needed by few

        notifier_of(settings, clock)
    if settings.traces_url is not None:
        otel.need()
    if settings.broker_url is not None:
        from dispatcher.workers import celery_app  # noqa: PLC0415 - as above

        celery_app.need(settings.broker_url)
        parcels_of(settings)


def listening(settings: Settings) -> socket.socket:
    """A listening socket. Raises ServeError naming address and port."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
    except (OSError, ValueError, TypeError) as error:  # the latter two: no name of a host at all
        listener.close()
        reason = (error.strerror if isinstance(error, OSError) else None) or "it is no address"
        fix = FIXES.get(getattr(error, "errno", None) or 0, "Maybe --host is no address of this machine.")
        raise ServeError(f"cannot listen on {settings.host}:{settings.port}: {reason}.", fix) from error
    return listener


def address(settings: Settings, listener: socket.socket) -> str:
    """The URL on which this machine reaches the service."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"


async def looked_at(redis_url: str, markets: Sequence[str] = (), known: str = "") -> str:
    """The name of the store, which our children then insist on; "" if the server is away: it is waited for.

    `known`: the name it must have; a store that has lost it is given no other.
    Raises UserError if it is a node of a cluster and its address names none, or the other way round; and if a
    newer version wrote what is stored.
    """
    servers = servers_of(redis_url, timeout_s=0.0)
    identity = Identity(servers.reader, known)
    try:
        for _, reader in await servers.readers():
            enabled = bool(int((await reader.ask("INFO", "cluster")).get("cluster_enabled", 0)))
            if enabled is not redis_url.startswith(CLUSTER_SCHEMES):
                wrong, _, fix = (CLUSTER if enabled else NO_CLUSTER).partition("; m")
                raise ServeError(f"{wrong}.", f"M{fix}.")
        await identity.problem()
        await FormatNumbers(servers.reader).refuse(markets)
    except (Unavailable, StoreError) as error:
        told = str(error).partition("\n")[0]
        log.warning("store_not_looked_at", store=named(redis_url), reason=told)
    finally:
        await servers.aclose()
    return identity.known


def _children(
    settings: Settings, listener: socket.socket, notice: Notice, pressing: Notice, name: str | None = None
) -> list[Child]:
    """On `pressing` the matcher tells the jobs what they give way to.

    Where a routing server is asked, the matcher does the jobs: a what-if compares by what it was told.
    """
    environment = own_environment() | settings.environment()
    named = ("--name", name or children_name(settings))
    files = [listener.fileno(), notice.descriptor]
    told = ("--listener", str(listener.fileno()), "--notice", str(notice.descriptor))
    web = Child("web", own_command("serve", "--role", "web", *told, *named), environment, files=files)
    if settings.travel_url is not None:
        return [web, Child("matcher", own_command("serve", "--role", "matcher", *named), environment)]
    more = ("--pressing", str(pressing.descriptor), *named)
    matcher, jobs = own_command("serve", "--role", "matcher", "--apart"), own_command("serve", "--role", JOBS)
    return [
        web,
        Child("matcher", [*matcher, *more], environment, files=[pressing.descriptor]),
        Child(JOBS, [*jobs, *more], environment, files=[pressing.descriptor]),
    ]


def children_name(settings: Settings) -> str:
    """Who our children are, in leases and consumer groups: it outlives a crash of theirs.

    An embedded server serves one service: there the name outlives us as well, and no lease is waited for.
    """
    return own_name() if settings.redis_url else "embedded"


async def _run(
    settings: Settings,
    children: list[Child],
    more: Sequence[Coroutine[None, None, None]],
    url: str,
    announce: Callable[[str], None],
) -> None:
    """Keep all running until cancelled; then the children end, all together."""
    answers = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as group:
            for work in (*more, *(child.keep() for child in children if child.name != JOBS)):
                group.create_task(work)
            group.create_task(announce_when_ready(settings, url, announce, answers))
            await answers.wait()
            for child in (each for each in children if each.name == JOBS):
                group.create_task(child.keep())
    finally:
        whereabouts.take_back(settings)
        await asyncio.gather(*(child.stop(STOP_TIMEOUT_S) for child in children))


async def announce_when_ready(
    settings: Settings, url: str, announce: Callable[[str], None], answers: asyncio.Event
) -> None:
    """Announce the address once `/readyz` says 200; until then tell what it waits for, when that changes.

    `answers` is set as soon as it says anything.
    """
    import aiohttp  # noqa: PLC0415 - a seventh of all that is loaded here, while the children load theirs

    told: list[str] = []
    async with aiohttp.ClientSession(trust_env=False) as session:  # no proxy stands between us and our child
        while (reasons := await _unready(session, url)) is not None:
            if reasons:
                answers.set()
            if reasons and reasons != told:
                log.warning("not_ready", url=url, reasons=reasons)
                told = reasons
            await asyncio.sleep(0.05)
    answers.set()
    try:
        whereabouts.leave(settings, url)
    except OSError as error:  # a full disk is no reason to end
        log.warning("address_not_written", reason=error.strerror)
    announce(url)


async def _unready(session: aiohttp.ClientSession, url: str) -> list[str] | None:
    """Why the service is not ready, as it says itself; empty while it does not answer; None once it is."""
    import aiohttp  # noqa: PLC0415 - see `announce_when_ready`

    try:
        async with session.get(f"{url}/readyz", timeout=aiohttp.ClientTimeout(total=5)) as answer:
            return None if answer.status == 200 else list((await answer.json())["reasons"])
    except (aiohttp.ClientError, TimeoutError, OSError):
        return []
