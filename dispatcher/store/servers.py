"""The servers that hold what is stored: one, or a cluster of which each holds some markets.

Who writes or reads names a key, and comes to the server that has it; nobody beside this folder knows how many
there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypedDict

from redis.asyncio import Redis

from dispatcher.store.committer import CONNECTIONS, QUEUE_LIMIT, Committer
from dispatcher.store.connection import TIMEOUT_S, Reader, connect
from dispatcher.store.outcome import Outcome
from dispatcher.store.program import Program

CLUSTER_SCHEMES = ("redis+cluster://", "rediss+cluster://")


class Commits(Protocol):
    """What sends programs to commit.lua, wherever their keys are."""

    @property
    def repeated(self) -> int:
        """Programs asked for again because their answer was lost."""
        ...

    @property
    def waiting(self) -> int:
        """How many programs have no answer yet."""
        ...

    @property
    def lineage(self) -> int:
        """See `Committer.lineage`."""
        ...

    async def commit(self, program: Program, *, since: int | None = None) -> Outcome:
        """See `Committer.commit`."""
        ...


class Line(Protocol):
    """A connection of one's own, to block on: it leads to whoever has the key that is asked for."""

    async def to(self, key: str) -> Redis:
        """A client of who has it. Raises what a connection raises."""
        ...

    async def broke(self) -> None:
        """It did not answer, or has that key no more: the next `to` looks anew."""
        ...

    async def aclose(self) -> None:
        """Let it go."""
        ...


class Servers(Protocol):
    """Reads and commits come to the server that has the key."""

    @property
    def replicas(self) -> int:
        """How many replicas must have a commit before it is told of."""
        ...

    @property
    def reader(self) -> Reader:
        """What reads."""
        ...

    @property
    def committer(self) -> Commits:
        """What commits."""
        ...

    def line(self, timeout_s: float) -> Line:
        """A connection of one's own; it waits for an answer so long."""
        ...

    async def readers(self) -> Sequence[tuple[str, Reader]]:
        """Each server that takes writes, by its address ("": there is only one). Raises Unavailable."""
        ...

    async def place_of(self, key: str) -> str:
        """The address of the server that has a key ("": there is only one). Raises Unavailable."""
        ...

    async def look_again(self) -> None:
        """One of them does not answer: another may have what it had."""
        ...

    async def is_whole(self) -> bool:
        """Whether every market has a server. Raises Unavailable."""
        ...

    async def aclose(self) -> None:
        """Finish what waits, then let all connections go."""
        ...


class _Given(TypedDict):
    queue_limit: int
    connections: int
    timeout_s: float
    replicas: int


def servers_of(
    url: str,
    *,
    queue_limit: int = QUEUE_LIMIT,
    connections: int = CONNECTIONS,
    timeout_s: float = TIMEOUT_S,
    replicas: int = 0,
) -> Servers:
    """What an address leads to. Raises BadUrl; nothing is connected yet.

    `replicas`: of each primary so many must have a commit before it is told of.
    """
    given: _Given = {
        "queue_limit": queue_limit,
        "connections": connections,
        "timeout_s": timeout_s,
        "replicas": replicas,
    }
    if url.startswith(CLUSTER_SCHEMES):
        from dispatcher.store.cluster import Cluster  # noqa: PLC0415  (few have one)

        return Cluster(url, **given)
    return OneServer(url, **given)


class OneServer:
    """One primary, with or without replicas."""

    def __init__(
        self, url: str, *, queue_limit: int, connections: int, timeout_s: float, replicas: int
    ) -> None:
        self.url, self.replicas = url, replicas
        self._reads, self._writes = connect(url), connect(url)
        self.reader = Reader(self._reads, timeout_s)
        self.committer = Committer(
            self._writes,
            queue_limit=queue_limit,
            connections=connections,
            timeout_s=timeout_s,
            replicas=replicas,
        )

    def line(self, timeout_s: float) -> Line:
        """See `Servers`."""
        return _OneLine(connect(self.url, timeout_s=timeout_s))

    async def readers(self) -> Sequence[tuple[str, Reader]]:
        """See `Servers`."""
        return [("", self.reader)]

    async def place_of(self, key: str) -> str:
        """See `Servers`."""
        return ""

    async def look_again(self) -> None:
        """See `Servers`."""

    async def is_whole(self) -> bool:
        """See `Servers`."""
        return True

    async def aclose(self) -> None:
        """See `Servers`."""
        await self.committer.aclose()
        await self._writes.aclose()
        await self._reads.aclose()


class _OneLine:
    """The client connects anew by itself."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def to(self, key: str) -> Redis:
        return self._client

    async def broke(self) -> None:
        pass

    async def aclose(self) -> None:
        await self._client.aclose()
