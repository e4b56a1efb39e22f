"""The store, whole: its parts over one committer, one reader, one vault."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.vault import Vault
from dispatcher.store import health
from dispatcher.store.committer import CONNECTIONS, QUEUE_LIMIT, Committer
from dispatcher.store.connection import TIMEOUT_S, Reader, connect, unavailable
from dispatcher.store.health import Health, Watch
from dispatcher.store.lease import Leases
from dispatcher.store.requests import Requests
from dispatcher.store.retention import Janitor
from dispatcher.store.streams import Streams


class Store(Requests, Janitor, Streams, Leases):
    """The system of record, for one process. Use as an async context manager, or call `aclose`.

    Requests: commit, record(s), request(s), patient, page, due …   Capacities: put_capacity, ledger …
    Vendors: vendor(s), tuning …   Streams: read, tail, bury …   Leases: acquire, renew, release
    Janitor: trim_streams, forget_days
    """

    def __init__(
        self,
        url: str,
        ring: PatientKeyFile,
        *,
        queue_limit: int = QUEUE_LIMIT,
        connections: int = CONNECTIONS,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._reads, self._writes = connect(url), connect(url)
        committer = Committer(
            self._writes, queue_limit=queue_limit, connections=connections, timeout_s=timeout_s
        )
        super().__init__(url, Reader(self._reads, timeout_s), committer, Vault(ring))
        self._watch = Watch(self.reader)

    async def health(self) -> Health:
        """Whether the server keeps what it acknowledges."""
        return await health.check(self.reader)

    async def refuse_unless_durable(self) -> None:
        """Raises Unavailable when the server, asked a moment ago, would not keep what it acknowledges."""
        found = await self._watch.health()
        if not found.durable:
            raise unavailable(f"the store is not durable: {found.problems[0].partition(chr(10))[0]}.")

    async def memory_bytes(self) -> int:
        """What the server's data takes in memory, all told."""
        return int((await self.reader.ask("INFO", "memory"))["used_memory"])

    async def aclose(self) -> None:
        """Finish what waits, then let all connections go."""
        await self.committer.aclose()
        await self._writes.aclose()
        await self._reads.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
