"""A cluster on this machine: primaries with a replica each, of the embedded server, on free ports."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.crc import key_slot

from dispatcher.serve.embedded import EmbeddedRedis

SLOTS = 16_384
NODE_TIMEOUT_MS = 600
PATIENCE_S = 60.0


class LocalCluster:
    """`servers`: the primaries, then their replicas in the same order."""

    def __init__(self, servers: Sequence[EmbeddedRedis], primaries: int) -> None:
        self.servers, self.primaries = servers, primaries
        self.clients = [Redis(host="127.0.0.1", port=each.port) for each in servers]

    @property
    def url(self) -> str:
        """It names two of them: either may be the one that is away."""
        first, second = self.servers[0], self.servers[1]
        return f"redis+cluster://127.0.0.1:{first.port},127.0.0.1:{second.port}"

    async def form(self) -> None:
        """Slots in equal shares; each replica follows its primary."""
        share = SLOTS // self.primaries
        for at in range(self.primaries):
            last = SLOTS - 1 if at == self.primaries - 1 else (at + 1) * share - 1
            await self.ask(at, "CLUSTER", "ADDSLOTSRANGE", at * share, last)
            await self.ask(at, "CLUSTER", "SET-CONFIG-EPOCH", at + 1)
        for at in range(1, len(self.servers)):
            first = self.servers[0]
            await self.ask(at, "CLUSTER", "MEET", "127.0.0.1", first.port, first.settings["cluster-port"])
        await self.until(lambda told: told.count("\n") == len(self.servers), "CLUSTER", "NODES")
        for at in range(self.primaries, len(self.servers)):
            await self.ask(at, "CLUSTER", "REPLICATE", await self.name(at - self.primaries))
        await self.until(lambda told: "cluster_state:ok" in told, "CLUSTER", "INFO")
        for at in range(self.primaries, len(self.servers)):
            await self._until_one(at, lambda told: "master_link_status:up" in told, "INFO", "replication")

    async def ask(self, at: int, *words: Any) -> Any:
        """One server's answer."""
        pipe = self.clients[at]
        connection = await pipe.connection_pool.get_connection()
        try:
            await connection.send_command(*words)
            return await connection.read_response()
        finally:
            await pipe.connection_pool.release(connection)

    async def name(self, at: int) -> str:
        """A server's name in the cluster."""
        return bytes(await self.ask(at, "CLUSTER", "MYID")).decode()

    async def until(self, holds: Any, *words: Any) -> None:
        """Until every server that runs answers so."""
        for at, each in enumerate(self.servers):
            if each.pid is not None:
                await self._until_one(at, holds, *words)

    async def _until_one(self, at: int, holds: Any, *words: Any) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds(bytes(await self.ask(at, *words)).decode()):
                await asyncio.sleep(0.02)

    async def owner(self, key: str) -> int:
        """The place of the primary that has a key, as the first server that runs sees it."""
        slot = key_slot(key.encode())
        for first, last, place in await self._shares():
            if first <= slot <= last:
                return place
        raise LookupError(key)

    async def holders(self) -> list[int]:
        """The places of all primaries that run, as the first server that runs sees it."""
        found = {place for _, _, place in await self._shares()}
        return sorted(each for each in found if self.servers[each].pid is not None)

    async def until_promoted(self, key: str, before: int) -> None:
        """Until another has a key than the one that died."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.owner(key) == before:
                await asyncio.sleep(0.02)

    async def come_back(self, place: int) -> None:
        """One that died runs again, and follows whoever has what it had."""
        await self.clients[place].connection_pool.disconnect()
        await self.servers[place].restart()
        await self._until_one(place, lambda told: "master_link_status:up" in told, "INFO", "replication")

    async def _shares(self) -> list[tuple[int, int, int]]:
        """First and last slot, and who has them."""
        at = next(place for place, each in enumerate(self.servers) if each.pid is not None)
        places = {each.port: place for place, each in enumerate(self.servers)}
        told = await self.ask(at, "CLUSTER", "SLOTS")
        return [(first, last, places[primary[1]]) for first, last, primary, *_ in told]

    async def move(self, key: str, to: int) -> None:
        """The slot of a key to another primary, at once and whole, as `CLUSTER MIGRATESLOTS` does it."""
        source, slot = await self.owner(key), key_slot(key.encode())
        words = ("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", await self.name(to))
        await self.ask(source, *words)
        async with asyncio.timeout(PATIENCE_S):
            while await self.owner(key) != to:
                await asyncio.sleep(0.02)

    async def begin_moving(self, key: str, to: int) -> list[Any]:
        """The slot of a key moves key by key from now on, as `--cluster reshard` does it; what is in it."""
        source, slot = await self.owner(key), key_slot(key.encode())
        await self.ask(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", await self.name(source))
        await self.ask(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", await self.name(to))
        return list(await self.ask(source, "CLUSTER", "GETKEYSINSLOT", slot, 1_000_000))

    async def move_keys(self, keys: Sequence[Any], source: int, to: int) -> None:
        """These, one after another."""
        for each in keys:
            port = self.servers[to].port
            await self.ask(source, "MIGRATE", "127.0.0.1", port, "", 0, 5_000, "KEYS", each)

    async def end_moving(self, key: str, source: int, to: int) -> None:
        """What is left, and what was written since; then the slot is the other's."""
        slot = key_slot(key.encode())
        while left := await self.ask(source, "CLUSTER", "GETKEYSINSLOT", slot, 1_000):
            await self.move_keys(left, source, to)
        for at in (to, source, *(each for each in await self.holders() if each not in (to, source))):
            await self.ask(at, "CLUSTER", "SETSLOT", slot, "NODE", await self.name(to))

    async def configure(self, name: str, value: object) -> None:
        """A setting of every server that runs."""
        for at, each in enumerate(self.servers):
            if each.pid is not None:
                await self.ask(at, "CONFIG", "SET", name, value)

    async def catch_up(self, replica: int) -> None:
        """It has all that its primary has acknowledged up to now."""
        sent = await self._offset(replica - self.primaries, "master_repl_offset")
        async with asyncio.timeout(PATIENCE_S):
            while await self._offset(replica, "slave_repl_offset") < sent:
                await asyncio.sleep(0.02)

    async def _offset(self, at: int, name: str) -> int:
        told = bytes(await self.ask(at, "INFO", "replication")).decode()
        return int(told.partition(f"{name}:")[2].partition("\r")[0])

    async def cut_off(self, replica: int) -> None:
        """It has what was acknowledged, and hears no more of its primary: it is let in nowhere."""
        await self.catch_up(replica)
        await self.ask(replica, "CONFIG", "SET", "masterauth", "wrong")
        await self.ask(replica, "CLIENT", "KILL", "TYPE", "master")
        await self._until_one(replica, lambda told: "master_link_status:down" in told, "INFO", "replication")

    async def let_in(self, replica: int) -> None:
        """It follows its primary again."""
        await self.ask(replica, "CONFIG", "SET", "masterauth", "")
        await self._until_one(replica, lambda told: "master_link_status:up" in told, "INFO", "replication")

    async def aclose(self) -> None:
        """Nothing of it is left."""
        for client in self.clients:
            await client.aclose()
        for server in self.servers:
            server.kill()
            await server.stop()


@contextlib.asynccontextmanager
async def local_cluster(
    folder: Path, *, primaries: int = 3, replicas: bool = True
) -> AsyncIterator[LocalCluster]:
    """It runs while this lasts."""
    count = primaries * (2 if replicas else 1)
    ports = free_ports(2 * count)
    servers = [
        EmbeddedRedis(
            folder / str(at),
            port=ports[at],
            settings={
                "cluster-enabled": "yes",
                "cluster-port": str(ports[count + at]),
                "cluster-node-timeout": str(NODE_TIMEOUT_MS),
                "cluster-replica-validity-factor": "0",
                "repl-diskless-sync-delay": "0",
            },
        )
        for at in range(count)
    ]
    cluster = LocalCluster(servers, primaries)
    try:
        await asyncio.gather(*(each.start() for each in servers))
        await cluster.form()
        yield cluster
    finally:
        await cluster.aclose()


def free_ports(count: int) -> list[int]:
    """Ports that nobody has now, each another."""
    with contextlib.ExitStack() as held:
        places = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in places]
