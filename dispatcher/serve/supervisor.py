"""`dispatcher serve`: the embedded server, the web process and the matcher process, kept running as one.

The supervisor holds the listening socket, so that a web process which crashed is replaced without a refused
connection: callers wait in the queue. A crashed child comes back; when the supervisor ends, all end.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable

import aiohttp
import structlog

from dispatcher.runtime.errors import UserError
from dispatcher.security import key_files
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.serve.processes import Child, own_command, own_environment
from dispatcher.settings import Settings

BACKLOG = 1024
WEB_TIMEOUT_S, MATCHER_TIMEOUT_S = 10.0, 10.0
log = structlog.get_logger()


class ServeError(UserError):
    """The service cannot start."""


async def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Run until SIGTERM or SIGINT; `announce` gets the address once the service answers."""
    prepare(settings)
    with listening(settings) as listener:
        url = address(settings, listener)
        async with _redis(settings) as redis:
            children = _children(settings, redis.url if redis else settings.redis_url, listener)
            try:
                await _run(settings, redis, children, url, announce)
            finally:
                settings.address_file.unlink(missing_ok=True)
                patience = {"web": WEB_TIMEOUT_S, "matcher": MATCHER_TIMEOUT_S}
                await asyncio.gather(*(child.stop(patience[child.name]) for child in children))


def prepare(settings: Settings) -> None:
    """The data folder, and development keys where none are set."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    if settings.token_keys is None and key_files.ensure_token_keys(settings.token_keys_file):
        log.warning("development_token_keys_made", file=str(settings.token_keys_file))
    if settings.patient_keys is None and key_files.ensure_patient_keys(settings.patient_keys_file):
        log.warning("development_patient_keys_made", file=str(settings.patient_keys_file))
    key_files.read_token_keys(settings.token_keys_file)
    key_files.read_patient_keys(settings.patient_keys_file)


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
        raise ServeError(
            f"cannot listen on {settings.host}:{settings.port}: {reason}.",
            "Maybe another service uses it: choose another with --port, or --port 0 for any free one.",
        ) from error
    return listener


def address(settings: Settings, listener: socket.socket) -> str:
    """The URL on which this machine reaches the service."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://{host}:{listener.getsockname()[1]}"


@contextlib.asynccontextmanager
async def _redis(settings: Settings) -> AsyncIterator[EmbeddedRedis | None]:
    if settings.redis_url:
        yield None
        return
    async with EmbeddedRedis(settings.data_dir) as redis:
        yield redis


def _children(settings: Settings, redis_url: str, listener: socket.socket) -> list[Child]:
    environment = own_environment() | settings.environment() | {"DISPATCHER_REDIS_URL": redis_url}
    name = ("--name", children_name(settings))
    web = own_command("serve", "--role", "web", "--listener", str(listener.fileno()), *name)
    return [
        Child("web", web, environment, files=[listener.fileno()]),
        Child("matcher", own_command("serve", "--role", "matcher", *name), environment),
    ]


def children_name(settings: Settings) -> str:
    """Who our children are, in leases and consumer groups: it outlives a crash of theirs.

    An embedded server serves one service: there the name outlives us as well, and no lease is waited for.
    """
    return f"{socket.gethostname()}:{os.getpid()}" if settings.redis_url else "embedded"


async def _run(
    settings: Settings,
    redis: EmbeddedRedis | None,
    children: list[Child],
    url: str,
    announce: Callable[[str], None],
) -> None:
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    async with asyncio.TaskGroup() as group:
        kept = [group.create_task(child.keep()) for child in children]
        if redis is not None:
            kept.append(group.create_task(_keep_redis(redis)))
        kept.append(group.create_task(announce_when_ready(settings, url, announce)))
        await ending.wait()
        log.info("stopping")
        for task in kept:
            task.cancel()


async def _keep_redis(redis: EmbeddedRedis) -> None:
    """Start the embedded server again whenever it ends; what it acknowledged is on disk."""
    while True:
        status = await redis.watch()
        log.error("embedded_server_ended", status=status)
        await redis.start()


async def announce_when_ready(settings: Settings, url: str, announce: Callable[[str], None]) -> None:
    """Announce the address once `/readyz` says 200; until then tell what it waits for, when that changes."""
    told: list[str] = []
    async with aiohttp.ClientSession(trust_env=False) as session:  # no proxy stands between us and our child
        while (reasons := await _unready(session, url)) is not None:
            if reasons and reasons != told:
                log.warning("not_ready", reasons=reasons)
                told = reasons
            await asyncio.sleep(0.05)
    draft = settings.address_file.with_suffix(".new")
    draft.write_text(url)
    draft.replace(settings.address_file)
    announce(url)


async def _unready(session: aiohttp.ClientSession, url: str) -> list[str] | None:
    """Why the service is not ready, as it says itself; empty while it does not answer; None once it is."""
    try:
        async with session.get(f"{url}/readyz", timeout=aiohttp.ClientTimeout(total=5)) as answer:
            return None if answer.status == 200 else list((await answer.json())["reasons"])
    except (aiohttp.ClientError, TimeoutError, OSError):
        return []
