"""Another version takes over, process by process, on the same data, while callers come and go."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import socket
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import NamedTuple

from chaos.balancer import Balancer
from chaos.parts import fence, until_ready
from chaos.trial import Trial
from chaos.versions import environment, last_release
from client.errors import Problem, Unreachable
from client.platform import PlatformClient, new_key
from contracts.codes import Role
from dispatcher.audit.auditor import audit
from dispatcher.runtime.own_packages import HOME
from dispatcher.runtime.parent_death import die_with_parent
from dispatcher.security import key_files
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.serve.processes import own_command
from dispatcher.settings import Markets, Settings
from dispatcher.store.connection import Reader, connect
from simulation import small
from tests.e2e.conftest import token
from tests.e2e.made import post, trip

AT_ONCE, BETWEEN = 6, 30  # callers; requests between two steps
TRIES = 20
PAUSE_S, LIMIT_S = 0.05, 120.0
ROLES = ("web", "web", "matcher", "matcher")


class Step(NamedTuple):
    """To which version; whether beside the one before, or once that was stopped."""

    home: Path
    beside: bool = True


async def upgrade(trial: Trial) -> None:
    """The last release serves, two of each role; this version takes over one by one, and it again."""
    old = await asyncio.to_thread(last_release, trial.folder / "versions", trial.wheel)
    trial.report.about = f"from {old.name}"
    if await asyncio.to_thread(lambda: old.is_alike):
        steps = [Step(HOME), *([Step(old.home), Step(HOME)] * trial.rounds)][: trial.rounds]
    else:
        trial.report.about += ", which stores other formats: it is stopped first"
        steps = [Step(HOME, beside=False)]
    await replaced(trial, old.home, steps, ROLES)


async def replaced(trial: Trial, first: Path, steps: Sequence[Step], roles: Sequence[str]) -> None:
    """Every process of a version gives way to one of the next version."""
    settings = Settings(data_dir=trial.folder / "data", markets=Markets({small.MARKET: small.TZ}))
    key_files.ensure_token_keys(settings.token_keys_file)
    key_files.ensure_patient_keys(settings.patient_keys_file)
    async with EmbeddedRedis(settings.data_dir) as redis, Balancer() as balancer:
        fleet = Fleet(settings, redis.url, balancer, trial.folder / "log")
        try:
            running = [await fleet.start(first, role) for role in roles]
            async with Callers(trial, balancer.url, settings) as callers:
                for step in steps:
                    running = await _taken(trial, fleet, callers, step, running)
                    trial.over()
            trial.report.about += f"; {callers.asked_again} calls were asked again"
            await _judged(trial, redis.url, callers)
        finally:
            await fleet.stop()


async def _taken(trial: Trial, fleet: Fleet, callers: Callers, step: Step, running: list[One]) -> list[One]:
    """One by one under load; or none is left when the first of the next begins."""
    if step.beside:
        async with callers.coming():
            return [await _step(trial, fleet, callers, step.home, one) for one in running]
    async with callers.coming():
        await callers.more(BETWEEN)
    with trial.strike():
        for one in running:
            await _ended(trial, fleet, one)
        before = await fence(fleet.redis_url)
        now = [await fleet.start(step.home, one.role) for one in running]
        if any(one.role == "matcher" for one in now):
            await _fenced(fleet.redis_url, before)
    async with callers.coming():
        await callers.more(BETWEEN)
    return now


class One:
    """A process of a role, and where it answers."""

    def __init__(self, role: str, port: int, process: Process) -> None:
        self.role, self.port, self.process = role, port, process


class Fleet:
    """Processes of whichever version, over one store."""

    def __init__(self, settings: Settings, redis_url: str, balancer: Balancer, log: Path) -> None:
        self.settings, self.redis_url, self.balancer, self.log = settings, redis_url, balancer, log
        self.all: list[One] = []

    async def start(self, home: Path, role: str) -> One:
        """One more, once it takes work."""
        port, before = _free_port(), await fence(self.redis_url)
        told = {
            "DISPATCHER_REDIS_URL": self.redis_url,
            "DISPATCHER_DATA_DIR": str(self.settings.data_dir),
            "DISPATCHER_MARKETS": str(self.settings.markets),
            "DISPATCHER_PORT": str(port),
        }
        with self.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *own_command("serve", "--role", role),
                env=environment(home) | told,
                cwd=home,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )
        one = One(role, port, process)
        self.all.append(one)
        if role == "web":
            await until_ready(f"http://127.0.0.1:{port}")
            self.balancer.ready.append(port)
        elif before == 0:
            await _fenced(self.redis_url, before)
        return one

    async def end(self, one: One) -> int:
        """It gets no new connection, ends what it has begun, and ends."""
        if one.port in self.balancer.ready:
            self.balancer.ready.remove(one.port)
        self.all.remove(one)
        with contextlib.suppress(ProcessLookupError):
            one.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(one.process.wait(), LIMIT_S)

    async def stop(self) -> None:
        """End all."""
        for one in list(self.all):
            await self.end(one)


async def _step(trial: Trial, fleet: Fleet, callers: Callers, home: Path, old: One) -> One:
    """One is started beside the old one, which then ends, while callers come."""
    with trial.strike():
        new = await fleet.start(home, old.role)
        await callers.more(BETWEEN)
        before = await fence(fleet.redis_url)
        await _ended(trial, fleet, old)
        if old.role == "matcher" and not any(one.role == "matcher" for one in fleet.all):
            await _fenced(fleet.redis_url, before)
        await callers.more(BETWEEN)
    return new


async def _ended(trial: Trial, fleet: Fleet, old: One) -> None:
    if code := await fleet.end(old):
        trial.find(f"the {old.role} that was to end ended with {code}")


async def _fenced(redis_url: str, before: int) -> None:
    async with asyncio.timeout(LIMIT_S):
        while await fence(redis_url) <= before:
            await asyncio.sleep(PAUSE_S)


class Callers:
    """A platform's calls, without pause; who has no answer asks again under the same key."""

    def __init__(self, trial: Trial, url: str, settings: Settings) -> None:
        self.trial, self.chance = trial, random.Random(trial.seed)
        self.platform, self.ops = (
            PlatformClient(url, token(settings, role), small.MARKET) for role in (Role.PLATFORM, Role.OPS)
        )
        self.acknowledged: list[str] = []
        self.asked_again = 0
        self._stopping = False
        self._work: asyncio.Future[list[None]] | None = None

    async def __aenter__(self) -> Callers:
        """A vendor is there."""
        await post(self.ops, "v1", units=1_000)
        return self

    async def __aexit__(self, *ended: object) -> None:
        await asyncio.gather(self.platform.close(), self.ops.close())

    @contextlib.asynccontextmanager
    async def coming(self) -> AsyncIterator[None]:
        """All the while."""
        self._stopping = False
        self._work = asyncio.gather(*(self._call() for _ in range(AT_ONCE)))
        try:
            yield
        finally:
            self._stopping = True
            await self._work

    async def more(self, requests: int) -> None:
        """Until so many more were acknowledged. Raises what ended the callers, or TimeoutError."""
        wanted = len(self.acknowledged) + requests
        async with asyncio.timeout(LIMIT_S):
            while len(self.acknowledged) < wanted:
                if self._work is not None and self._work.done():
                    self._work.result()
                await asyncio.sleep(PAUSE_S)

    async def _call(self) -> None:
        while not self._stopping:
            made, key = trip(f"u{self.chance.getrandbits(64):x}"), new_key()
            for _ in range(TRIES):
                try:
                    self.acknowledged += await self.platform.submit(made, key=key)
                    break
                except Unreachable:
                    self.asked_again += 1
                except Problem as refusal:
                    self.trial.find(f"a caller was refused: {refusal.status} {refusal}")
                    break
            else:
                self.trial.find(f"{made.id} found nobody in {TRIES} tries")
            await asyncio.sleep(0.01)


async def _judged(trial: Trial, redis_url: str, callers: Callers) -> None:
    client = connect(redis_url)
    try:
        found = await audit(Reader(client), small.MARKET, callers.acknowledged, streams=True, settle_s=0.5)
    finally:
        await client.aclose()
    trial.judged(found, callers.acknowledged)


def _free_port() -> int:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])
