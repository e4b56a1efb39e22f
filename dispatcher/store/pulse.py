"""How the matching of a market goes, where every process can see it: who has it since when, its batches.

Ages are by the server's clock, so that those who tell and those who ask need not agree on the time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from redis.exceptions import ResponseError

from dispatcher.store.keys import Keys
from dispatcher.store.node import Node

SINCE, BATCH, MARK = "since_ms", "batch_ms", "batch_mark"
WORKERS, BUSY, TASKS, TASKS_SINCE = "workers", "workers_busy", "tasks_waiting", "tasks_since_ms"


class Workers(NamedTuple):
    """Workers as a matcher last heard of them: how many live, and how many of these have a task.

    `tasks_waiting`: solves of any market that are given out and that none has taken; `oldest_task_s`: the
    first of them, for so long.
    """

    living: int
    busy: int = 0
    tasks_waiting: int = 0
    oldest_task_s: float = 0.0


class Pulse(NamedTuple):
    """Real seconds. `held_s`: since a matcher took the market that still has it; None: nobody has it.

    `batch_age_s`: since its last batch ended, or since it was taken; None: no matcher ever had it.
    `workers`: that solve for it; None: its matcher asks none.
    """

    held_s: float | None
    batch_age_s: float | None
    workers: Workers | None = None


def of_workers(workers: Workers | None) -> dict[str, Any]:
    """As `contracts.health.Matching` says it."""
    if workers is None:
        return {}
    return {
        "workers": workers.living,
        "workers_busy": workers.busy,
        "tasks_waiting": workers.tasks_waiting,
        "oldest_task_s": workers.oldest_task_s if workers.tasks_waiting else None,
    }


class PulsePart:
    """The pulse of one market. It serves who watches: that it cannot be written must not stop the work."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.keys = node.reader, keys

    async def taken(self) -> int:
        """A matcher has taken the market. Raises Unavailable.

        The mark that the last one left, in requests; 0: none, it ended in order or did nothing large.
        """
        await self._note(SINCE, await self._now_ms())
        with contextlib.suppress(ResponseError, ValueError):
            return int(dict(await self.reader.ask("HGETALL", self.keys.pulse)).get(MARK.encode(), 0))
        return 0

    async def mark(self, requests: int) -> None:
        """A batch of so many begins, which a matcher may be killed for; 0: none. Raises Unavailable."""
        await self._note(MARK, requests)

    async def batched(self) -> None:
        """A batch has ended, were it one of nothing. Raises Unavailable."""
        await self._note(BATCH, await self._now_ms())

    async def solved_by(self, workers: Workers | None) -> None:
        """These workers solve for it; None: the matcher alone. Raises Unavailable."""
        told = workers or Workers(-1)
        since_ms = await self._now_ms() - round(told.oldest_task_s * 1000)
        words = (WORKERS, told.living, BUSY, told.busy, TASKS, told.tasks_waiting, TASKS_SINCE, since_ms)
        await self._note(*words)

    async def read(self) -> Pulse:
        """As it is now. Raises Unavailable; ResponseError if the key is not ours."""
        words = (("TIME",), ("GET", self.keys.lease), ("HGETALL", self.keys.pulse))
        time, owner, told = await self.reader.ask_all(words)
        now_ms, noted = _ms(time), {name.decode(): int(at) for name, at in told.items()}
        since_ms, batch_ms = noted.get(SINCE, 0), noted.get(BATCH, 0)
        # the nearer one: a moment that is still to come is of a server whose clock was ahead
        age_ms = min((abs(now_ms - at) for at in (since_ms, batch_ms) if at), default=None)
        return Pulse(
            _seconds(now_ms - since_ms) if owner and since_ms else None,
            None if age_ms is None else _seconds(age_ms),
            _workers(noted, now_ms),
        )

    async def _now_ms(self) -> int:
        return _ms(await self.reader.ask_at(self.keys.pulse, "TIME"))

    async def _note(self, *words: str | int) -> None:
        with contextlib.suppress(ResponseError):  # a key of another type
            await self.reader.ask("HSET", self.keys.pulse, *words)


def _workers(noted: Mapping[str, int], now_ms: int) -> Workers | None:
    if (living := noted.get(WORKERS, -1)) < 0:
        return None
    waiting = noted.get(TASKS, 0)
    oldest_s = _seconds(now_ms - noted.get(TASKS_SINCE, now_ms)) if waiting else 0.0
    return Workers(living, noted.get(BUSY, 0), waiting, oldest_s)


def _ms(time: Any) -> int:
    seconds, microseconds = time
    return int(seconds) * 1000 + int(microseconds) // 1000


def _seconds(ms: int) -> float:
    return max(0, ms) / 1000
