"""Tells of what could not be read, as soon as this process comes upon it; each process its own."""

from __future__ import annotations

import asyncio

import structlog

from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.service.service import Service
from dispatcher.service.unreadable import UnreadableItems
from dispatcher.store.aside import Item

PAUSE_S = 0.5
log = structlog.get_logger()


async def tell_unreadable(service: Service, market: str) -> None:
    """For ever, until cancelled. A store that is away is waited for."""
    items = UnreadableItems(service.executor, service.store)
    item: Item | None = None
    while not cancel_requested():
        item = item or await service.store.aside.next(market)
        try:
            await items.tell(market, item)
            item = None
        except Unavailable as refusal:
            log.warning("unreadable items wait for the store", market=market, reason=refusal.detail)
            await asyncio.sleep(PAUSE_S)
