"""The matcher has no page of its own: that its routing server fails is told in the store, for /readyz."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import structlog

from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.service.loops import ROUTING
from dispatcher.store.store import Store
from dispatcher.travel.engine import Engine

AGAIN_S = 60.0  # half of what it is told for
log = structlog.get_logger()


async def tell_routing(store: Store, markets: Sequence[str], engine: Engine) -> None:
    """When that changes; while it fails, again and again, for who does not tell has no trouble."""
    engine.changed.set()
    while not cancel_requested():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(engine.changed.wait(), AGAIN_S)
        news = engine.changed.is_set()
        engine.changed.clear()
        for market in markets:
            try:
                await _tell(store, market, engine, news)
            except Exception as error:  # the store is away: it has troubles of its own
                log.warning("trouble_not_told", market=market, loop=ROUTING, error=type(error).__name__)


async def _tell(store: Store, market: str, engine: Engine, news: bool) -> None:
    troubles = store.market(market).troubles
    if engine.breaker.answers is not False:
        if news:
            await troubles.over(ROUTING)
        return
    if news:
        await troubles.count(f"failed:{ROUTING}")
    await troubles.tell(ROUTING, engine.breaker.trouble)
