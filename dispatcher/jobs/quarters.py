"""Writes what became of offers and requests, as each process gathered it, now and then and at its end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools

from contracts.instants import DAY_MS
from contracts.tuning import Parameter
from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.service.loops import QUARTERS
from dispatcher.service.service import Service

KEPT = Parameter(
    name="quarters_retention_days",
    default=60,
    minimum=14,
    maximum=400,
    unit="days",
    summary="How long it is kept what became of the offers of each quarter of an hour: past days say what a "
    "canary has to see.",
    scope="jobs.quarters",
)
PARAMETERS = (KEPT,)
EVERY_S, LOSSES_EVERY = 2.0, 8  # real; and how often one goes by without: they are many, and ask for no haste


async def keep_quarters(service: Service, market: str) -> None:
    """For ever, until cancelled. A store that is away is waited for: nothing is lost by that."""
    try:
        for turn in itertools.count(1):
            if cancel_requested():
                return
            await asyncio.sleep(EVERY_S)
            try:
                await _write(service, market, losses=turn % LOSSES_EVERY == 0)
                service.store.waits.end(market, QUARTERS)
            except Unavailable as refusal:
                service.store.waits.begin(market, QUARTERS, refusal)
    finally:
        with contextlib.suppress(Unavailable):
            await _write(service, market)


async def _write(service: Service, market: str, *, losses: bool = True) -> None:
    stored = service.store.market(market)
    if losses and stored.losses.gathered:
        await stored.losses.write()
    quarters = stored.quarters
    if quarters.gathered:
        values = (await service.markets.tuning(market)).values
        await quarters.write(KEPT.whole(values) * DAY_MS)
