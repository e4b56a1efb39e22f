"""What is tidied now and then: old stream entries, old days, readers that ended; what an upgrade left.

Any number may do it.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import structlog

from dispatcher.domain.refusals import Unavailable, Unwritable
from dispatcher.runtime.clock import Clock
from dispatcher.store.retention import DONE_RETENTION_MS, STREAM_RETENTION_MS
from dispatcher.store.sorting_in import list_authorizations, list_threads, sort_in
from dispatcher.store.store import Store

EVERY_S, LEAST_S = 3_600.0, 30.0  # clock time, as are the ages below; real, where the clock runs faster
KEEP_DAYS = 14  # a day's capacity and ledgers, after it has ended
log = structlog.get_logger()


async def keep_house(store: Store, market: str, tz: ZoneInfo, clock: Clock) -> None:
    """Tidy a market once an hour until cancelled; a store that is away is left for the next hour."""
    tidied = store.market(market).retention
    while True:
        try:
            await tidied.replace_exhausted()
            today = dt.datetime.fromtimestamp(clock.now_ms() / 1000, tz).date()
            entries = await tidied.trim_streams(
                retention_ms=int(clock.real_s(STREAM_RETENTION_MS)),
                done_ms=int(clock.real_s(DONE_RETENTION_MS)),
            )
            days = await tidied.forget_days(today - dt.timedelta(days=KEEP_DAYS))
            renewed = await store.market(market).capacity.renew_by_clock(today, tz)
            consumers = await tidied.forget_consumers()
            filed = await sort_in(store.market(market), clock.now_ms())
            filed += await list_authorizations(store.market(market))
            filed += await list_threads(store.market(market))
            did = {
                "entries": entries,
                "days": days,
                "renewed": renewed,
                "consumers": consumers,
                "filed": filed,
            }
            log.info("tidied", market=market, **did)
        except (Unavailable, Unwritable) as refusal:
            log.warning("house_not_kept", market=market, reason=refusal.reason)
        await clock.sleep(EVERY_S * max(1.0, LEAST_S / clock.real_s(EVERY_S)))
