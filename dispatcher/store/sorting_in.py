"""After an upgrade: what was stored before there was a list of it gets its place there.

Requests by their start; authorizations by state, and what wants to draw on one; what is unread on
threads. Once; from then on all have
their place from the beginning, and counts are all that is looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from contracts.authorizations import AuthorizationState
from contracts.codes import RequestState
from dispatcher.domain.authorizations import AUTHORIZATION_KIND, listed
from dispatcher.domain.kinds import Kind
from dispatcher.domain.request_kind import BY_START, REQUEST_KIND, index_of, sorted_in
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import TERMINAL
from dispatcher.domain.threads import THREAD_KIND, WRITTEN
from dispatcher.store.listing import Cursor, Place, page_of
from dispatcher.store.market import MarketStore
from dispatcher.store.program import Program
from dispatcher.store.resp import text_of

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


async def list_authorizations(stored: MarketStore) -> int:
    """Give them and who waits for one their places, as their records say; how many records it were."""
    keys, ask = stored.keys, stored.requests.reader.ask
    every = await ask("ZCARD", keys.list(AUTHORIZATION_KIND.timers))
    if every <= sum([await ask("ZCARD", keys.list(listed(each))) for each in AuthorizationState]):
        return 0
    seeking = [index_of(each) for each in RequestState if each not in TERMINAL]
    found = await _put_in_lists(stored, REQUEST_KIND, seeking)  # first: interrupted, all is done again
    return found + await _put_in_lists(stored, AUTHORIZATION_KIND, [AUTHORIZATION_KIND.timers])


async def list_threads(stored: MarketStore) -> int:
    """Give them their places, so that what is unread on them is found; how many records it were."""
    keys, ask = stored.keys, stored.requests.reader.ask
    if await ask("ZCARD", keys.list(THREAD_KIND.timers)) <= await ask("ZCARD", keys.list(WRITTEN)):
        return 0
    number, at = 0, 0
    while names := await ask("ZRANGE", keys.list(THREAD_KIND.timers), at, at + AT_ONCE - 1):
        at += AT_ONCE  # one that moves on meanwhile and is missed is found the next time
        records = await stored.threads.records.get_all(list(map(text_of, names)))
        puts = (_put_in_list(stored, THREAD_KIND, each) for each in records.values())
        number += sum(await asyncio.gather(*puts))
    return number


async def _put_in_lists(stored: MarketStore, kind: Kind[Any], lists: Sequence[str]) -> int:
    number, cursor = 0, Cursor(0, "")
    while True:
        records, after = await stored.records(kind).page(lists, cursor, AT_ONCE)
        asked = [each for each in records if kind is AUTHORIZATION_KIND or each.authorization is not None]
        number += sum(await asyncio.gather(*(_put_in_list(stored, kind, each) for each in asked)))
        if after is None:
            return number
        cursor = Cursor.parse(after)


async def _put_in_list(stored: MarketStore, kind: Kind[Any], record: Any) -> bool:
    """As long as it is as it was read; a place that it has already stays as it is."""
    program = Program()
    program.unchanged(record.id, stored.keys.record(kind, record.id), record.version)
    for entry, score in kind.lists(record).items():
        program.write(stored.keys.list(entry.list), "ZADD", score, entry.member)
    return (await stored.node.committer.commit(program)).ok
