"""A broker that is there always: a primary, its replica, and a sentinel that promotes it; on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from dispatcher.runtime.parent_death import die_with_parent
from dispatcher.runtime.urls import BrokerUrl
from dispatcher.serve.embedded import EmbeddedRedis, find_server
from tests.store.cluster import free_ports

NAME = "broker"
LOGIN = "matcher:s3cret"  # of the servers; the sentinel asks for none
DOWN_MS = 300  # a primary that is silent for so long is replaced
LIMIT_S = 60.0
SETTINGS = {"repl-diskless-sync-delay": "0"}
USER = ("ACL", "SETUSER", "matcher", "on", ">s3cret", "~*", "&*", "+@all")


@dataclass(frozen=True)
class Watched:
    """`servers`: the primary, and its replica."""

    servers: tuple[EmbeddedRedis, EmbeddedRedis]
    port: int  #: the sentinel's

    @property
    def url(self) -> BrokerUrl:
        """As it stands in the settings; the first of the two sentinels that it names is away."""
        return BrokerUrl.parse(f"redis+sentinel://{LOGIN}@127.0.0.1:1,127.0.0.1:{self.port}/{NAME}")

    async def fail_over(self) -> None:
        """The primary is killed; until its replica is the primary."""
        first, second = self.servers
        first.kill()
        await until(self.port, lambda told: told.get("port") == str(second.port))


@contextlib.asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[Watched]:
    """It runs while this lasts, and the sentinel knows both servers."""
    port, *ports = free_ports(3)
    first, second = (EmbeddedRedis(folder / str(each), port=each, settings=SETTINGS) for each in ports)
    folder.mkdir(exist_ok=True)
    async with first, second:
        for each in ports:
            await _asked(each, *USER)
        await _asked(second.port, "REPLICAOF", "127.0.0.1", first.port)
        with _sentinel(folder / "sentinel.conf", port, ports[0]):
            await until(port, lambda told: told.get("num-slaves") == "1")
            yield Watched((first, second), port)


async def _asked(port: int, *words: str | int) -> None:
    async with Redis(port=port) as server:
        await server.execute_command(*words)


@contextlib.contextmanager
def _sentinel(file: Path, port: int, primary: int) -> Iterator[None]:
    file.write_text(
        f"port {port}\nbind 127.0.0.1\nsentinel monitor {NAME} 127.0.0.1 {primary} 1\n"
        f"sentinel down-after-milliseconds {NAME} {DOWN_MS}\nsentinel failover-timeout {NAME} 2000\n"
    )
    process = subprocess.Popen(
        [find_server(), file, "--sentinel"],
        stdout=subprocess.DEVNULL,
        preexec_fn=die_with_parent(),  # noqa: PLW1509
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


async def until(port: int, holds: Callable[[Mapping[str, str]], bool]) -> None:
    """Until the sentinel says so of the primary. Raises TimeoutError."""
    async with Redis(port=port) as sentinel, asyncio.timeout(LIMIT_S):
        told: dict[str, str] = {}
        while not holds(told):
            await asyncio.sleep(0.05)
            with contextlib.suppress(RedisError, OSError):  # it does not listen yet
                told = await sentinel.sentinel_master(NAME)
                told = {str(name): str(value) for name, value in told.items()}
