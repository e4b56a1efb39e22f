"""Tells of what could not be read, as soon as this process comes upon it; each process its own."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.service.service import Service
from dispatcher.service.unreadable import UnreadableItems
from dispatcher.store.aside import Item

PAUSE_S = 0.5
TELL_EVERY_S = 15.0
log = structlog.get_logger()


async def tell_unreadable(service: Service, market: str) -> None:
    """For ever, until cancelled. A store that is away is waited for."""
    items, news = UnreadableItems(service.executor, service.store), service.store.aside.next
    item: Item | None = None
    while not cancel_requested():
        if item is None:
            with contextlib.suppress(TimeoutError):
                item = await asyncio.wait_for(news(market), TELL_EVERY_S)
        try:
            if item is not None:
                await items.tell(market, item)
            item = None
            await items.tell_all(market)
        except Unavailable as refusal:
            log.warning("unreadable items wait for the store", market=market, reason=refusal.detail)
            await asyncio.sleep(PAUSE_S)
