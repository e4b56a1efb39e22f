"""The service's processes, each to be killed and started again by whoever plays with them."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import socket
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Protocol

import aiohttp

from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.parent_death import die_with_parent
from dispatcher.security import key_files
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.serve.processes import own_command, own_environment
from dispatcher.serve.supervisor import address, listening
from dispatcher.settings import Settings
from dispatcher.store.connection import Reader, StoreError, connect
from dispatcher.store.keys import Keys
from dispatcher.workers.kinds import SOLVES
from simulation import small
from tests.e2e.conftest import alive, descendants, kill

LIMIT_S = 90.0  # for anything that must come
SOLVER = "solver"  # any process below the matcher
WORKERS = ("worker-1", "worker-2")
TASK = "task"  # any process below the first worker
BROKER = "broker"
BELOW = {SOLVER: "matcher", TASK: WORKERS[0]}
OWNER = "the owner"  # whichever matcher has the market
NAME = "killed-and-back"  # of what comes back under the same name: it waits for no lease of its own


class Parts(Protocol):
    """What runs, by role."""

    url: str
    redis_url: str
    settings: Settings
    running: dict[str, Process]
    commands: dict[str, Sequence[str]]
    environments: dict[str, dict[str, str]]
    matchers: dict[str, str]  # by the name in their lease: the role
    broker: EmbeddedRedis | None
    log: Path

    async def start(self, *roles: str) -> None: ...
    async def kill(self, *roles: str, in_order: bool = False) -> None: ...
    def refuse_ended(self) -> None: ...


class _Running:
    """Processes by role, and how each is started."""

    def __init__(self, url: str, redis_url: str, settings: Settings, log: Path) -> None:
        self.url, self.redis_url, self.settings, self.log = url, redis_url, settings, log
        self.commands: dict[str, Sequence[str]] = {}
        self.files: tuple[int, ...] = ()
        self.running: dict[str, Process] = {}
        self.environments: dict[str, dict[str, str]] = {}
        self.matchers = {NAME: "matcher"}
        self.broker: EmbeddedRedis | None = None

    async def start(self, *roles: str) -> None:
        """Start processes; one that a parent starts again by itself is none of ours."""
        environment = own_environment() | self.settings.environment()
        if BROKER in roles and self.broker is not None:
            await self.broker.start()
        with self.log.open("ab") as log:
            for role in (each for each in roles if each in self.commands):
                self.running[role] = await asyncio.create_subprocess_exec(
                    *self.commands[role],
                    env=environment | self.environments.get(role, {}),
                    pass_fds=self.files,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    preexec_fn=die_with_parent(),
                )

    async def kill(self, *roles: str, in_order: bool = False) -> None:
        """kill -9, or what asks to end; wait until they are gone with all that must end with them."""
        for role in roles:
            if role in BELOW:
                _kill_one(descendants(self.running[BELOW[role]].pid))
                continue
            if role == BROKER and self.broker is not None:
                await asyncio.to_thread(self.broker.kill)
                continue
            process = self.running[role]
            below = descendants(process.pid)
            kill(process.pid, signal.SIGTERM if in_order else signal.SIGKILL)
            await process.wait()
            if left := await asyncio.to_thread(alive, below):
                raise AssertionError(f"{len(left)} processes outlive the {role} that was killed")

    def refuse_ended(self) -> None:
        """Raises AssertionError if one has ended that nobody killed."""
        for role, process in self.running.items():
            if process.returncode is not None:
                raise AssertionError(f"the {role} has ended by itself, with {process.returncode}")

    async def stop(self) -> None:
        """End all in order."""
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


def _kill_one(pids: set[int]) -> None:
    if pids:
        with contextlib.suppress(ProcessLookupError):
            kill(random.choice(sorted(pids)), signal.SIGKILL)


@contextlib.asynccontextmanager
async def as_served(settings: Settings) -> AsyncIterator[Parts]:
    """As the supervisor starts them, over a Redis server of their own; callers wait in the listener."""
    async with _over_a_server(settings) as (made, listener):
        made.commands = {
            "web": own_command("serve", "--role", "web", "--listener", listener, "--name", NAME),
            "matcher": own_command("serve", "--role", "matcher", "--apart", "--name", NAME),
            "jobs": own_command("serve", "--role", "jobs", "--name", NAME),
        }
        yield made


@contextlib.asynccontextmanager
async def roles_apart(settings: Settings) -> AsyncIterator[Parts]:
    """Each role a process of its own, and two matchers."""
    async with _over_a_server(settings) as (made, listener):
        made.matchers = {"one": "matcher", "two": "matcher-2"}
        made.commands = {
            "web": own_command("serve", "--role", "web", "--apart", "--listener", listener, "--name", NAME),
            **{
                role: own_command("serve", "--role", "matcher", "--apart", "--name", name)
                for name, role in made.matchers.items()
            },
            **{role: own_command("serve", "--role", role, "--name", NAME) for role in ("replies", "jobs")},
        }
        yield made


@contextlib.asynccontextmanager
async def _over_a_server(settings: Settings) -> AsyncIterator[tuple[Parts, str]]:
    """Nothing runs yet but Redis; and the number of the listening socket."""
    async with EmbeddedRedis(settings.data_dir) as redis, over(settings, redis.url) as made:
        yield made


@contextlib.asynccontextmanager
async def over(settings: Settings, redis_url: str) -> AsyncIterator[tuple[Parts, str]]:
    """Nothing of it runs yet; and the number of the listening socket, in which callers wait."""
    _make_keys(settings)
    ours = Settings.read(settings.environment(), redis_url=redis_url)
    with listening(ours) as listener:
        made = _Running(address(ours, listener), redis_url, ours, settings.data_dir / "log")
        made.files = (listener.fileno(),)
        try:
            yield made, str(listener.fileno())
        finally:
            await made.stop()


@contextlib.asynccontextmanager
async def whole(settings: Settings, log: Path | None = None) -> AsyncIterator[Parts]:
    """`dispatcher serve`, its embedded server and all, always on the same port."""
    _make_keys(settings)
    with socket.create_server((settings.host, 0)) as probe:
        port = probe.getsockname()[1]
    ours = Settings.read(settings.environment(), port=port)
    redis_url = EmbeddedRedis(settings.data_dir).url
    made = _Running(f"http://{settings.host}:{port}", redis_url, ours, log or settings.data_dir / "log")
    made.commands = {"supervisor": own_command("serve")}
    try:
        yield made
    finally:
        await made.stop()


def _make_keys(settings: Settings) -> None:
    key_files.ensure_token_keys(settings.token_keys_file)
    key_files.ensure_patient_keys(settings.patient_keys_file)


async def fence(redis_url: str) -> int:
    """How often a matcher has taken the market; 0 while the server is away."""
    client = connect(redis_url)
    try:
        found = await Reader(client, 0.0).get(Keys(small.MARKET).fence)
    except (Unavailable, StoreError):
        found = None
    finally:
        await client.aclose()
    return int((found or b"0").partition(b"-")[0])


async def owner(parts: Parts) -> str:
    """The role of the matcher that has the market, once one has. Raises TimeoutError."""
    client = connect(parts.redis_url)
    reader = Reader(client, 0.0)  # one: each holds a connection of its own, and a pool has a hundred
    try:
        async with asyncio.timeout(LIMIT_S):
            while (found := await reader.get(Keys(small.MARKET).lease)) is None:
                await asyncio.sleep(0.02)
    finally:
        await client.aclose()
    return parts.matchers[found.decode()]


async def owned(parts: Parts, before: int) -> None:
    """Until a matcher has taken the market once more: it matches again."""
    while await fence(parts.redis_url) <= before:
        await asyncio.sleep(0.02)


def pid_in(name: str) -> str:
    """Of the process that has this name (`dispatcher.runtime.own_name`)."""
    return name.partition("#")[0].rpartition(":")[2]


async def solving(parts: Parts) -> str:
    """The role of a worker that has a batch, or a part of one, once one has."""
    pids = {str(parts.running[each].pid): each for each in WORKERS}
    client = connect(str(parts.settings.broker_url))
    try:
        reader = Reader(client)
        while True:
            for key in await reader.ask("KEYS", f"{SOLVES.queue}:taken:*"):
                name = (await reader.get(key.decode()) or b"").decode()
                if (pid := pid_in(name)) in pids:
                    return pids[pid]
            await asyncio.sleep(0.02)
    finally:
        await client.aclose()


async def until_ready(url: str, status: int = 200, words: Sequence[str] = ("",)) -> None:
    """Until `/readyz` has this status, and one of these words among its reasons. Raises TimeoutError."""
    began_s, found = time.monotonic(), (0, "")
    async with aiohttp.ClientSession(trust_env=False) as session:
        while found[0] != status or not any(each in found[1] for each in words):
            if time.monotonic() - began_s > LIMIT_S:
                raise TimeoutError(f"/readyz says {found} and not {status} {words} after {LIMIT_S:g} s")
            await asyncio.sleep(0.02)
            found = await _asked(session, f"{url}/readyz")


async def _asked(session: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=5)) as answer:
            return answer.status, " ".join((await answer.json())["reasons"])
    except (aiohttp.ClientError, TimeoutError):
        return 0, ""
