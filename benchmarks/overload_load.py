"""The load generator of `bench overload`, a process of its own: many connections of one caller.

Reads the token from standard input, prints JSON. `rate` 0: every connection sends as soon as it may (closed
loop); else so many calls a second fall due, whether or not the earlier ones were answered (open loop). Who is
`honest` waits for Retry-After; `dishonest` sends again at once; `reopening` hangs up and comes back anew.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from array import array
from collections import Counter, deque
from datetime import UTC, datetime, timedelta

import uvloop

from benchmarks.intake_load import Maker, answer_length

SETTLE_S, LAST_S, TICK_S = 1.0, 1.0, 0.005
REFUSALS = (b"429", b"503")


def settle_s(seconds: float) -> float:
    """How long a crowd gathers before it is measured."""
    return min(SETTLE_S, seconds)


class Crowd:
    """All connections, what falls due, and what was seen."""

    def __init__(self, args: argparse.Namespace, made: Maker) -> None:
        self.args, self.made, self.free = args, made, deque[Line]()
        self.began = self.open_at = time.perf_counter()
        self.settle_s = settle_s(args.seconds)
        self.until = self.began + args.seconds + self.settle_s
        self.started = 0
        self.following: int = args.first
        self.statuses: Counter[str] = Counter()
        self.accepted, self.in_time, self.cut = array("L"), 0, 0
        self.under_way = 0

    def due(self) -> bool:
        """Whether one more call falls due now."""
        now = time.perf_counter()
        if now >= self.until:
            return False
        return not self.args.rate or self.started < self.args.rate * (now - self.began)

    def next(self) -> int:
        """The number of the call that starts now."""
        self.started, self.following = self.started + 1, self.following + 1
        return self.following - 1

    def freed(self, line: Line) -> None:
        """A connection has nothing under way."""
        if self.due():
            line.start()
        else:
            self.free.append(line)

    async def keep_due(self) -> None:
        """Give free connections what falls due, until the end."""
        while time.perf_counter() < self.until:
            while self.free and self.due():
                self.free.popleft().start()
            await asyncio.sleep(TICK_S)

    async def at_rest(self) -> None:
        """What is under way is answered, or it takes too long."""
        last_s = time.perf_counter() + LAST_S
        while self.under_way and time.perf_counter() < last_s:  # noqa: ASYNC110 - nothing tells the end of it
            await asyncio.sleep(TICK_S)

    def answered(self, status: bytes, number: int) -> None:
        """Count one answer."""
        self.statuses[status.decode()] += 1
        if status == b"202":
            self.accepted.append(number)
            self.in_time += self.began + self.settle_s <= time.perf_counter() < self.until

    async def another(self) -> None:
        """One connection more; tried again until it is there."""
        loop = asyncio.get_running_loop()
        while time.perf_counter() < self.until:
            try:
                await loop.create_connection(lambda: Line(self), "127.0.0.1", self.args.port)
                return
            except OSError:
                self.cut += 1
                await asyncio.sleep(0.1)


class Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd, self.seen, self.number, self.busy = crowd, b"", -1, False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready to send."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.crowd.freed(self)

    def start(self) -> None:
        """Send a call of a new number, or the refused one again."""
        if self.transport.is_closing():
            return
        if self.number < 0:
            self.number = self.crowd.next()
        self.busy = True
        self.crowd.under_way += 1
        self.transport.write(self.crowd.made.request(self.number))

    def data_received(self, data: bytes) -> None:
        """Collect the answer; when it is whole, count it and go on."""
        self.seen += data
        head, found, body = self.seen.partition(b"\r\n\r\n")
        if not found or len(body) < answer_length(head):
            return
        status, self.seen = head[9:12], b""
        self._ended()
        self.crowd.answered(status, self.number)
        if status in REFUSALS:
            self._refused(head)
        else:
            self.number = -1
            self.crowd.freed(self)

    def _ended(self) -> None:
        self.crowd.under_way -= self.busy
        self.busy = False

    def _refused(self, head: bytes) -> None:
        manners = self.crowd.args.manners
        if manners == "honest":
            asyncio.get_running_loop().call_later(_retry_after_s(head), self._again)
        elif manners == "dishonest":
            self._again()
        else:
            self.transport.abort()

    def _again(self) -> None:
        if time.perf_counter() < self.crowd.until:
            self.start()

    def connection_lost(self, error: Exception | None) -> None:
        """The server hung up, or we did: another takes its place."""
        self._ended()
        if time.perf_counter() < self.crowd.until:
            self.crowd.cut += 1
            _keep(asyncio.ensure_future(self.crowd.another()))


_tasks: set[asyncio.Future[None]] = set()


def _keep(task: asyncio.Future[None]) -> None:
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


def _retry_after_s(head: bytes) -> float:
    _, found, rest = head.lower().partition(b"retry-after:")
    return float(rest.partition(b"\r\n")[0]) if found else 0.0


async def _run(args: argparse.Namespace) -> dict[str, object]:
    made = Maker(args.path, sys.stdin.readline().strip(), datetime.now(UTC) + timedelta(days=1))
    crowd = Crowd(args, made)
    opening = [asyncio.ensure_future(crowd.another()) for _ in range(args.connections)]
    await crowd.keep_due()
    await crowd.at_rest()
    for each in opening:
        each.cancel()
    return {
        "statuses": crowd.statuses,
        "goodput_per_s": crowd.in_time / args.seconds,
        "sent": crowd.started,
        "cut": crowd.cut,
        "accepted": crowd.accepted.tolist(),
    }


def main() -> None:
    """Load, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("port", "connections", "first"):
        parser.add_argument(f"--{name}", type=int, required=True)
    for name in ("seconds", "rate"):
        parser.add_argument(f"--{name}", type=float, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--manners", choices=("honest", "dishonest", "reopening"), required=True)
    print(json.dumps(uvloop.run(_run(parser.parse_args()))))


if __name__ == "__main__":
    main()
