"""Offers that nobody has answered yet and that a plan may move: which they are, and which it looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np

from contracts.codes import RequestState
from contracts.instants import HOUR_MS
from contracts.tuning import Parameter
from dispatcher.domain.commands.move_offer import movable_offer
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.requests import RequestRecord
from dispatcher.matching.caps import is_capped
from dispatcher.matching.reading import Reading
from dispatcher.matching.requests import Waiting, WaitingRequests
from dispatcher.runtime.rounds import beside_if_many, parts
from solvers.rules import cap
from solvers.screening import OpenRequest
from solvers.travel import TravelTimes

MOST = Parameter(
    name="move_candidates",
    default=200,
    minimum=0,
    maximum=5_000,
    unit="offers",
    summary="Most unanswered offers that one plan may move; those nearest in time to what waits come first.",
    scope="matching.standing",
)
PARAMETERS = (MOST,)
MOST_OFFERED = 20_000  # ids read at a time; each record only once
WORK_MS = HOUR_MS  # about how long work takes from its start: whose unit could be free for whom


class StandingRequest(NamedTuple):
    """A request whose offer may be moved, all three ways."""

    record: RequestRecord
    asked: OpenRequest
    offer: OfferRecord


@dataclass(eq=False)
class StandingOffers:
    """Offered requests as last read. A record may be old: who is chosen is read again."""

    requests: WaitingRequests
    records: dict[str, RequestRecord] = field(default_factory=dict)

    async def near(
        self,
        waiting: Sequence[Waiting],
        reading: Reading,
        travel: TravelTimes,
        now_ms: int,
        most: int = MOST_OFFERED,
    ) -> list[StandingRequest]:
        """Those that may move, at most `most`, whose place could matter to what waits; 0: none is kept."""
        most = min(most, MOST.whole(reading.values))
        if not most:
            self.records.clear()
        if not most or not waiting:
            return []
        await self._read(now_ms)
        offered = list(self.records.values())
        near = await beside_if_many(len(offered), _nearest, offered, waiting, reading, now_ms, most)
        chosen = await self._current(near)
        bodies = await self.requests.bodies_of(chosen)
        found = []
        for record in chosen:
            offer = movable_offer(record, now_ms, reading.values)
            if offer is not None and record.id in bodies and _is_in_view(offer, reading):
                made = partial(self.requests.as_asked, record, bodies[record.id], reading, travel)
                asked = self.requests.unplanned.made(record.id, made)
                found += [StandingRequest(record, asked, offer)] if asked is not None else []
        return found

    async def _read(self, now_ms: int) -> None:
        """Keep what is still offered; read what is new, and what was to be answered by now."""
        ids = await self.requests.stored.ids_in(RequestState.OFFERED, MOST_OFFERED)
        kept = {each: self.records[each] for each in ids if each in self.records}
        self.records = {name: record for name, record in kept.items() if record.timer_ms > now_ms}
        for some in parts([each for each in ids if each not in self.records]):
            self.records |= await self.requests.stored.records.get_all(some)

    async def _current(self, some: Sequence[RequestRecord]) -> list[RequestRecord]:
        """The same as they are now."""
        fresh = await self.requests.stored.records.get_all([each.id for each in some]) if some else {}
        self.records |= fresh
        return [fresh[each.id] for each in some if each.id in fresh]


def _nearest(
    offered: Sequence[RequestRecord], waiting: Sequence[Waiting], reading: Reading, now_ms: int, most: int
) -> list[RequestRecord]:
    """As `nearest`, of those that may move."""
    capped = reading.book.known.get(cap.RULE.reads, {})
    free = (each for each in offered if movable_offer(each, now_ms, reading.values))
    return nearest([each for each in free if not is_capped(capped, each)], waiting, most)


def nearest(movable: Sequence[RequestRecord], waiting: Sequence[Waiting], most: int) -> list[RequestRecord]:
    """First who overlaps most requests that were left without a vendor before, then most of all that wait."""
    offers = [each.live_offers[0] for each in movable]
    pressed = [asked for record, asked in waiting if record.unmatched is not None]
    crowd, all_of_them = _overlaps(offers, pressed), _overlaps(offers, [asked for _, asked in waiting])
    rank = sorted(range(len(movable)), key=lambda at: (-crowd[at], -all_of_them[at], movable[at].id))
    return [movable[at] for at in rank[:most] if all_of_them[at]]


def _overlaps(offers: Sequence[OfferRecord], asked: Sequence[OpenRequest]) -> list[int]:
    """For each offer, how many of these might need its unit while it is taken."""
    begins = np.sort(np.array([each.earliest_ms for each in asked], np.int64))
    ends = np.sort(np.array([each.latest_ms + WORK_MS for each in asked], np.int64))
    start = np.array([each.start_ms for each in offers], np.int64)
    end = np.array([each.end_ms for each in offers], np.int64)
    found: list[int] = (np.searchsorted(begins, end, "right") - np.searchsorted(ends, start, "left")).tolist()
    return found


def _is_in_view(offer: OfferRecord, reading: Reading) -> bool:
    return reading.capacity.place_of(offer.bookings) is not None
