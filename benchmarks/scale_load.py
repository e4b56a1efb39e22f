"""One market's load for `bench scale`: registers vendors, sends on a word, hears every match.

By the clock, as requests come in; or, with a rate of 0, by callers each of whom sends when it is answered.

Reads its orders as a line of JSON; says "ready" once vendors stand; begins at the next line; prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterable
from typing import Any
from zlib import crc32

import aiohttp

from benchmarks.imminent_load import Market
from contracts.instants import HOUR_MS

LEAD_MS = 14 * HOUR_MS  # tomorrow's work, as a night has it
EVERY_MS = 2_000  # rides begin so far apart
POLL_S = 0.05


class Night(Market):
    """A market whose requests are for the next day."""

    async def serve(self, requests: int, rate: int, at_once: int, patience_s: float) -> dict[str, Any]:
        """Vendors; then, on a word, all the requests, and until each was matched or patience ended."""
        timeout, connector = aiohttp.ClientTimeout(None), aiohttp.TCPConnector(limit=0)
        async with (
            aiohttp.ClientSession(timeout=timeout, connector=connector) as self.session,
            self._listening(),
        ):
            await self._register()
            print("ready", flush=True)
            await asyncio.to_thread(sys.stdin.readline)
            began, used_s = time.time(), time.process_time()
            await (self._by_the_clock(requests, rate) if rate else self._by_callers(requests, at_once))
            taken = time.time()
            while self._waits(requests) and time.time() < taken + patience_s:  # noqa: ASYNC110 - another process
                await asyncio.sleep(POLL_S)
            ended, used_s = time.time(), time.process_time() - used_s
        times = {"began": began, "taken": taken, "ended": ended, "cpu_s": used_s}
        return times | {"requests": requests, "matched": len(self.heard), "refused": self.refused}

    def _waits(self, requests: int) -> bool:
        return len(self.heard) < requests and self.hearing is not None and not self.hearing.done()

    async def _by_the_clock(self, requests: int, rate: int) -> None:
        """Each when it is due, answered or not; markets do not send at the same moments."""
        first = time.perf_counter() + crc32(self.url.encode()) % 1_000 / 1_000 / rate
        async with asyncio.TaskGroup() as calls:
            for number in range(requests):
                await asyncio.sleep(max(0.0, first + number / rate - time.perf_counter()))
                calls.create_task(self._one(number))

    async def _by_callers(self, requests: int, at_once: int) -> None:
        numbers = iter(range(requests))
        await asyncio.gather(*(self._caller(numbers) for _ in range(at_once)))

    async def _caller(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            await self._one(number)

    async def _one(self, number: int) -> None:
        await self._send([self._trip(f"night-{number}", LEAD_MS + EVERY_MS * number)])


def main() -> None:
    """Orders on standard input, what was seen on standard output."""
    told = json.loads(sys.stdin.readline())
    night = Night(told["market"], told["port"], told["keys"], told["vendors"])
    wanted = (told[name] for name in ("requests", "rate", "at_once", "patience_s"))
    print(json.dumps(asyncio.run(night.serve(*wanted))))


if __name__ == "__main__":
    main()
