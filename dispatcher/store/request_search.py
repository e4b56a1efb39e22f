"""Requests by day, vendor, deadline, class of service and text of their id, a page at a time.

What is read for one page is bounded, whatever is stored: at most `MOST_IDS` ids and `MOST_RECORDS` records.
Where that did not fill the page, it ends early, and its cursor goes on from there. Where it looks:

- with a day: the list of requests by when their window opens, of that day alone;
- else with a vendor and no state in which work has ended: what the vendor has open, all of it at once;
- else the lists of the states that are meant, by time received.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from contracts.codes import RequestState, ServiceClass
from dispatcher.domain.request_kind import BY_START, index_of
from dispatcher.domain.requests import RequestRecord, request_id_of
from dispatcher.domain.states import OPEN, TERMINAL
from dispatcher.store.listing import Cursor, Place, page_of
from dispatcher.store.requests import Page, RequestPart

MOST_IDS, MOST_RECORDS = 20_000, 2_000
IDS_AT_ONCE, RECORDS_AT_ONCE = 1_000, 200
MOST_OFFERS = 5_000  # of one vendor, open at the same time
VENDORLESS = OPEN | {RequestState.ON_HOLD}
SEEKING = VENDORLESS | {RequestState.OFFERED}  # its deadline matters still
S = RequestState


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What must hold of a request; the span of its day in ms since the epoch, the end not included."""

    state: RequestState | None = None
    within: frozenset[RequestState] = frozenset()  # several states, in place of one
    day_ms: tuple[int, int] | None = None
    vendor_id: str = ""
    match_by_ms: int | None = None
    service_class: ServiceClass | None = None
    id: str = ""

    @property
    def states(self) -> frozenset[RequestState]:
        """Those that it may be in."""
        if self.within:
            return self.within
        if self.state is not None:
            return frozenset({self.state})
        if self.match_by_ms is not None:
            return SEEKING
        if self.day_ms is not None or self.id:
            return frozenset(S)
        return frozenset(S) - TERMINAL

    def fits(self, record: RequestRecord, service_class: str) -> bool:
        """Whether all of it holds; `service_class` is the record's, wherever that stands."""
        return (
            record.state in self.states
            and self.id in record.id
            and (not self.vendor_id or record.is_with(self.vendor_id))
            and (self.match_by_ms is None or record.match_by_ms < self.match_by_ms)
            and (self.service_class is None or service_class == self.service_class.value)
            and (self.day_ms is None or self.day_ms[0] <= record.earliest_ms < self.day_ms[1])
        )


class _Walk(NamedTuple):
    """Lists to go through, from one place on."""

    lists: Sequence[str]
    after: Place
    until: int | str


async def search(part: RequestPart, wanted: Wanted, cursor: str | None, limit: int) -> Page:
    """Up to `limit` requests after `cursor`. Raises Invalid: no such cursor."""
    after = Cursor.parse(cursor)
    if wanted.day_ms is None and wanted.vendor_id and not wanted.states & TERMINAL:
        return await _of_vendor(part, wanted, after, limit)
    return await _walked(part, wanted, _walk(wanted, after), limit)


def _walk(wanted: Wanted, after: Place) -> _Walk:
    if wanted.day_ms is not None:
        from_ms, end_ms = wanted.day_ms
        return _Walk([BY_START], max(after, Place(from_ms, "")), end_ms - 1)
    return _Walk([index_of(each) for each in sorted(wanted.states)], after, "+inf")


async def _walked(part: RequestPart, wanted: Wanted, walk: _Walk, limit: int) -> Page:
    """Place by place: ids first, then records of those that fit; until the page is full, or enough read."""
    found, at, ids, records = list[RequestRecord](), walk.after, 0, 0
    step = IDS_AT_ONCE if wanted.id else RECORDS_AT_ONCE
    names = [part.keys.list(each) for each in walk.lists]
    while ids < MOST_IDS and records < MOST_RECORDS:
        places = await page_of(part.reader, names, at, step, walk.until)
        ids += len(places)
        named = [each for each in places if wanted.id in each.id][:RECORDS_AT_ONCE]
        fitting = {each.id: each for each in await _fitting(part, wanted, [each.id for each in named])}
        records += len(named)
        for place in named:
            if place.id in fitting:
                found.append(fitting[place.id])
                if len(found) == limit:
                    is_last = place == places[-1] and len(places) < step
                    return Page(tuple(found), None if is_last else str(Cursor(*place)))
        if len(named) == RECORDS_AT_ONCE:  # those behind it were not looked at
            at = named[-1]
        elif len(places) < step:
            return Page(tuple(found), None)
        else:
            at = places[-1]
    return Page(tuple(found), str(Cursor(*at)))


async def _of_vendor(part: RequestPart, wanted: Wanted, after: Place, limit: int) -> Page:
    """What one vendor has open, by time received: as much as a vendor can have, and no history."""
    offers = await part.offer_ids(wanted.vendor_id, MOST_OFFERS)
    ids = [each for each in dict.fromkeys(map(request_id_of, offers)) if wanted.id in each]
    fitting = [(Place(each.received_ms, each.id), each) for each in await _fitting(part, wanted, ids)]
    behind = sorted((each for each in fitting if each[0] > after), key=lambda each: each[0])
    page = behind[:limit]
    more = len(behind) > limit
    return Page(tuple(record for _, record in page), str(Cursor(*page[-1][0])) if more else None)


async def _fitting(part: RequestPart, wanted: Wanted, ids: Sequence[str]) -> list[RequestRecord]:
    records = (await part.records.get_all(ids)).values() if ids else ()
    classes = await _classes(part, records) if wanted.service_class else {}
    return [each for each in records if wanted.fits(each, classes.get(each.id, each.service_class))]


async def _classes(part: RequestPart, records: Iterable[RequestRecord]) -> dict[str, str]:
    """Of those whose record does not say it: as their body does."""
    silent = [each.id for each in records if not each.service_class]
    bodies = await part.bodies(silent) if silent else {}
    return {name: body.service_class.value for name, body in bodies.items()}
