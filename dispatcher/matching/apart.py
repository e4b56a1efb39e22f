"""Rides of one patient, who is on one at a time, as the solvers are told of them.

Where the other has a vendor it bounds the start: before it or after it, where the window leaves more room.
Where both wait, the one whose window is earlier goes first in this plan; where it was sought in vain before,
the other waits for it no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from dispatcher.domain.apart import linked
from dispatcher.domain.links import Bounds, Span
from dispatcher.domain.requests import RequestRecord
from dispatcher.matching.lengths import length_ms
from solvers.screening import Follows, OpenRequest
from solvers.travel import TravelTimes

Waiting = tuple[RequestRecord, OpenRequest]
_EVER, _NEVER = 2**60, -(2**60)


def beside_others(
    within: Bounds,
    asked: OpenRequest,
    taken: Iterable[Span],
    travel: TravelTimes,
) -> Bounds:
    """When it may start besides, its passenger being on other rides by then; the soonest of these first."""
    spans = sorted(taken)
    longest_ms = length_ms(asked.request, travel)[1] if spans else 0
    for span in spans:
        within = _beside(within, asked, span, longest_ms)
    return within


def _beside(within: Bounds, asked: OpenRequest, taken: Span, longest_ms: int) -> Bounds:
    first_ms = max(asked.earliest_ms, _or(within.not_before_ms, _NEVER))
    last_ms = min(asked.latest_ms, _or(within.not_after_ms, _EVER))
    before_ms, after_ms = taken.start_ms - longest_ms, taken.end_ms
    if last_ms <= before_ms or first_ms >= after_ms:
        return within
    if before_ms >= first_ms and before_ms - first_ms > last_ms - after_ms:
        return within.within(Bounds(not_after_ms=before_ms))
    return within.within(Bounds(not_before_ms=after_ms))


def _or(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value


def one_after_another(waiting: Sequence[Waiting]) -> list[Waiting]:
    """Requests that are planned together, each after those of its patient that wait with earlier windows."""
    if not any(record.apart for record, _ in waiting):
        return list(waiting)
    records = {record.id: record for record, _ in waiting}
    after = {record.id: [each.request_id for each in asked.follows] for record, asked in waiting}
    more = dict[str, list[str]]()
    for record, asked in sorted(waiting, key=_by_window):
        for name in record.apart:
            other = records.get(name)
            if other is None or _window(other) > _window(record) or linked(record, other):
                continue
            together = bool(asked.bundle) and other.episode == record.episode
            if (other.unmatched is None or together) and not _leads_to(name, record.id, after):
                more.setdefault(record.id, []).append(name)
                after[record.id].append(name)
    return [
        (record, replace(asked, follows=(*asked.follows, *map(Follows, more.get(record.id, ())))))
        for record, asked in waiting
    ]


def _by_window(one: Waiting) -> tuple[int, str]:
    return _window(one[0])


def _window(record: RequestRecord) -> tuple[int, str]:
    return record.earliest_ms + record.latest_ms, record.id


def _leads_to(name: str, wanted: str, after: Mapping[str, Sequence[str]]) -> bool:
    """Whether `name` follows `wanted` already, through however many."""
    seen, left = {name}, [name]
    while left:
        for each in after.get(left.pop(), ()):
            if each == wanted:
                return True
            if each not in seen:
                seen.add(each)
                left.append(each)
    return False
