"""When a market's batches are run: once there is work and what comes together came, and at an interval."""

from __future__ import annotations

import asyncio
import contextlib

from dispatcher.matching.batch import GAP, INTERVAL, SETTLE
from dispatcher.matching.fitting import fitting_batch
from dispatcher.matching.progress import Progress
from dispatcher.matching.solvers import Solvers
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.service.loops import Troubles


async def run_batches(progress: Progress, solvers: Solvers, troubles: Troubles | None = None) -> None:
    """A batch when there is work for one, and at the interval; `troubles` hears of each that went through."""
    market = progress.market
    while not cancel_requested():
        values, clock = market.values, market.clock
        interval_s, gap_s = clock.real_s(float(INTERVAL.of(values))), float(GAP.of(values))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(progress.work.wait(), max(interval_s, gap_s))
        await _settled(progress, float(SETTLE.of(values)), interval_s)
        progress.work.clear()
        done = await fitting_batch(progress.own, market, solvers)
        if troubles is not None:
            await troubles.end()
        if done.outdated or (done.fell_out and done.offered) or market.requests.untried:
            progress.work.set()
        progress.explain_later(done)
        await asyncio.sleep(gap_s)


async def _settled(progress: Progress, calm_s: float, most_s: float) -> None:
    """Until no request came for `calm_s`: what comes together is planned together. `most_s` at most."""
    now_s = asyncio.get_running_loop().time
    end_s = now_s() + most_s
    while (left_s := min(progress.came_s + calm_s, end_s) - now_s()) > 0:  # noqa: ASYNC110 - calm is no event
        await asyncio.sleep(left_s)
