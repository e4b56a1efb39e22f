"""What a day had beside its single requests: bundles, calls of will-calls, what was released or called off.

What goes before what is said by its requests (`after`, `return_of`). Of a stored day it is all read from its
records; of a made-up one it is in its episodes. The same on every side of a comparison.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec.structs import replace as written

from contracts.episodes import After, SequenceKind
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant, to_ms
from contracts.local_day import LocalDay
from contracts.requests import Request
from dispatcher.domain.will_call import HOUR_MIN, DayKind
from dispatcher.store.calls import HOURS, Calls
from simulation.day import Day, Submission
from simulation.episodes import Episode

LEAST_STAY_MS = 30 * MINUTE_MS  # between the way there and a call that is drawn


class Together(NamedTuple):
    """A bundle: these requests are matched all or none until then."""

    name: str
    requests: tuple[str, ...]
    until_ms: int


class Call(NamedTuple):
    """When somebody calls for a will-call, and from when on its passenger is ready."""

    at_ms: int
    ready_ms: int


class Pair(NamedTuple):
    """What goes before what, and by how much: an edge that is judged once both have begun."""

    before: str
    after: str
    kind: SequenceKind
    least_ms: int
    most_ms: int | None


@dataclass(frozen=True)
class Care:
    """Of one day. `released`: by (after, before), when a person said "go anyway"."""

    bundles: tuple[Together, ...] = ()
    calls: Mapping[str, Call] = field(default_factory=dict)
    released: Mapping[tuple[str, str], int] = field(default_factory=dict)
    called_off: Mapping[str, int] = field(default_factory=dict)
    apart: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    before: Calls = field(default_factory=Counter)  #: how calls fell before the day

    def bundle_of(self, request_id: str, now_ms: int) -> Together | None:
        """The bundle that it is in then."""
        found = (each for each in self.bundles if request_id in each.requests and each.until_ms > now_ms)
        return next(found, None)


def pairs_of(day: Day, care: Care) -> list[Pair]:
    """All edges of a day, but for those that a person lifted."""
    requests = [each for submission in day.submissions for each in submission.requests]
    ids = {each.id for each in requests}
    return [
        _pair(link, each.id)
        for each in requests
        for link in links_of(each)
        if link.request in ids and (each.id, link.request) not in care.released
    ]


def links_of(request: Request) -> tuple[After, ...]:
    """What goes before it; of a way back the leg there, whether or not it says more about that."""
    there = request.way_back_of
    if there is None or there in {each.request for each in request.after}:
        return request.after
    return (*request.after, After(request=there))


def _pair(link: After, after: str) -> Pair:
    most = link.most_lag_minutes
    lags = link.least_lag_minutes * MINUTE_MS, None if most is None else most * MINUTE_MS
    return Pair(link.request, after, link.kind, *lags)


def drawn_call(request: Request, calls: Calls, least_ms: int, tz: ZoneInfo, seed: int) -> Call | None:
    """When a will-call would be called, as calls fell on days of its kind; None where none ever did.

    Drawn from seed and request alone: every side of a comparison meets the same.
    """
    if request.on_call is None:
        return None
    day, until = LocalDay.of(request.on_call.day, tz), request.on_call.until
    until_ms = day.end_ms if until is None else to_ms(until)
    kind = DayKind.of(day.day)
    weights = [calls[kind, hour] for hour in range(HOURS)]
    if not sum(weights):
        weights = [sum(calls[each, hour] for each in DayKind) for hour in range(HOURS)]
    spans = [day.instants(hour * HOUR_MIN, (hour + 1) * HOUR_MIN) for hour in range(HOURS)]
    hours = [(span[0][0], weight) for span, weight in zip(spans, weights, strict=True) if span]
    hours = [(at_ms, weight) for at_ms, weight in hours if at_ms + HOUR_MS > least_ms and at_ms < until_ms]
    if not sum(weight for _, weight in hours):
        return None
    rng = random.Random(f"{seed}/call/{request.id}")
    (begins_ms,) = rng.choices([at for at, _ in hours], weights=[weight for _, weight in hours])
    ready_ms = max(begins_ms + rng.randrange(60) * MINUTE_MS, least_ms)
    return Call(ready_ms, ready_ms) if ready_ms < until_ms else None


def with_stories(day: Day) -> tuple[Day, Care]:
    """A made-up day with its episodes among its requests, and what they have beside them."""
    told = [each for episode in day.episodes for each in _submissions(episode)]
    everything = sorted((*day.submissions, *told), key=lambda each: each.at_ms)
    bundles = tuple(each for episode in day.episodes for each in _bundle(episode))
    calls = {each.ids[-1]: Call(each.call_ms, each.call_ms) for each in day.episodes if each.call_ms}
    before: Calls = Counter()
    for each in calls.values():
        local = to_instant(each.at_ms).astimezone(day.tz)
        before[DayKind.of(local.date()), local.hour] += 1
    plain = replace(day, submissions=tuple(everything), episodes=())
    return plain, Care(bundles=bundles, calls=calls, before=before)


def _submissions(episode: Episode) -> Iterator[Submission]:
    """As it comes; what is asked for a second time is not: the service refuses it."""
    if episode.order is None or episode.order.return_ride is None:
        yield Submission(episode.at_ms, episode.as_called)
        return
    there, called = episode.as_called
    back = written(episode.order.return_ride, id=called.id, return_of=there.id)
    yield Submission(episode.at_ms, (there, back))


def _bundle(episode: Episode) -> Iterator[Together]:
    if episode.is_bundle and episode.whole is not None and episode.whole.episode.decide_by is not None:
        yield Together(episode.id, episode.ids, to_ms(episode.whole.episode.decide_by))


def in_order(
    at_ms: Mapping[str, int], before: Mapping[str, Sequence[str]], bundles: Sequence[Together]
) -> dict[str, int]:
    """When each comes: not before what goes before it, and all of a bundle together with its last."""
    found = dict(at_ms)
    for _ in range(len(found) + 1):
        was = dict(found)
        for name, others in before.items():
            found[name] = max([found[name], *(found[each] for each in others)])
        for each in bundles:
            last_ms = max(found[name] for name in each.requests)
            found |= dict.fromkeys(each.requests, last_ms)
        if found == was:
            break
    return found
