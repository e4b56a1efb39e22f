"""Replays for who asks over HTTP: one at a time, in a process of its own that gives way to everybody."""

from __future__ import annotations

import asyncio
import multiprocessing
from typing import Final

from dispatcher.decisions.record import SavedPlan
from dispatcher.decisions.replay import Replayed, replay
from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.priority import come_last

GRACE_S: Final = 20.0  #: to start, to screen and to judge, beyond the time that the solve had
RETRY_AFTER_S: Final = 5


class Replays:
    """Of one process."""

    def __init__(self) -> None:
        self._busy = asyncio.Lock()

    async def of(self, saved: SavedPlan) -> Replayed:
        """How it replays. Raises Unavailable: another is under way, or this one took too long."""
        if self._busy.locked():
            raise Unavailable(
                "another decision is being replayed\nMaybe ask again in some seconds.",
                retry_after_s=RETRY_AFTER_S,
            )
        async with self._busy:
            return await asyncio.to_thread(_replayed, saved, 2 * saved.header.seconds + GRACE_S)


def _replayed(saved: SavedPlan, limit_s: float) -> Replayed:
    from pebble import ProcessExpired, ProcessPool  # noqa: PLC0415 - the web process seldom has use for it

    context = multiprocessing.get_context("spawn")  # of the web process nothing is needed there
    pool = ProcessPool(max_workers=1, max_tasks=1, initializer=come_last, context=context)
    try:
        return pool.schedule(replay, args=[saved], timeout=limit_s).result()
    except (TimeoutError, ProcessExpired) as error:
        raise Unavailable(
            f"decision {saved.header.digest} could not be replayed within {limit_s:.0f} s\n"
            "Maybe the machine is busy: `dispatcher replay` has no limit.",
            retry_after_s=RETRY_AFTER_S,
        ) from error
    finally:
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()
