"""One market's load for `bench scale`: registers vendors, sends on a word, hears every match.

Reads its orders as a line of JSON; says "ready" once vendors stand; begins at the next line; prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import aiohttp

from benchmarks.imminent_load import Market
from contracts.instants import HOUR_MS

LEAD_MS = 14 * HOUR_MS  # tomorrow's work, as a night has it
EVERY_MS = 2_000  # rides begin so far apart
POLL_S = 0.05


class Night(Market):
    """A market whose requests are for the next day."""

    async def serve(self, requests: int, at_once: int, patience_s: float) -> dict[str, Any]:
        """Vendors; then, on a word, all the requests, and until each was matched or patience ended."""
        timeout, connector = aiohttp.ClientTimeout(None), aiohttp.TCPConnector(limit=0)
        async with (
            aiohttp.ClientSession(timeout=timeout, connector=connector) as self.session,
            self._listening(),
        ):
            await self._register()
            print("ready", flush=True)
            await asyncio.to_thread(sys.stdin.readline)
            began, numbers = time.time(), iter(range(requests))
            await asyncio.gather(*(self._caller(numbers) for _ in range(at_once)))
            taken = time.time()
            while len(self.heard) < requests and time.time() < taken + patience_s:  # noqa: ASYNC110 - of another process
                await asyncio.sleep(POLL_S)
            ended = time.time()
        times = {"began": began, "taken": taken, "ended": ended}
        return times | {"requests": requests, "matched": len(self.heard), "refused": self.refused}

    async def _caller(self, numbers: Any) -> None:
        for number in numbers:
            await self._send([self._trip(f"night-{number}", LEAD_MS + EVERY_MS * number)])


def main() -> None:
    """Orders on standard input, what was seen on standard output."""
    told = json.loads(sys.stdin.readline())
    night = Night(told["market"], told["port"], told["keys"], told["vendors"])
    print(json.dumps(asyncio.run(night.serve(told["requests"], told["at_once"], told["patience_s"]))))


if __name__ == "__main__":
    main()
