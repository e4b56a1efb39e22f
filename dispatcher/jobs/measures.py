"""Adds what this process counted to the store, for `/metrics`."""

from __future__ import annotations

import asyncio
import contextlib

from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.service.service import Service

EVERY_S = 2.0  # real seconds: what a killed process has not told yet


async def tell_measures(service: Service, market: str) -> None:
    """For ever, until cancelled. A store that is away is waited for; nothing is lost meanwhile."""
    part = service.store.market(market).measures
    try:
        while not cancel_requested():
            await asyncio.sleep(EVERY_S)
            with contextlib.suppress(Unavailable):
                await service.measures.tell(market, part)
    finally:
        with contextlib.suppress(Unavailable):
            await service.measures.tell(market, part)
