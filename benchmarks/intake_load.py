"""The load generator of `bench intake`, a process of its own: keep-alive connections, one call after another.

Prints JSON: answers by status, seconds, and the time of each answer in milliseconds (p50, p99).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import uvloop

HEAD = (
    "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    "Content-Type: application/json\r\nIdempotency-Key: {key}\r\nContent-Length: {length}\r\n\r\n"
)


class Tally:
    """What all connections saw; nobody starts a request after `until`."""

    def __init__(self, until: float, first: int, limit: int) -> None:
        self.until, self.end = until, first + limit
        self.following = first
        self.statuses: Counter[str] = Counter()
        self.times_s: list[float] = []

    def next(self) -> int | None:
        """The number of the next request, or None when it is enough."""
        if self.following >= self.end or time.perf_counter() > self.until:
            return None
        self.following += 1
        return self.following - 1


class Caller(asyncio.Protocol):
    """One connection: sends, waits for the whole answer, sends again."""

    def __init__(self, tally: Tally, made: Maker, done: asyncio.Future[None]) -> None:
        self.tally, self.made, self.done = tally, made, done
        self.seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._send()

    def data_received(self, data: bytes) -> None:
        """Collect the answer; when it is whole, count it and go on."""
        self.seen += data
        head, found, body = self.seen.partition(b"\r\n\r\n")
        if not found or len(body) < answer_length(head):
            return
        self.tally.times_s.append(time.perf_counter() - self.sent)
        self.tally.statuses[head[9:12].decode()] += 1
        self.seen = b""
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        """The server hung up, or we did."""
        if not self.done.done():
            self.done.set_result(None)

    def _send(self) -> None:
        number = self.tally.next()
        if number is None:
            self.transport.close()
            return
        self.sent = time.perf_counter()
        self.transport.write(self.made.request(number))


class Maker:
    """Requests that differ in id, key and record number; about 1 KB each, as a platform sends them."""

    def __init__(self, path: str, token: str, at: datetime) -> None:
        self.path, self.token = path, token
        body = json.dumps(_trip(at))
        self.parts = body.split("THE-ID")  # the id, and the record number: each patient asks once
        length = len(body) + (len(self.parts) - 1) * (9 - len("THE-ID"))
        self.head = HEAD.format(path=path, token=token, key="{}", length=length)

    def request(self, number: int) -> bytes:
        """The bytes of one call."""
        name = f"b{number:08d}"
        return f"{self.head.format(name)}{name.join(self.parts)}".encode()


def _trip(at: datetime) -> dict[str, object]:
    window = {"earliest": at.isoformat(), "latest": (at + timedelta(minutes=30)).isoformat()}
    return {
        "kind": "trip",
        "id": "THE-ID",
        "pickup": {"position": [-73.9712, 40.7831]},
        "dropoff": {"position": [-73.9442, 40.8075]},
        "level_of_service": "wheelchair",
        "pickup_window": window,
        "needs": {"attendants": 1, "escorts": 1, "oxygen_l_min": 2.5, "stairs": 4, "weight_kg": 92,
                  "door_level": "door_to_door"},
        "service_minutes": 10,
        "priority": "routine",
        "preferred_vendors": ["vendor-17", "vendor-4"],
        "excluded_vendors": ["vendor-9"],
        "patient": {
            "name": "Example Person",
            "phone": "+1 555 0100",
            "pickup_address": "1 Example Street, Apartment 4, New York, NY 10001",
            "dropoff_address": "Example Hospital, Entrance B, 500 Example Avenue, New York, NY 10002",
            "record_number": "EX-THE-ID",
            "notes": "Rings twice; has a walking frame; daughter comes along. " * 4,
        },
    }  # fmt: skip


def answer_length(head: bytes) -> int:
    """The Content-Length of an answer."""
    at = head.lower().index(b"content-length:") + len(b"content-length:")
    return int(head[at:].partition(b"\r\n")[0])


async def _run(args: argparse.Namespace) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    made = Maker(args.path, sys.stdin.readline().strip(), datetime.now(UTC) + timedelta(days=1))
    began = time.perf_counter()
    tally = Tally(began + args.seconds, args.first, args.limit)
    waits = [loop.create_future() for _ in range(args.connections)]
    for done in waits:
        await loop.create_connection(lambda done=done: Caller(tally, made, done), "127.0.0.1", args.port)  # type: ignore[misc]
    await asyncio.gather(*waits)
    seconds = time.perf_counter() - began
    ordered = sorted(tally.times_s) or [0.0]
    return {
        "statuses": tally.statuses,
        "seconds": seconds,
        "p50_ms": 1000 * ordered[len(ordered) // 2],
        "p99_ms": 1000 * ordered[len(ordered) * 99 // 100],
    }


def main() -> None:
    """Read the token from standard input, load, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("port", "connections", "first", "limit"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--path", required=True)
    print(json.dumps(uvloop.run(_run(parser.parse_args()))))


if __name__ == "__main__":
    main()
