"""Listeners for `bench intake --listeners`, a process of its own: many event streams, read as they come.

Reads a token a line from standard input, then `---`; says `open` once every stream is, and after the next
line, which says how many events there were, waits until all have heard all of them. Prints JSON: how long
that took, how many events were not heard, and how many came out of order.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import time
from itertools import pairwise

import uvloop

HEAD = "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
EVENT = b"\ndata: "
PLACE = re.compile(rb"\nid: ([0-9]+)-([0-9]+)")
LOOKED_AT = 50  # of so many listeners, the order of one is looked at: to look at all takes too long
PATIENCE_S = 60.0
PAUSE_S = 0.05


class Listener(asyncio.Protocol):
    """One stream: counts what it hears."""

    def __init__(self, head: bytes, opened: asyncio.Future[None], *, looks: bool) -> None:
        self.head, self.opened, self.looks = head, opened, looks
        self.heard = self.odd = 0
        self.rest = b""  # the end of what was read last, in which an event may have begun
        self.last = (-1, 0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        transport.write(self.head)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """Count; the first bytes say that the stream is open."""
        if not self.opened.done():
            self.opened.set_result(None)
        seen = self.rest + data
        self.heard += seen.count(EVENT)
        end = seen.rfind(b"\n\n") + 1  # frames that are whole
        if self.looks and end:
            places = [self.last, *((int(ms), int(number)) for ms, number in PLACE.findall(seen[:end]))]
            self.odd += sum(later <= former for former, later in pairwise(places))
            self.last = places[-1]
        self.heard -= seen[end:].count(EVENT)
        self.rest = seen[end:]

    def connection_lost(self, error: Exception | None) -> None:
        """It ended: what it has not heard shows."""
        if not self.opened.done():
            self.opened.set_exception(error or ConnectionError("the stream was refused"))


async def _run(args: argparse.Namespace) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    tokens = [line.strip() for line in iter(sys.stdin.readline, "---\n")]
    listeners = []
    for number in range(args.listeners):
        head = HEAD.format(path=args.path, token=tokens[number % len(tokens)]).encode()
        one = Listener(head, loop.create_future(), looks=number % LOOKED_AT == 0)
        await loop.create_connection(lambda one=one: one, "127.0.0.1", args.port)  # type: ignore[misc]
        await asyncio.wait_for(one.opened, PATIENCE_S)
        listeners.append(one)
    print("open", flush=True)
    wanted = int(await asyncio.to_thread(sys.stdin.readline))
    began = time.perf_counter()
    while min(each.heard for each in listeners) < wanted and time.perf_counter() - began < PATIENCE_S:  # noqa: ASYNC110 - of another process
        await asyncio.sleep(PAUSE_S)
    return {
        "seconds": time.perf_counter() - began,
        "unheard": sum(max(0, wanted - each.heard) for each in listeners),
        "twice": sum(max(0, each.heard - wanted) for each in listeners),
        "odd": sum(each.odd for each in listeners),
    }


def main() -> None:
    """Open the streams, read them, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--listeners", type=int, required=True)
    print(json.dumps(uvloop.run(_run(parser.parse_args()))))


if __name__ == "__main__":
    main()
