"""What is tidied now and then: old stream entries, old days, readers that ended; what an upgrade left.

Any number may do it.
"""

from __future__ import annotations

import datetime as dt

import structlog

from contracts.instants import DAY_MS, to_ms
from dispatcher.domain.refusals import Unavailable, Unwritable
from dispatcher.domain.statements import MONTHS, kept_ms, local_day
from dispatcher.service.service import Service
from dispatcher.store.retention import DONE_RETENTION_MS, STREAM_RETENTION_MS
from dispatcher.store.sorting_in import list_authorizations, list_threads, sort_in

EVERY_S, LEAST_S = 3_600.0, 30.0  # clock time, as are the ages below; real, where the clock runs faster
CHANGED_MS = 2 * DAY_MS  # so long after a change of tuning statements are dated anew where nobody saw it
KEEP_DAYS = 14  # a day's capacity and ledgers, after it has ended
log = structlog.get_logger()


async def keep_house(service: Service, market: str) -> None:
    """Tidy a market once an hour until cancelled; a store that is away is left for the next hour.

    So is all while this machine's clock is wrong, as others say: what goes for being old cannot come back.
    """
    store, clock, tz = service.store, service.clock, service.markets.zones[market]
    tidied, months = store.market(market).retention, 0
    while True:
        try:
            if store.has_wrong_clock(market):
                raise Unavailable("this machine's clock is wrong")
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
            months = await keep_statements(service, market, months)
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


async def keep_statements(service: Service, market: str, before: int) -> int:
    """Keep the statements that there are as long as tuning says by now, if it said another `before`: months.

    `before` 0: nobody knows; then it is looked whether tuning has changed of late.
    """
    tuning, now_ms = await service.markets.tuning(market), service.clock.now_ms()
    months, tz = MONTHS.whole(tuning.values), service.markets.zones[market]
    changed = tuning.at is not None and now_ms - to_ms(tuning.at) < CHANGED_MS
    if before == months or not (before or changed):
        return months
    today = local_day(now_ms, tz)
    ago = (today + dt.timedelta(days=days) for days in range(-31 * (months + 1), 2 * 31))
    left_ms = {each.isoformat(): kept_ms(each, months, now_ms, tz) for each in ago}
    await service.store.market(market).statements.keep({day: ms for day, ms in left_ms.items() if ms > 0})
    return months
