"""Who is left without a vendor by what was last read: once more at once, and whenever vendors are others.

They wait for a reading of all beside those that come, who do not wait for that.
"""

from __future__ import annotations

import asyncio
import time

from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.progress import Progress
from dispatcher.runtime.cancellation import cancel_requested

TRY_S = 1.0  # those that have none so far are tried this often, real time


async def read_changed(progress: Progress) -> None:
    """Vendors that are others now are read anew beside what comes, and not only once a batch begins.

    One that posted something by itself, else all: they are read a third of the time at the most.
    """
    market = progress.market
    while not cancel_requested():
        await progress.some_changed.wait()
        await market.no_imminent_work.wait()
        progress.some_changed.clear()
        changed, began_s = sorted(progress.changed), time.monotonic()
        progress.changed.clear()
        if not await market.renew(changed):
            await market.refresh(lightly=True)
            progress.work.set()
        elif progress.seen:  # somebody waits for a vendor
            progress.work.set()
        await asyncio.sleep(2 * (time.monotonic() - began_s))


async def try_left(progress: Progress) -> None:
    """What was left without a vendor, once more at once; vendors are read first unless they just were."""
    market = progress.market
    while not cancel_requested():
        await progress.some_left.wait()
        await market.no_imminent_work.wait()
        progress.some_left.clear()
        due, afresh = sorted(progress.left), market.reading is progress.left_by
        progress.left.clear()
        progress.note(due, await match_imminent(progress.own, market, due, afresh=afresh))


async def try_unmatched(progress: Progress) -> None:
    """All that have none so far, now and then."""
    market = progress.market
    while not cancel_requested():
        await asyncio.sleep(TRY_S)
        await market.no_imminent_work.wait()
        if due := sorted(progress.unmatched):
            progress.note(due, await match_imminent(progress.own, market, due, afresh=True))
