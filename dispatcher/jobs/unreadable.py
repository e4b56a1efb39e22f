"""Tells of what could not be read, as soon as this process comes upon it; each process its own. And settles
the tasks about it once it can be read."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.service.loops import UNREADABLE
from dispatcher.service.read_again import settle
from dispatcher.service.service import Service
from dispatcher.service.unreadable import UnreadableItems
from dispatcher.store.aside import Item

PAUSE_S = 0.5
TELL_EVERY_S = 15.0
SETTLE_EVERY_S = 30.0  # real: what waits for a key waits for a person, who looks when it is there
log = structlog.get_logger()


async def tell_unreadable(service: Service, market: str) -> None:
    """For ever, until cancelled. A store that is away is waited for."""
    items, news = UnreadableItems(service.executor, service.store), service.store.aside.next
    item: Item | None = None
    waits = service.store.waits
    while not cancel_requested():
        if item is None:
            with contextlib.suppress(TimeoutError):
                item = await asyncio.wait_for(news(market), TELL_EVERY_S)
        try:
            if item is not None:
                await items.tell(market, item)
            item = None
            await items.tell_all(market)
            waits.end(market, UNREADABLE)
        except Unavailable as refusal:
            waits.begin(market, UNREADABLE, refusal)
            await asyncio.sleep(PAUSE_S)


async def settle_tasks(service: Service, market: str) -> None:
    """For ever, until cancelled; any number may do it. Raises Unavailable."""
    while not cancel_requested():
        if settled := await settle(service.executor, market):
            log.info("tasks_settled", market=market, kind="unreadable", count=settled)
        await asyncio.sleep(SETTLE_EVERY_S)
