"""A canary's hours, which of them are compared, and what its guardrails see. Time and lots are arguments."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from contracts.instants import HOUR_MS
from contracts.local_day import LocalDay
from contracts.tuning_canary import (
    CanaryLayout,
    CanaryMode,
    Guarded,
    Guardrail,
    GuardrailFound,
    GuardrailPlan,
    Spans,
)
from dispatcher.domain.quarters import SLOT_MS, Cell, Quarters, What
from dispatcher.tuning.sequential import ALPHA, evidence, pairs_needed, variance_of

PAST_DAYS = 28  # looked at for how much blocks differ by themselves
LEAST_PAST = 6  # pairs, below which the past says nothing
SETTLED_MS = 4 * HOUR_MS  # after a block: by then most of its offers are answered
WEEK = 7
#: of each guardrail: what is counted, of how many, and so many at the least in a block that is compared
RATIOS: Mapping[Guarded, tuple[What, tuple[What, ...], int]] = {
    Guarded.URGENT_UNMATCHED: (What.URGENT_UNMATCHED, (What.URGENT_UNMATCHED, What.URGENT_OFFERED), 3),
    Guarded.LATE: (What.LATE, (What.LATE, What.ON_TIME), 5),
    Guarded.DECLINED: (What.DECLINED, (What.DECLINED, What.ACCEPTED), 5),
    Guarded.COST: (What.CENTS, (What.OFFERED,), 5),
}


class Span(NamedTuple):
    """Instants of one block, the end excluded."""

    start_ms: int
    end_ms: int


class Pair(NamedTuple):
    """Two blocks of the same hours that are compared: in the first the candidate decides."""

    candidate: Span
    other: Span


def pairs_of(design: CanaryLayout, first: date, days: int, tz: ZoneInfo, seed: int) -> list[Pair]:
    """What a canary from this day on compares; in order of the days."""
    if design.mode is CanaryMode.WHOLE:
        return _with_weeks_before(design, first, days, tz)
    step = design.pair_days
    found = []
    for number in range(days):
        turn, place = divmod(number, 2 * step)
        if place >= step or number + step >= days:
            continue
        one, two = first + timedelta(days=number), first + timedelta(days=number + step)
        for block in range(24 // design.block_hours):
            spans = _block(one, block, design, tz), _block(two, block, design, tz)
            lot = _lot(seed, turn, place, block)
            if spans[0] and spans[1]:
                found.append(Pair(spans[lot], spans[1 - lot]))  # type: ignore[arg-type]
    return found


def on_of(design: CanaryLayout, first: date, days: int, tz: ZoneInfo, seed: int) -> Spans:
    """When the candidate decides: spans in order, those that touch as one."""
    merged: list[tuple[int, int]] = []
    for span in sorted(pair.candidate for pair in pairs_of(design, first, days, tz, seed)):
        if merged and merged[-1][1] == span.start_ms:
            merged[-1] = (merged[-1][0], span.end_ms)
        else:
            merged.append((span.start_ms, span.end_ms))
    return tuple(merged)


def past_pairs(design: CanaryLayout, before: date, tz: ZoneInfo) -> list[Pair]:
    """Blocks of the days before, as far apart as a canary would compare them: nothing was tried in them."""
    apart = WEEK if design.mode is CanaryMode.WHOLE else design.pair_days
    found = []
    for number in range(PAST_DAYS - apart):
        day = before - timedelta(days=number + 1)
        for block in range(24 // design.block_hours):
            later = _block(day, block, design, tz)
            earlier = _block(day - timedelta(days=apart), block, design, tz)
            if later and earlier:
                found.append(Pair(later, earlier))
    return found


def planned(
    design: CanaryLayout, guardrails: Sequence[Guardrail], past: Sequence[Pair], quarters: Quarters
) -> tuple[GuardrailPlan, ...]:
    """How many days each guardrail needs to see what would be too much, as the past days vary."""
    blocks = 24 // design.block_hours
    alpha = ALPHA / len(guardrails)
    found = []
    for each in guardrails:
        differences = _differences(each.what, past, quarters, design.washout_hours)
        known = len(differences) >= LEAST_PAST
        variance = variance_of(differences, each.worse_by)
        pairs = pairs_needed(variance, each.worse_by, alpha) if known else None
        usable = len(differences) / len(past) if past else 0.0
        found.append(
            GuardrailPlan(
                what=each.what,
                worse_by=each.worse_by,
                usually=_usual(each.what, past, quarters, design.washout_hours),
                deviation=variance**0.5 if known else None,
                past_pairs=len(differences),
                pairs=pairs,
                days=_days(design, pairs / usable / blocks) if pairs is not None else None,
            )
        )
    return tuple(found)


def judged(
    guardrails: Sequence[GuardrailPlan],
    pairs: Iterable[Pair],
    quarters: Quarters,
    washout_hours: int,
    now_ms: int,
) -> tuple[GuardrailFound, ...]:
    """What the guardrails see of the pairs that are over."""
    ripe = [each for each in pairs if max(each.candidate.end_ms, each.other.end_ms) + SETTLED_MS <= now_ms]
    alpha = ALPHA / len(guardrails)
    return tuple(_judged(each, ripe, quarters, washout_hours, alpha) for each in guardrails)


def urgent_unmatched(quarters: Quarters, start_ms: int, end_ms: int) -> int:
    """How many urgent requests were left without a vendor in a span."""
    return _sum(quarters, Span(start_ms, end_ms), (What.URGENT_UNMATCHED,))


def _judged(
    of: GuardrailPlan, ripe: Sequence[Pair], quarters: Quarters, washout_hours: int, alpha: float
) -> GuardrailFound:
    differences = _differences(of.what, ripe, quarters, washout_hours)
    variance = max(variance_of(differences if len(differences) >= LEAST_PAST else (), of.worse_by), _past(of))
    mean = sum(differences) / len(differences) if differences else 0.0
    found = evidence(mean, len(differences), variance, of.worse_by)
    return GuardrailFound(
        what=of.what,
        candidate=_together(of.what, [each.candidate for each in ripe], quarters, washout_hours),
        other=_together(of.what, [each.other for each in ripe], quarters, washout_hours),
        difference=mean if differences else None,
        pairs=len(differences),
        evidence=found,
        enough=1 / alpha,
        crossed=mean > 0 and found >= 1 / alpha,
    )


def _past(of: GuardrailPlan) -> float:
    return of.deviation**2 if of.deviation is not None else 0.0


def _differences(what: Guarded, pairs: Iterable[Pair], quarters: Quarters, washout_hours: int) -> list[float]:
    """Of each pair of which both blocks have enough: how much the first is above the second."""
    least = RATIOS[what][2]
    found = []
    for pair in pairs:
        one, two = (_ratio(what, [each], quarters, washout_hours, least) for each in pair)
        if one is not None and two is not None:
            found.append(one - two)
    return found


def _usual(what: Guarded, pairs: Sequence[Pair], quarters: Quarters, washout_hours: int) -> float | None:
    return _together(what, [each.candidate for each in pairs], quarters, washout_hours)


def _together(what: Guarded, spans: Sequence[Span], quarters: Quarters, washout_hours: int) -> float | None:
    return _ratio(what, spans, quarters, washout_hours, 1)


def _ratio(
    what: Guarded, spans: Sequence[Span], quarters: Quarters, washout_hours: int, least: int
) -> float | None:
    counted, of, _ = RATIOS[what]
    later = [Span(each.start_ms + washout_hours * HOUR_MS, each.end_ms) for each in spans]
    total = sum(_sum(quarters, each, of) for each in later)
    if total < least:
        return None
    return sum(_sum(quarters, each, (counted,)) for each in later) / total


def _sum(quarters: Quarters, span: Span, whats: Sequence[What]) -> int:
    first = span.start_ms - span.start_ms % SLOT_MS
    return sum(
        quarters.get(Cell(slot_ms, what), 0)
        for slot_ms in range(first, span.end_ms, SLOT_MS)
        for what in whats
    )


def _with_weeks_before(design: CanaryLayout, first: date, days: int, tz: ZoneInfo) -> list[Pair]:
    found = []
    for number in range(days):
        day = first + timedelta(days=number)
        before = day - timedelta(days=WEEK * (number // WEEK + 1))
        for block in range(24 // design.block_hours):
            span, other = _block(day, block, design, tz), _block(before, block, design, tz)
            if span and other:
                found.append(Pair(span, other))
    return found


def _block(day: date, block: int, design: CanaryLayout, tz: ZoneInfo) -> Span | None:
    """A block's instants by the market's clock; None on a day on which the clock leaps over it."""
    minutes = design.block_hours * 60
    spans = LocalDay.of(day, tz).instants(block * minutes, (block + 1) * minutes)
    return Span(spans[0][0], spans[-1][1]) if spans else None


def _lot(seed: int, turn: int, place: int, block: int) -> int:
    """0: the earlier of two days is the candidate's. Hashed: the same again, wherever it is asked."""
    return hashlib.blake2b(f"{seed}.{turn}.{place}.{block}".encode(), digest_size=1).digest()[0] & 1


def _days(design: CanaryLayout, days_of_pairs: float) -> int:
    """Whole turns of the layout in which so many days of pairs are."""
    if design.mode is CanaryMode.WHOLE:
        return max(1, -int(-days_of_pairs // 1))
    step = design.pair_days
    turns = max(1, -int(-days_of_pairs // step))
    return turns * 2 * step
