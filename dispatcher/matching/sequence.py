"""What a request goes after and before, as the solvers are told of it.

Where the other stands already it bounds the start; where it waits, too, the plan keeps the two in order, or
leaves the second for later (`solvers.rules.sequence`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from contracts.codes import RequestState
from contracts.episodes import SequenceKind
from contracts.requests import Request
from contracts.tuning import Number
from dispatcher.domain.apart import standing
from dispatcher.domain.bundles import comes_later, is_bundled
from dispatcher.domain.episodes import Episode
from dispatcher.domain.giving_way import gives_way
from dispatcher.domain.joining import known_before
from dispatcher.domain.links import Bounds, Link, Span, bounds_of, link_of, resolved, span_of, successors
from dispatcher.domain.requests import RequestRecord
from dispatcher.matching.apart import beside_others
from dispatcher.matching.lengths import length_ms
from dispatcher.store.requests import RequestPart
from solvers.screening import Follows, OpenRequest
from solvers.travel import TravelTimes

Values = Mapping[str, Number]
Others = Mapping[str, RequestRecord]


class Bundled(NamedTuple):
    """What is open of a bundle; `waits_for`: those of it that cannot be matched now."""

    ids: frozenset[str]
    waits_for: tuple[str, ...]


Bundles = Mapping[str, Bundled]


async def bundles_of(
    records: Sequence[RequestRecord], market: RequestPart, ready: Callable[[RequestRecord], bool], now_ms: int
) -> Bundles:
    """The bundles that these belong to, by episode."""
    names = {each.episode for each in records if is_bundled(each, now_ms)}
    if not names:
        return {}
    episodes = await market.episodes.get_all(sorted(names))
    ids = {name for each in episodes.values() for name in each.requests}
    known = await market.records.get_all(sorted(ids))
    return {name: bundled(each, known, ready) for name, each in episodes.items()}


def bundled(episode: Episode, known: Others, ready: Callable[[RequestRecord], bool]) -> Bundled:
    """What is open of one bundle."""
    members = [known[each] for each in episode.requests if each in known]
    wanted = [each for each in members if not each.live_offers and each.state is not RequestState.COMPLETED]
    wanted = [each for each in wanted if not comes_later(each)]
    waits_for = tuple(each.id for each in wanted if not ready(each))
    return Bundled(frozenset(each.id for each in wanted), waits_for)


def in_bundle(asked: OpenRequest, record: RequestRecord, bundles: Bundles, now_ms: int) -> OpenRequest:
    """The request with its bundle; it waits where another of that cannot be matched now."""
    if not is_bundled(record, now_ms) or record.episode not in bundles:
        return asked
    waits_for = [each for each in bundles[record.episode].waits_for if each != record.id]
    follows = (*asked.follows, *map(Follows, waits_for))
    return replace(asked, bundle=record.episode, follows=follows)


async def beside(records: Sequence[RequestRecord], stored: RequestPart) -> Others:
    """These, and those that stand in sequence with them or are rides of their patients."""
    known = {each.id: each for each in records}
    named = {link.request_id for each in records for link in each.after if link.waits}
    named |= {name for each in records for name in (*each.before, *each.apart)}
    missing = sorted(named - known.keys())
    return known | (await stored.records.get_all(missing) if missing else {})


def in_sequence(
    asked: OpenRequest,
    record: RequestRecord,
    others: Others,
    values: Values,
    travel: TravelTimes,
    *,
    now_ms: int,
) -> OpenRequest:
    """The request with its bounds, and with what it follows that has no vendor yet.

    What was sought in vain before the dispatches that go after it is sought at a later place once these may
    be asked to give way.
    """
    if not record.after and not record.before and not record.apart:
        return asked
    within, follows = Bounds(), []
    for link in record.after:
        span = span_of(link, others.get(link.request_id), values)
        if span is None:
            follows.append(follows_of(link))
        else:
            within = within.within(bounds_of(link, span))
    late = frozenset(
        other.id
        for other, _ in successors(record, others)
        if record.unmatched is not None and gives_way(other, now_ms, values)
    )
    within = _before_dispatches(within, asked.request, record, others, travel, late=late)
    within = beside_others(within, asked, (span for _, span in standing(record, others, values)), travel)
    return replace(
        asked,
        not_before_ms=within.not_before_ms,
        not_after_ms=within.not_after_ms,
        follows=tuple(follows),
    )


def follows_of(link: Link) -> Follows:
    """As the solvers know it."""
    return Follows(link.request_id, link.kind.value, link.least_ms, link.most_ms)


def _before_dispatches(
    within: Bounds,
    request: Request,
    record: RequestRecord,
    others: Others,
    travel: TravelTimes,
    *,
    late: Collection[str],
) -> Bounds:
    """Early enough for the dispatches that go after it, however long the work may take; and late enough.

    Those that may start `late` do so by the end of their windows.
    """
    for other, link in successors(record, others):
        if other.dispatch is None:
            continue
        shortest_ms, longest_ms = 0, 0
        if link.kind is SequenceKind.FINISH_TO_START:
            shortest_ms, longest_ms = length_ms(request, travel)
        start_ms = other.dispatch.start_ms
        first_ms = None if link.most_ms is None else start_ms - link.most_ms - shortest_ms
        last_ms = max(start_ms, other.latest_ms) if other.id in late else start_ms
        within = within.within(Bounds(first_ms, last_ms - link.least_ms - longest_ms))
    return within


def waves(asked: Sequence[OpenRequest], rows: Sequence[int]) -> list[list[int]]:
    """Rows of requests in turns, each turn after all that its requests follow."""
    if not any(asked[row].follows for row in rows):
        return [list(rows)] if rows else []
    named = {asked[row].request.id: row for row in rows}
    turn = dict[int, int]()

    def turn_of(row: int) -> int:
        if row not in turn:
            turn[row] = 0  # a circle, which is never stored, would end here
            before = (named[each.request_id] for each in asked[row].follows if each.request_id in named)
            turn[row] = 1 + max(map(turn_of, before), default=-1)
        return turn[row]

    found: list[list[int]] = [[] for _ in range(1 + max(map(turn_of, rows)))]
    for row in rows:
        found[turn[row]].append(row)
    return found


async def bounded(asked: OpenRequest, stored: RequestPart, values: Values) -> OpenRequest:
    """A request that is not stored, with the bounds of what goes before it.

    What waits for a vendor itself begins with its window at the soonest. Raises Invalid where a predecessor
    is not there, or has ended otherwise than completed.
    """
    request, within = asked.request, Bounds()
    if not request.after:
        return asked
    others = await stored.records.get_all([each.request for each in request.after])
    for link in map(link_of, request.after):
        before = known_before(request.id, link, others)
        span = span_of(resolved(link, before), before, values)
        if span is None:
            soonest = bounds_of(link, Span(before.earliest_ms, before.earliest_ms))
            within = within.within(Bounds(soonest.not_before_ms))
        else:
            within = within.within(bounds_of(link, span))
    return replace(asked, not_before_ms=within.not_before_ms, not_after_ms=within.not_after_ms)
