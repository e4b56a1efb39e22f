"""Screening: which vendors may serve which request, when, with what and at what cost.

Rules run over chunks of requests, so that memory stays bounded: first on (request, vendor), then on the
candidates (request, vendor, resource, start) that are left. How many vendors each rule removed is counted on
the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from contracts.instants import MINUTE_MS
from contracts.tuning import Parameter
from solvers.arrays import Flags, Floats, Ints, counting
from solvers.durations import DOORS, at_doors_min, durations
from solvers.rides import rides
from solvers.rules import registry
from solvers.rules.base import Candidates, Rule, View
from solvers.screening import Screening, Standing
from solvers.slots import Slots, slots
from solvers.starts import Options, sorted_once

MOST_CANDIDATES = Parameter(
    name="most_candidates",
    default=64,
    minimum=1,
    maximum=2_000,
    unit="candidates",
    summary="Most candidates kept for a request: each vendor's cheapest, then each one's second, and so on.",
    scope="solvers.candidates",
)
PARAMETERS = (MOST_CANDIDATES,)
# A chunk's arrays fit a core's cache where they can; a few requests share its costs where memory allows it.
_CANDIDATES_IN_CACHE, _MOST_CANDIDATES_AT_ONCE, _REQUESTS_AT_ONCE = 25_000, 400_000, 48
# Keys of one integer sort faster than several: costs up to $330,000 apart, 256 ranks, 509 turns of a tie.
_COST_SPAN, _RANKS, _TURNS = 2**25, 2**8, 509
Bytes = npt.NDArray[np.int8]
AnyRule = TypeVar("AnyRule", bound=Rule)


@dataclass(frozen=True, eq=False)
class Screened:
    """What screening leaves: N candidates with their cost, and what the rules removed of V vendors."""

    candidates: Candidates  #: N; `request` counts over all R
    cents: Ints  #: N; sum of all cost terms
    codes: tuple[str, ...]  #: the hard rules, in the order in which they ran
    removed: Ints  #: R x rules; vendors that each rule removed first
    lost: Bytes | None = None  #: R x V; which rule removed the vendor first (`codes`); -1: none

    def last_rule(self, request: int) -> str:
        """The rule that removed the last vendor; empty when a vendor is left or there was none."""
        hit = np.flatnonzero(self.removed[request])
        return "" if (self.candidates.request == request).any() or not len(hit) else self.codes[int(hit[-1])]


def screen(screening: Screening) -> Screened:
    """Run every rule and cost term of the registry."""
    registry.load(*screening.plugins)
    common: dict[str, Any] = {}
    parts = [_chunk(View(screening, rows, "", common=common)) for rows in _chunks(screening)]
    codes = tuple(rule.code for rule in known_to(screening, registry.hard_rules()))
    if not parts:
        nothing = np.zeros((0, len(codes)), np.int64)
        none = np.zeros((0, screening.vendors), np.int8)
        return Screened(_no_candidates(), np.zeros(0, np.int64), codes, nothing, none)
    candidates = Candidates(
        *(np.concatenate([getattr(c, name) for c, *_ in parts]) for name in Candidates.__dataclass_fields__)
    )
    cents, removed, lost = (np.concatenate([part[n] for part in parts]) for n in (1, 2, 3))
    return Screened(candidates, cents, codes, removed, lost)


def best_of_each_vendor(found: Screened) -> list[int]:
    """Candidates are sorted by cost: the first of each vendor, of one request."""
    _, first = np.unique(found.candidates.vendor, return_index=True)
    return [int(row) for row in np.sort(first)]


def ranked(found: Screened, rows: Sequence[int]) -> tuple[tuple[int, int, int], ...]:
    """These candidates: vendor, start in ms, cents."""
    columns = (found.candidates.vendor[rows], found.candidates.start_ms[rows], found.cents[rows])
    vendor, start_ms, cents = (each.tolist() for each in columns)
    return tuple(zip(vendor, start_ms, cents, strict=True))


def known_to(screening: Screening, rules: Sequence[AnyRule]) -> list[AnyRule]:
    """Without those that came after the screening was saved: it is judged as it was."""
    return [each for each in rules if each.code in screening.of_vendors]


def _chunks(screening: Screening) -> Iterator[slice]:
    if screening.requests == 1:  # an imminent one
        yield slice(0, 1)
        return
    facts, horizon = screening.facts, screening.horizon
    found = slots(facts.earliest_ms, facts.latest_ms, screening.now_ms, horizon.end_ms, screening.values)
    most = int(found.starts.max(initial=1)) * max(1, screening.vendors)
    size = max(1, _CANDIDATES_IN_CACHE // most, min(_REQUESTS_AT_ONCE, _MOST_CANDIDATES_AT_ONCE // most))
    for first in range(0, screening.requests, size):
        yield slice(first, min(first + size, screening.requests))


def _chunk(view: View) -> tuple[Candidates, Ints, Ints, Bytes]:
    alive = np.ones((len(view.facts), view.vendors), np.bool_)
    removed, lost = list[Ints](), np.full(alive.shape, -1, np.int8)
    for pair_rule in known_to(view.screening, registry.pair_rules()):
        allowed = pair_rule.mask(view.seen_by(pair_rule.code))
        if allowed.all():  # as most do for one request: it needs none of the rest
            removed.append(np.zeros(len(alive), np.int64))
            continue
        left = alive & allowed
        removed.append(_gone(alive, left, lost, len(removed)))
        alive = left
    candidates = expand(view, alive)
    for nth, rule in enumerate(known_to(view.screening, registry.candidate_rules())):
        allowed = rule.mask(view.seen_by(rule.code), candidates)
        if nth and allowed.all():  # the first also removes pairs without a candidate
            removed.append(np.zeros(len(alive), np.int64))
            continue
        candidates = candidates.only(allowed)
        left = np.zeros_like(alive)
        left[candidates.request, candidates.vendor] = True
        removed.append(_gone(alive, left, lost, len(removed)))
        alive = left
    cents = reduce(
        np.add,
        (term.cents(view.seen_by(term.code), candidates) for term in registry.cost_terms()),
        np.zeros(len(candidates), np.int64),
    )
    keep = _cheapest(view, candidates, cents)
    kept = candidates.only(keep)
    moved = Candidates(
        kept.request + view.rows.start, *(getattr(kept, n) for n in list(Candidates.__dataclass_fields__)[1:])
    )
    return moved, cents[keep], np.stack(removed, axis=1), lost


def _gone(alive: Flags, left: Flags, lost: Bytes, rule: int) -> Ints:
    """How many of each request's vendors a rule removed; which they were is written into `lost`."""
    gone = alive & ~left
    lost[gone] = rule
    return np.asarray(gone.sum(axis=1))


def expand(view: View, alive: Flags) -> Candidates:
    """All candidates of the pairs that are left: each resource that serves the class, each start."""
    found = view.slots
    options = _options(view, alive, found)
    count = found.starts[options.request]
    first = (np.cumsum(found.starts) - found.starts)[options.request]
    even = _Starts(np.repeat(np.arange(len(count)), count), np.repeat(first, count) + counting(count))
    starts, request, start_ms = _with_begins(view, options, found, even)
    service_ms, taken_ms, metres = _timed(view, request, start_ms)
    return Candidates(
        request=options.request[starts.option],
        vendor=options.vendor[starts.option],
        resource=options.resource[starts.option],
        start_ms=start_ms[starts.slot],
        service_ms=service_ms[starts.slot],
        taken_ms=taken_ms[starts.slot],
        metres=metres[starts.slot],
    )


def _options(view: View, alive: Flags, found: Slots) -> Options:
    facts, screening = view.facts, view.screening
    request, vendor = np.nonzero(alive)
    row, resource = screening.supply.resources(vendor, facts.service_class[request])
    request = request[row]
    at_doors = at_doors_min(facts.onsite_min, facts.further_pieces, view.values)
    shortest = durations(facts.is_trip, at_doors, np.zeros(len(facts)), view.values)
    return Options(
        request=request,
        vendor=vendor[row],
        resource=resource,
        first_ms=found.first_ms[request],
        last_ms=found.last_ms[request],
        least_ms=shortest.taken_ms[request],
        since_ms=screening.horizon.start_ms,
    )


class _Starts(NamedTuple):
    """Starts of options, by option and time: which request and instant each is, in a list of such."""

    option: Ints
    slot: Ints


def _with_begins(view: View, options: Options, found: Slots, even: _Starts) -> tuple[_Starts, Ints, Ints]:
    """With the starts at which a rule begins to allow an option, in their places; then the list."""
    rules = ((rule, view.seen_by(rule.code)) for rule in registry.candidate_rules())
    option, start_ms = sorted_once(options, [rule.begins(seen, options) for rule, seen in rules])
    if not len(option):
        return even, found.request, found.start_ms
    keys, more = options.keys(even.option, found.start_ms[even.slot]), options.keys(option, start_ms)
    place = np.searchsorted(keys, more)
    new = keys[np.minimum(place, len(keys) - 1)] != more
    option, start_ms, place = option[new], start_ms[new], place[new]
    each = options.keys(options.request[option], start_ms)
    _, one, which = np.unique(each, return_index=True, return_inverse=True)
    begun = _Starts(option, len(found.request) + which)
    starts = _Starts(*(np.insert(a, place, b) for a, b in zip(even, begun, strict=True)))
    return starts, np.r_[found.request, options.request[option[one]]], np.r_[found.start_ms, start_ms[one]]


def _timed(view: View, request: Ints, start_ms: Ints) -> tuple[Ints, Ints, Floats]:
    """Of n starts: how long service lasts and how long the unit is taken, in ms; metres by road."""
    facts, horizon = view.facts, view.screening.horizon
    is_trip = facts.is_trip[request]
    at_doors = at_doors_min(facts.onsite_min[request], facts.further_pieces[request], view.values)
    leave_ms = start_ms + at_doors * MINUTE_MS // DOORS
    ride = rides(view.screening.travel, facts.pickup[request], facts.dropoff[request], leave_ms, horizon)
    lasts = durations(is_trip, at_doors, np.where(is_trip, ride.seconds, 0.0), view.values)
    return lasts.service_ms, lasts.taken_ms, np.where(is_trip, ride.metres, 0.0)


def _cheapest(view: View, candidates: Candidates, cents: Ints) -> Ints:
    """Indices to keep, by request and cost: every vendor's best before any vendor's second, cheapest first.

    Where a request stands already is kept, however dear. Equal ones are ordered by a number that differs
    between requests, so that no vendor is always last.
    They come by request, vendor, resource and start, which settles all other ties: the sorts are stable.
    """
    most = MOST_CANDIDATES.whole(view.values)
    cost = np.minimum(cents - cents.min(initial=0), _COST_SPAN - 1)
    kept = np.arange(len(candidates))
    crowded = np.bincount(candidates.request, minlength=len(view.facts))[candidates.request] > most
    if crowded.any():
        some = np.flatnonzero(crowded)
        request, vendor = candidates.request[some], candidates.vendor[some]
        pair = request * view.vendors + vendor
        rank = np.empty(len(some), np.int64)
        by_pair = np.argsort(pair * _COST_SPAN + cost[some], kind="stable")
        rank[by_pair] = np.minimum(_nth_within(pair[by_pair]), _RANKS - 1)
        turn = (vendor * 40_503 + view.facts.tie[request]) % _TURNS
        order = np.argsort(
            ((request * _RANKS + rank) * _COST_SPAN + cost[some]) * _TURNS + turn, kind="stable"
        )
        keep = ~crowded
        keep[some[order[_nth_within(request[order]) < most]]] = True
        keep |= stood_at(view.screening.standing, candidates, view.rows.start)
        kept = np.flatnonzero(keep)
    return kept[np.argsort(candidates.request[kept] * _COST_SPAN + cost[kept], kind="stable")]


def stood_at(standing: Standing | None, candidates: Candidates, first_row: int = 0) -> Flags:
    """n; whether its request stands there already. Candidates count requests from `first_row`."""
    if standing is None:
        return np.zeros(len(candidates), np.bool_)
    row = candidates.request + first_row
    same: Flags = standing.vendor[row] == candidates.vendor
    same &= standing.resource[row] == candidates.resource
    return np.asarray(same & (standing.start_ms[row] == candidates.start_ms))


def _nth_within(groups: Ints) -> Ints:
    """0, 1, 2 … within each run of equal values."""
    at = np.arange(len(groups))
    began = np.zeros_like(at)
    began[1:] = np.where(groups[1:] != groups[:-1], at[1:], 0)
    return at - np.maximum.accumulate(began)


def _no_candidates() -> Candidates:
    none = np.zeros(0, np.int64)
    return Candidates(none, none, none, none, none, none, np.zeros(0))
