"""Rides of one patient, who is on one at a time: which might meet, and that no two are agreed to that do.

Each of two that might meet names the other (`RequestRecord.apart`), from the commit that takes the second in.
Neither goes before the other: who has a vendor first leaves the other the time before or after. So one that
is cancelled frees the other by itself. Of two that stand in sequence with one another that says more already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from contracts.instants import HOUR_MS
from contracts.tuning import Number
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Reliance
from dispatcher.domain.links import Span, expected, links_to
from dispatcher.domain.requests import RequestRecord, noted
from dispatcher.domain.states import TERMINAL

NEAR_MS = 12 * HOUR_MS  # from window to window: no ride takes longer
MOST = 16  # others that one names, the nearest: more rides in a day are a test's patient
Values = Mapping[str, Number]
Pair = tuple[RequestRecord, RequestRecord]


def near(one: RequestRecord, other: RequestRecord) -> bool:
    """Whether these rides of one patient might meet: neither has ended, and less than a ride is between."""
    rides = one.kind == other.kind == "trip" and one.id != other.id
    return rides and not {one.state, other.state} & TERMINAL and _gap_ms(one, other) < NEAR_MS


def nearest(record: RequestRecord, others: Iterable[RequestRecord]) -> list[RequestRecord]:
    """Those of the patient's other requests that it is to be kept apart from, the nearest first."""
    found = [each for each in others if near(record, each) and not linked(record, each)]
    room = [each for each in found if record.id in each.apart or len(each.apart) < MOST]
    return sorted(room, key=lambda each: (_gap_ms(record, each), each.id))[:MOST]


def _gap_ms(one: RequestRecord, other: RequestRecord) -> int:
    return max(one.earliest_ms - other.latest_ms, other.earliest_ms - one.latest_ms)


def linked(one: RequestRecord, other: RequestRecord) -> bool:
    """Whether one goes after the other: then that is what holds."""
    return links_to(one, other.id) is not None or links_to(other, one.id) is not None


def place(record: RequestRecord, values: Values) -> Span | None:
    """From when to when its passenger may be on the way, by any live offer; None: it has none."""
    live = record.live_offers
    if not live:
        return None
    return Span(min(each.start_ms for each in live), max(expected(each, values).end_ms for each in live))


def standing(
    record: RequestRecord, others: Mapping[str, Any], values: Values, more: Sequence[str] = ()
) -> Iterator[tuple[RequestRecord, Span]]:
    """What it is kept apart from, and `more`, as far as that has a vendor."""
    for name in dict.fromkeys((*record.apart, *more)):
        other = others.get(name)
        if isinstance(other, RequestRecord) and not linked(record, other):
            span = place(other, values)
            if span is not None:
                yield other, span


def meeting(record: RequestRecord, span: Span, context: Context, more: Sequence[str] = ()) -> str:
    """The id of a ride of its patient that is under way within that time; "": there is none."""
    for other, taken in standing(record, context.related, context.values, more):
        if span.start_ms < taken.end_ms and taken.start_ms < span.end_ms:
            return other.id
    return ""


def kept_apart(decisions: Sequence[Decision], pairs: Sequence[Pair], context: Context) -> list[Decision]:
    """The decisions, with each of two that might meet naming the other: new, changed anyway, or as stored."""
    if not pairs:
        return list(decisions)
    named: dict[str, list[str]] = {}
    for one, other in pairs:
        named.setdefault(one.id, []).append(other.id)
        named.setdefault(other.id, []).append(one.id)
    found = [
        replace(each, changes=tuple(_naming(change, named) for change in each.changes)) for each in decisions
    ]
    changed = {change.record.id for each in decisions for change in each.changes}
    stored = {each.id: each for pair in pairs for each in pair if each.id not in changed}
    told = [
        Change(each, noted(each, context, apart=_with(each, named[name]))) for name, each in stored.items()
    ]
    return [*found, *(Decision(changes=(each,), at_ms=context.now_ms) for each in told)]


def _naming(change: Change, named: Mapping[str, Sequence[str]]) -> Change:
    after = change.after
    if not isinstance(after, RequestRecord) or after.id not in named:
        return change
    return Change(change.before, replace(after, apart=_with(after, named[after.id])))


def _with(record: RequestRecord, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*record.apart, *names)))


def anew(decision: Decision, record: RequestRecord, wanted: Sequence[str], context: Context) -> Decision:
    """The decision, which amends `record`, with what that is kept apart from now; the others know it, too."""
    changes = {each.record.id: each for each in decision.changes}
    names = tuple(each for each in wanted if each in changes or each in context.related)
    own = changes[record.id]
    changes[record.id] = Change(own.before, replace(record, apart=names))
    for name in {*record.apart} ^ {*names}:
        old = changes[name].after if name in changes else context.related.get(name)
        if not isinstance(old, RequestRecord) or old.state in TERMINAL:
            continue
        rest = tuple(each for each in old.apart if each != record.id)
        apart = (*rest, record.id) if name in names else rest
        if name in changes:
            changes[name] = Change(changes[name].before, replace(old, apart=apart))
        elif apart != old.apart:
            changes[name] = Change(old, noted(old, context, apart=apart))
    return replace(decision, changes=tuple(changes.values()))


def with_apart(decision: Decision, context: Context) -> Decision:
    """What gets a place beside its patient's other rides rests on these, as they were read."""
    for change in decision.changes:
        after = change.after
        if isinstance(after, RequestRecord) and after.apart and _is_placed(change.before, after):
            others = [context.related[each] for each in after.apart if each in context.related]
            relies = tuple(Reliance("request", each.id, each.version) for each in others)
            decision = replace(decision, relies=tuple(dict.fromkeys((*decision.relies, *relies))))
    return decision


def _is_placed(before: Any, after: RequestRecord) -> bool:
    """Whether it has a place that it did not have before."""
    had = {(each.start_ms, each.end_ms) for each in before.live_offers} if before is not None else set()
    return any((each.start_ms, each.end_ms) not in had for each in after.live_offers)
