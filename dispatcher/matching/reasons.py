"""Why a request has no vendor yet: said when it is new, not each time a count changes by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from contracts.instants import MINUTE_MS, to_instant, to_ms
from contracts.tuning import Parameter
from contracts.unmatched import Forgone, RuleCount, Unmatched
from contracts.vendors import Vendor
from dispatcher.domain.bundles import RULE as BUNDLE
from dispatcher.domain.fairness import group_of
from dispatcher.matching.snapshot import Snapshot
from solvers.planning import BatchPlan
from solvers.rules import registry, sequence, service_area, time_window
from solvers.screening import OpenRequest
from solvers.swapped import looks_swapped, somewhere_in

REFRESH = Parameter(
    name="reason_refresh_minutes",
    default=15,
    minimum=1,
    maximum=1_440,
    unit="minutes",
    summary="Reasons for having no vendor are written when the last rule changes, else this often.",
    scope="matching.reasons",
)
PARAMETERS = (REFRESH,)
SWAPPED = (
    "A door is far from every vendor, and near one if its position is read as [lat, lon]: it is [lon, lat]."
)


def reasons(plan: BatchPlan, request: int, vendors: int) -> Unmatched:
    """The reasons of one unmatched request of a plan."""
    counts = rule_counts(plan.codes, plan.removed[request].tolist())
    competition = bool(plan.candidate_counts[request])
    last = "" if competition or not counts else counts[-1].rule
    nobody_left = not competition and not any(each.rule in _passing() for each in counts)
    return Unmatched(
        vendors=vendors, removed=counts, last_rule=last, competition=competition, nobody_left=nobody_left
    )


def held_back(why: Unmatched, snapshot: Snapshot, plan: BatchPlan, row: int) -> Unmatched:
    """With the request that keeps this one from its vendor, if one does: it could have one by itself.

    Of a bundle all that have no place are named; and what this one could have now, if it had not to wait.
    """
    by = int(plan.held_back_by[row])
    away = _away(why, snapshot, row) if by < 0 else []
    if by < 0 and not away:
        return why
    other = snapshot.asked[by].request.id if by >= 0 else away[0]
    together = _in_one_bundle(snapshot, row, by, other)
    parts = away or [other, *_placeless(snapshot, plan, row)]
    return replace(
        why,
        last_rule=BUNDLE if together else sequence.RULE.code,
        removed=tuple(map(_by_bundle, why.removed)) if together else why.removed,
        competition=False,
        nobody_left=False,
        waits_for=other,
        parts=tuple(dict.fromkeys(parts)) if together else (),
        forgone=_forgone(snapshot, plan, row),
    )


def beside_others(why: Unmatched, snapshot: Snapshot, plan: BatchPlan, row: int) -> Unmatched:
    """With its group, and for whom it was left out where that group lies behind others."""
    by = int(plan.gave_way_to[row]) if len(plan.gave_way_to) else -1
    other = snapshot.asked[by].request.id if by >= 0 else ""
    return replace(why, group=group_of(snapshot.asked[row].request), gave_way_to=other)


def _by_bundle(count: RuleCount) -> RuleCount:
    """To the solver it goes after the others of its bundle; to who reads it there is no sequence."""
    return replace(count, rule=BUNDLE) if count.rule == sequence.RULE.code else count


def _away(why: Unmatched, snapshot: Snapshot, row: int) -> list[str]:
    """What it waits for that is not matched now, being on hold say; none where that is not the reason."""
    follows = snapshot.asked[row].follows if why.last_rule == sequence.RULE.code else ()
    here = {each.request.id for each in snapshot.asked} if follows else set()
    return [each.request_id for each in follows if each.request_id not in here]


def _in_one_bundle(snapshot: Snapshot, row: int, by: int, other: str) -> bool:
    """Whether it waits for another of its bundle, or for what goes before it."""
    bundle = snapshot.asked[row].bundle
    if by >= 0:
        return bool(bundle) and bundle == snapshot.asked[by].bundle
    return bool(bundle) and other not in {each.request_id for each in snapshot.records[row].after}


def _placeless(snapshot: Snapshot, plan: BatchPlan, row: int) -> list[str]:
    """The others of its bundle that have no place in what the plan leaves."""
    name, matched = snapshot.asked[row].bundle, set(plan.chosen.request.tolist())
    if not name:
        return []
    others = [each for each in range(len(snapshot.asked)) if snapshot.asked[each].bundle == name]
    return [
        snapshot.asked[each].request.id
        for each in others
        if each not in {row, *matched, *snapshot.standing} and plan.forgone[each, 0] < 0
    ]


def _forgone(snapshot: Snapshot, plan: BatchPlan, row: int) -> Forgone | None:
    vendor, start_ms, cents = plan.forgone[row].tolist()
    if vendor < 0:
        return None
    return Forgone(
        vendor_id=snapshot.vendors[vendor].id, start_at=to_instant(start_ms), price_cents=max(0, cents)
    )


def _passing() -> frozenset[str]:
    """Rules that remove a vendor for now: its room is taken, or not posted yet."""
    return frozenset(rule.code for rule in registry.hard_rules() if rule.passing)


def with_hint(why: Unmatched, asked: OpenRequest, vendors: Iterable[Vendor]) -> Unmatched:
    """With a hint where nobody serves the place, and somebody would the place that was probably meant."""
    if why.last_rule != service_area.RULE.code:
        return why
    doors = [each for each in asked.request.doors if each is not None]
    return replace(why, hint=SWAPPED) if looks_swapped(doors, somewhere_in(vendors)) else why


def rule_counts(codes: Sequence[str], removed: Sequence[int]) -> tuple[RuleCount, ...]:
    """Those that removed somebody, in the order in which the rules ran."""
    return tuple(
        RuleCount(rule=code, vendors=each) for code, each in zip(codes, removed, strict=True) if each
    )


def _gist(why: Unmatched) -> tuple[object, ...]:
    vendor_id = why.forgone.vendor_id if why.forgone else ""
    causes = why.last_rule, why.competition, why.nobody_left, why.waits_for, why.gave_way_to
    return *causes, why.parts, vendor_id


def is_news(known: Unmatched | None, fresh: Unmatched, snapshot: Snapshot) -> bool:
    """Whether to write it: another last rule or cause, or the last word is old.

    That the window has gone by is none where a reason is known: it hides why nobody came before.
    """
    if known is not None and fresh.last_rule == time_window.RULE.code:
        return False
    if known is None or _gist(known) != _gist(fresh):
        return True
    said_ms = to_ms(known.explained_at) if known.explained_at else 0
    return (known.removed, known.forgone) != (
        fresh.removed,
        fresh.forgone,
    ) and snapshot.now_ms - said_ms >= REFRESH.whole(snapshot.values) * MINUTE_MS
