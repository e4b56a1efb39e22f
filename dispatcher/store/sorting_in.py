"""After an upgrade: requests that were taken in before there was a list by start get their place in it.

Once; from then on every request has its place from the beginning, and two counts are all that is looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from contracts.codes import RequestState
from dispatcher.domain.request_kind import BY_START, index_of, sorted_in
from dispatcher.domain.requests import RequestRecord
from dispatcher.store.listing import Place, page_of
from dispatcher.store.market import MarketStore

AT_ONCE = 64  # records read, and commits under way


async def sort_in(stored: MarketStore, now_ms: int) -> int:
    """Give all their place; how many it were. What moves on meanwhile is left for the next time."""
    part, number = stored.requests, 0
    listed = await part.reader.ask("ZCARD", stored.keys.list(BY_START))
    if sum((await part.counts()).values()) <= listed:
        return 0
    names, at = [stored.keys.list(index_of(each)) for each in RequestState], Place(0, "")
    while places := await page_of(part.reader, names, at, AT_ONCE):
        at = places[-1]
        records = await part.records.get_all([each.id for each in places])
        number += await _all(stored, [each for each in records.values() if not each.service_class], now_ms)
    return number


async def _all(stored: MarketStore, records: Sequence[RequestRecord], now_ms: int) -> int:
    bodies = await stored.requests.bodies([each.id for each in records]) if records else {}
    decided = [
        sorted_in(each, bodies[each.id].service_class, now_ms) for each in records if each.id in bodies
    ]
    outcomes = await asyncio.gather(*(stored.commit([each]) for each in decided))
    return sum(each.ok for each in outcomes)
