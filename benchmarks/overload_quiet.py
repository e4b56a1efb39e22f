"""The quiet users of `bench overload`, a process of its own: what they wait while a crowd is at the door.

Reads JSON from standard input (port, seconds, first, platform's and vendors' tokens, offers), prints JSON: of
each kind of user the milliseconds of every call, and how many were answered otherwise than hoped. Each call
has a time at which it falls due, whether or not the one before is answered: who waits long is counted, too.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import uvloop

from benchmarks.intake_load import Maker, answer_length

PATH = "/v1/markets/{market}/requests"
PROBE = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"
TIMEOUT_S = 30.0
EVERY_S = {"platform": 0.03, "vendor": 0.1, "readyz": 0.1, "new_connection": 0.1}
HOPED = {"platform": b"202", "vendor": b"200", "readyz": b"200", "new_connection": b"200"}


class Wires:
    """Connections that are used again by whoever needs one."""

    def __init__(self, port: int) -> None:
        self.port, self.free = port, list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()

    async def ask(self, sent: bytes, *, anew: bool = False) -> bytes:
        """The status of the answer."""
        async with asyncio.timeout(TIMEOUT_S):
            wire = await self._wire(anew)
            reader, writer = wire
            writer.write(sent)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(answer_length(head))
        if anew or b"connection: close" in head.lower():
            writer.close()
        else:
            self.free.append(wire)
        return head[9:12]

    async def _wire(self, anew: bool) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.free and not anew:
            return self.free.pop()
        return await asyncio.open_connection("127.0.0.1", self.port)


class Users:
    """Each kind of them, its calls, and what it saw."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.seconds, self.port = told["seconds"], told["port"]
        maker = Maker(told["path"], told["token"], datetime.now(UTC) + timedelta(days=1))
        self.numbers = iter(range(told["first"], told["first"] + 10**6))
        self.calls: dict[str, Callable[[], bytes]] = {
            "platform": lambda: self._submission(maker),
            "vendor": lambda: _acceptance(next(offers), told),
            "readyz": lambda: PROBE % b"/readyz",
            "new_connection": lambda: PROBE % b"/livez",
        }
        offers: Iterator[tuple[str, str]] = iter(told["offers"])
        self.ms: dict[str, list[float]] = {kind: [] for kind in self.calls}
        self.otherwise: dict[str, list[str]] = {kind: [] for kind in self.calls}
        self.accepted: list[int] = []

    def _submission(self, maker: Maker) -> bytes:
        self.number = next(self.numbers)
        return maker.request(self.number)

    async def run(self) -> None:
        """All of them, at their times."""
        await asyncio.gather(*(self._user(kind) for kind in self.calls))

    async def _user(self, kind: str) -> None:
        wires, under_way = Wires(self.port), list[Awaitable[None]]()
        began = time.perf_counter()
        for number in range(int(self.seconds / EVERY_S[kind])):
            await asyncio.sleep(began + number * EVERY_S[kind] - time.perf_counter())
            under_way.append(asyncio.ensure_future(self._once(kind, wires)))
        await asyncio.gather(*under_way)

    async def _once(self, kind: str, wires: Wires) -> None:
        sent, began = self.calls[kind](), time.perf_counter()
        number = self.number if kind == "platform" else 0
        try:
            status = await wires.ask(sent, anew=kind == "new_connection")
        except (OSError, EOFError, TimeoutError) as error:
            status = type(error).__name__.encode()
        self.ms[kind].append(1000 * (time.perf_counter() - began))
        if status != HOPED[kind]:
            self.otherwise[kind].append(status.decode())
        elif number:
            self.accepted.append(number)


def _acceptance(offer: tuple[str, str], told: dict[str, Any]) -> bytes:
    offer_id, token = offer
    path = f"{told['path'].removesuffix('requests')}offers/{offer_id}/accept"
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Idempotency-Key: accept-{offer_id}\r\nContent-Length: 0\r\n\r\n"
    ).encode()


async def _run() -> dict[str, Any]:
    users = Users(json.loads(sys.stdin.readline()))
    await users.run()
    return {"ms": users.ms, "otherwise": users.otherwise, "accepted": users.accepted}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_run())))
