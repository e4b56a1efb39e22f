"""A Redis or Valkey Cluster: each market lies whole in one slot, whose primary may be another in a moment.

Who is sent elsewhere (MOVED) has done nothing, and asks again there; who gets no answer asks who has the slot
now. A program is sent again as it is: it cannot have its effect twice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as Disconnected

from dispatcher.domain.refusals import Unavailable
from dispatcher.store.committer import Committer
from dispatcher.store.connection import Reader
from dispatcher.store.routed_committer import RoutedCommitter
from dispatcher.store.routed_reader import SILENCE_S, RoutedReader
from dispatcher.store.servers import Line
from dispatcher.store.topology import Address, Topology


class Cluster:
    """See `Servers`."""

    def __init__(
        self, url: str, *, queue_limit: int, connections: int, timeout_s: float, replicas: int
    ) -> None:
        self.url, self.topology, self.replicas = url, Topology(url), replicas
        self.reader = RoutedReader(self.topology, timeout_s)
        self._each: dict[Address, Reader] = {}
        self.committer = RoutedCommitter(
            self.topology,
            lambda client, lineage: Committer(
                client,
                lineage=lineage,
                queue_limit=queue_limit,
                connections=connections,
                timeout_s=min(timeout_s, SILENCE_S),
                replicas=replicas,
            ),
            timeout_s,
            replicas,
        )

    def line(self, timeout_s: float) -> Line:
        """See `Servers`."""
        return _RoutedLine(self.topology, timeout_s)

    async def readers(self) -> Sequence[tuple[str, Reader]]:
        """See `Servers`."""
        return self._readers(await self.topology.primaries())

    async def everyone(self) -> Sequence[tuple[str, Reader]]:
        """See `Servers`."""
        return self._readers(await self.topology.servers())

    def _readers(self, addresses: Iterable[Address]) -> Sequence[tuple[str, Reader]]:
        return [(str(each), self._reader(each)) for each in addresses]

    def _reader(self, address: Address) -> Reader:
        """Of one server, made once."""
        found = self._each.get(address)
        if found is None:
            wait_s = min(self.reader.timeout_s, SILENCE_S)
            found = self._each[address] = Reader(self.reader.of(address), wait_s)
        return found

    async def place_of(self, key: str) -> str:
        """See `Servers`."""
        return str(await self.topology.address(key))

    async def look_again(self) -> None:
        """See `Servers`."""
        with contextlib.suppress(Unavailable):  # none answers: whoever asks for a key hears so
            await self.topology.refresh(self.topology.age)

    async def is_whole(self) -> bool:
        """See `Servers`."""
        return await self.topology.is_whole()

    async def aclose(self) -> None:
        """See `Servers`."""
        await self.committer.aclose()
        await self.reader.aclose()


class _RoutedLine:
    """A client of the server that has the key, kept until it breaks."""

    def __init__(self, topology: Topology, timeout_s: float) -> None:
        self._topology, self._timeout_s = topology, timeout_s
        self._address: Address | None = None
        self._client: Redis | None = None
        self._age = 0

    async def to(self, key: str) -> Redis:
        try:
            address = await self._topology.address(key)
        except Unavailable as error:
            raise Disconnected(str(error)) from error
        self._age = self._topology.age
        if self._client is None or address != self._address:
            await self.aclose()
            self._address, self._client = address, self._topology.client(address, timeout_s=self._timeout_s)
        return self._client

    async def broke(self) -> None:
        await self.aclose()
        try:
            await self._topology.refresh(self._age)
        except Unavailable:  # all of them are away: `to` will say so
            return

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
