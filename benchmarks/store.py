"""Commits a second through the store, and what an open request costs in Redis, patient block and all."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks import open_request
from benchmarks.figures import add_json, tell
from benchmarks.open_request import MARKET, offered, proposal, submitted
from dispatcher.domain.decision import Decision
from dispatcher.runtime.arguments import MOST_REQUESTS, whole
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.store.connection import Reader, connect
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.store import Store

RING = PatientKeyFile("bench", {"bench": bytes(32)})
WARM_UP = 100
MOST_REPLICAS = 5
FOLLOWS_WITHIN_S = 60.0
AT_ONCE = {"repl-diskless-sync-delay": "0"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How many, how many at once."""
    parser.add_argument("--requests", type=whole(1, MOST_REQUESTS), default=10_000)
    parser.add_argument(
        "--concurrency", type=whole(1, 100_000), default=256, help="callers that wait at a time"
    )
    parser.add_argument(
        "--open", type=whole(1, MOST_REQUESTS), default=3_000, help="open requests whose memory is measured"
    )
    parser.add_argument(
        "--replicas",
        type=whole(0, MOST_REPLICAS),
        default=0,
        metavar="N",
        help="with N replicas, too: waited for and not",
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Measure on embedded servers of its own."""
    figures = asyncio.run(_measure(args))
    tell(figures, args.json)
    return 0


async def _measure(args: argparse.Namespace) -> dict[str, Any]:
    figures: dict[str, Any] = {"requests": args.requests, "concurrency": args.concurrency}
    async with _store() as store:
        figures |= await _commits(store, args)
    for name, waits in (("replicated", False), ("waited", True)) if args.replicas else ():
        async with _store(args.replicas, waits=waits) as store:
            found = await _commits(store, args)
            of_alone = round(found["commits_per_s"] / figures["commits_per_s"], 2)
            figures[name] = {"replicas": args.replicas, **found, "of_alone": of_alone}
    async with _store() as store:
        figures["bytes_per_open_request"] = await open_request.measure(store, args.open)
    return figures


async def _commits(store: Store, args: argparse.Namespace) -> dict[str, float]:
    bench = _Bench(store, args.requests + WARM_UP)
    await bench.works.prepare()
    await _all_of(bench.submit, range(WARM_UP), args.concurrency)
    numbers = range(WARM_UP, WARM_UP + args.requests)
    figures = await _all_of(bench.submit, numbers, args.concurrency)
    offers = await _all_of(bench.offer, numbers, args.concurrency)
    return figures | {f"offer_{name}": value for name, value in offers.items()}


@contextlib.asynccontextmanager
async def _store(replicas: int = 0, *, waits: bool = False) -> AsyncIterator[Store]:
    """A server of its own, followed by so many replicas; `waits`: each commit waits for all of them."""
    async with contextlib.AsyncExitStack() as held:
        ports = _free_ports(replicas + 1) if replicas else [0]
        servers = []
        for port in ports:
            folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
            servers.append(await held.enter_async_context(EmbeddedRedis(folder, port=port, settings=AT_ONCE)))
        for each in servers[1:]:
            await _follow(each, ports[0])
        waited = replicas if waits else 0
        yield await held.enter_async_context(Store(servers[0].url, RING, replicas=waited))


async def _follow(replica: EmbeddedRedis, port: int) -> None:
    client = connect(replica.url)
    try:
        reader = Reader(client)
        await reader.ask("REPLICAOF", "127.0.0.1", str(port))
        async with asyncio.timeout(FOLLOWS_WITHIN_S):
            while not await _is_up(reader):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)
    finally:
        await client.aclose()


async def _is_up(replica: Reader) -> bool:
    return bool((await replica.ask("INFO", "replication")).get("master_link_status") == "up")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        places = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in places]


class _Bench:
    """The two commits that count: a request comes in; it is offered, with all checks of an offer."""

    def __init__(self, store: Store, requests: int) -> None:
        self.market, self.works = store.market(MARKET), open_request.OpenRequests(store, requests)

    async def submit(self, number: int) -> None:
        request = self.works.trips[number]
        kept = IdempotencyRecord.of("platform", request.id, b"")
        await self._commit(submitted(request), requests=[request], idempotency=kept)

    async def offer(self, number: int) -> None:
        request = self.works.trips[number]
        record = submitted(request).after
        await self._commit(offered(record, request, proposal(record, number, self.works.vendors)))

    async def _commit(self, decision: Decision, **more: Any) -> None:
        outcome = await self.market.commit([decision], **more)
        if not outcome.ok:
            raise RuntimeError(f"{decision.after.id}: {outcome}")


async def _all_of(
    work: Callable[[int], Awaitable[None]], numbers: Iterable[int], concurrency: int
) -> dict[str, float]:
    """Throughput and delays of this work on all these numbers."""
    todo, delays = iter(numbers), list[float]()

    async def caller() -> None:
        for number in todo:
            started = time.perf_counter()
            await work(number)
            delays.append(time.perf_counter() - started)

    began, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller() for _ in range(concurrency)))
    seconds, used = time.perf_counter() - began, time.process_time() - used
    delays.sort()
    return {
        "commits_per_s": round(len(delays) / seconds),
        "own_cpu_us_per_commit": round(used / len(delays) * 1e6),
        "p50_ms": round(delays[len(delays) // 2] * 1000, 2),
        "p99_ms": round(delays[len(delays) * 99 // 100] * 1000, 2),
    }
