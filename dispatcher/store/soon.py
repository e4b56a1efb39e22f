"""What falls due soon in a market: offers that nobody answers, requests that nobody has taken."""

from __future__ import annotations

from typing import NamedTuple

from contracts.instants import HOUR_MS, MINUTE_MS
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.states import OPEN
from dispatcher.store.keys import Keys
from dispatcher.store.listing import Place, page_of
from dispatcher.store.node import Node
from dispatcher.store.requests import RequestPart

MOST = 1_000  # looked at; who asks for this must not become the load
EXPIRING_MS, NEAR_MS = MINUTE_MS, HOUR_MS


class Soon(NamedTuple):
    """`expiring`: offers whose time ends within a minute, `near`: requests without a vendor whose deadline
    comes within the hour. Of the first `MOST` that fall due: more are not counted.
    """

    expiring: int
    near: int


async def soon(requests: RequestPart, node: Node, keys: Keys, now_ms: int) -> Soon:
    """As it is now. Raises Unavailable; StoreError if a key is not ours."""
    timers = keys.list(REQUEST_KIND.timers)
    due = await page_of(node.reader, [timers], Place(0, ""), MOST, now_ms + NEAR_MS)
    records = await requests.records.get_all([each.id for each in due if each.is_ours])
    return Soon(
        sum(_expiring(each, now_ms) for each in records.values()),
        sum(each.state in OPEN and each.match_by_ms <= now_ms + NEAR_MS for each in records.values()),
    )


def _expiring(record: RequestRecord, now_ms: int) -> int:
    return sum(each.unanswered and each.expires_ms <= now_ms + EXPIRING_MS for each in record.offers)
