"""A broker of its own, and a worker process that is really one; each serves all tests of a pytest worker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dispatcher.blobs.folder import Folder
from dispatcher.matching.solving import SolverPool
from dispatcher.runtime.parent_death import die_with_parent
from dispatcher.runtime.urls import BrokerUrl
from dispatcher.security.key_files import PatientKeyFile, write_patient_keys
from dispatcher.security.vault import Vault
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.serve.processes import own_command, own_environment
from dispatcher.settings import Settings
from dispatcher.workers.broker import Broker
from dispatcher.workers.errands import Desk
from dispatcher.workers.kinds import SOLVES, Kind
from dispatcher.workers.living import Living, Threads
from dispatcher.workers.parcels import Parcels
from dispatcher.workers.shared import SharedSolvers

RING = PatientKeyFile("dev", {"dev": bytes(range(32))})
LIMIT_S = 60.0  # for what must come


@dataclass
class Cluster:
    """The broker, and the workers that a test starts and kills."""

    folder: Path
    broker_url: BrokerUrl
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    opened: list[Threads] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return Settings(data_dir=self.folder, broker_url=self.broker_url, log_level="info")

    def start(self, kind: Kind = SOLVES, **environment: str) -> subprocess.Popen[bytes]:
        with (self.folder / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                own_command("worker", "--work", kind.name),
                env=own_environment() | self.settings.environment() | environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(),  # noqa: PLW1509
            )
        self.running.append(process)
        return process

    def end(self, process: subprocess.Popen[bytes], sign: int = signal.SIGKILL) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, sign)
        process.wait()
        self.running.remove(process)

    def desk(self, kind: Kind = SOLVES, small: int = 128 * 1024, **more: float) -> Desk:
        broker, threads = Broker(self.broker_url, kind), Threads()
        parcels = Parcels(Vault(RING), Folder(self.folder / "parcels"), small=small)
        self.opened.append(threads)
        return Desk(broker, Living(broker, threads), parcels, threads, **more)


@contextlib.contextmanager
def clustered(folder: Path, broker_url: BrokerUrl) -> Iterator[Cluster]:
    """Over a broker that is there."""
    cluster = Cluster(folder, broker_url)
    write_patient_keys(cluster.settings.patient_keys_file, RING)
    try:
        yield cluster
    finally:
        for each in list(cluster.running):
            cluster.end(each)
        for threads in cluster.opened:
            threads.close()


@contextlib.contextmanager
def made_cluster(folder: Path) -> Iterator[Cluster]:
    folder.mkdir(exist_ok=True)
    redis = EmbeddedRedis(folder / "broker")
    asyncio.run(redis.start())
    try:
        with clustered(folder, BrokerUrl.parse(redis.url)) as cluster:
            yield cluster
    finally:
        asyncio.run(redis.stop())


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Without a worker: it takes seconds to start, and most tests do its part themselves."""
    with made_cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture(scope="session")
def working(cluster: Cluster) -> Cluster:
    """With one worker that solves."""
    cluster.start()
    return cluster


@pytest.fixture(scope="session")
def pool() -> Iterator[SolverPool]:
    made = SolverPool(workers=1)
    asyncio.run(made.warm())
    yield made
    asyncio.run(made.aclose())


@pytest.fixture
async def shared(working: Cluster, pool: SolverPool) -> SharedSolvers:
    """Solvers that have heard of the worker."""
    desk = working.desk()
    await until_living(desk)
    return SharedSolvers(pool, desk)


async def until_living(desk: Desk, number: int = 1) -> None:
    async with asyncio.timeout(LIMIT_S):
        while len(desk.living.workers) != number:
            await desk.living.look()
            await asyncio.sleep(0.05)
