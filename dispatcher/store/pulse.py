"""How the matching of a market goes, where every process can see it: who has it since when, its last batch.

Ages are by the server's clock, so that those who tell and those who ask need not agree on the time.
"""

from __future__ import annotations

import contextlib
from typing import Any, NamedTuple

from redis.exceptions import ResponseError

from dispatcher.store.keys import Keys
from dispatcher.store.node import Node

SINCE, BATCH, WORKERS = "since_ms", "batch_ms", "workers"


class Pulse(NamedTuple):
    """Real seconds. `held_s`: since a matcher took the market that still has it; None: nobody has it.

    `batch_age_s`: since its last batch ended, or since it was taken; None: no matcher ever had it.
    `workers`: that solve for it, as a matcher last heard; None: it asks none.
    """

    held_s: float | None
    batch_age_s: float | None
    workers: int | None = None


class PulsePart:
    """The pulse of one market. It serves who watches: that it cannot be written must not stop the work."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.keys = node.reader, keys

    async def taken(self) -> None:
        """A matcher has taken the market. Raises Unavailable."""
        await self._note(SINCE)

    async def batched(self) -> None:
        """A batch has ended, were it one of nothing. Raises Unavailable."""
        await self._note(BATCH)

    async def solved_by(self, workers: int | None) -> None:
        """So many workers solve for it; None: the matcher alone. Raises Unavailable."""
        with contextlib.suppress(ResponseError):
            await self.reader.ask("HSET", self.keys.pulse, WORKERS, -1 if workers is None else workers)

    async def read(self) -> Pulse:
        """As it is now. Raises Unavailable; ResponseError if the key is not ours."""
        words = (("TIME",), ("GET", self.keys.lease), ("HGETALL", self.keys.pulse))
        time, owner, told = await self.reader.ask_all(words)
        now_ms, noted = _ms(time), {name: int(at) for name, at in told.items()}
        since_ms, batch_ms = noted.get(SINCE.encode(), 0), noted.get(BATCH.encode(), 0)
        last_ms = max(since_ms, batch_ms)
        return Pulse(
            _seconds(now_ms - since_ms) if owner and since_ms else None,
            _seconds(now_ms - last_ms) if last_ms else None,
            None if (workers := noted.get(WORKERS.encode(), -1)) < 0 else workers,
        )

    async def _note(self, what: str) -> None:
        now_ms = _ms(await self.reader.ask("TIME"))
        with contextlib.suppress(ResponseError):  # a key of another type
            await self.reader.ask("HSET", self.keys.pulse, what, now_ms)


def _ms(time: Any) -> int:
    seconds, microseconds = time
    return int(seconds) * 1000 + int(microseconds) // 1000


def _seconds(ms: int) -> float:
    return max(0, ms) / 1000
