"""A scorecard's figures, from the outcomes behind them: counts, shares with what they may be, and groups."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from contracts.scorecards import ScoreFigure, ScoreGroup, ScoreQuartile
from dispatcher.domain.coarse_position import position_of
from dispatcher.domain.scorecards import Outcome, WorkOutcome

K = Outcome
Outcomes = Sequence[WorkOutcome]
ANSWERS = frozenset({K.ACCEPTED, K.DECLINED, K.EXPIRED})
DONE = frozenset({K.ON_TIME, K.LATE, K.DONE})
WORKS = DONE | {K.TURNED_BACK, K.NO_SHOW, K.FAILED}
TIMED = frozenset({K.ON_TIME, K.LATE})
OFFERS, WORKED, UPHELD = "offers", "works", "upheld"
#: What each figure counts, and of what it is a share, in the order in which they are told.
FIGURES: Mapping[str, tuple[frozenset[Outcome], frozenset[Outcome]]] = {
    OFFERS: (ANSWERS, frozenset()),
    "accepted": (frozenset({K.ACCEPTED}), ANSWERS),
    "declined": (frozenset({K.DECLINED}), ANSWERS),
    "expired": (frozenset({K.EXPIRED}), ANSWERS),
    "countered": (frozenset({K.COUNTERED}), frozenset()),
    WORKED: (WORKS, frozenset()),
    "turned_back": (frozenset({K.TURNED_BACK}), WORKS),
    "on_time": (frozenset({K.ON_TIME}), TIMED),
    "late": (frozenset({K.LATE}), TIMED),
    "done": (frozenset({K.DONE}), WORKS),
    "no_show": (frozenset({K.NO_SHOW}), WORKS),
    "failed": (frozenset({K.FAILED}), WORKS),
    "proof_missing": (frozenset({K.PROOF_MISSING}), DONE),
}
LATE_P50, LATE_P90 = "late_p50_minutes", "late_p90_minutes"
#: Figures in which vendors are compared, and whether more of it is better. Late is what on time is not.
COMPARED: Mapping[str, bool] = {
    "accepted": True,
    "declined": False,
    "expired": False,
    "turned_back": False,
    "on_time": True,
    "no_show": False,
    "failed": False,
    "proof_missing": False,
}
COMPARED_LATE: Mapping[str, float] = {LATE_P50: 0.5, LATE_P90: 0.9}  #: minutes: fewer are better
Z = 1.959964  # of the normal distribution: 95 % lie within
LEAST_VENDORS = 8  # two in each quarter: fewer, and a quarter would name one
MOST_AREAS = 100


def is_of(one: WorkOutcome, figure: str) -> bool:
    """Whether a figure counts it."""
    if figure == UPHELD or one.entry.upheld:
        return figure == UPHELD and one.entry.upheld
    name, _, code = figure.partition(".")
    counted, _ = FIGURES.get(name, (frozenset(), frozenset()))
    return one.outcome in counted and code in ("", one.entry.code)


def is_figure(name: str) -> bool:
    """Whether a scorecard has such a figure; of `declined` there is one for each code."""
    first, dot, _ = name.partition(".")
    return name == UPHELD or (first in FIGURES and (not dot or first == K.DECLINED))


def group(outcomes: Outcomes, least: int, name: str = "", area: str = "") -> ScoreGroup:
    """All figures of these outcomes; of fewer than `least` they are few."""
    counts = Counter(each.outcome for each in outcomes if not each.entry.upheld)
    codes = Counter(
        each.entry.code for each in outcomes if each.outcome is K.DECLINED and not each.entry.upheld
    )
    figures = list[ScoreFigure]()
    for figure, (counted, among) in FIGURES.items():
        of = _sum(counts, among)
        figures.append(share_of(figure, _sum(counts, counted), of, least, alone=not among))
        if figure == K.DECLINED:
            figures += [share_of(f"{figure}.{code}", codes[code], of, least) for code in sorted(codes)]
    late = sorted(lateness_of(outcomes))
    return ScoreGroup(
        name=name,
        zone=position_of(area),
        figures=tuple(figures),
        arrivals=len(late),
        late_p50_minutes=_quantile(late, 0.5),
        late_p90_minutes=_quantile(late, 0.9),
    )


def share_of(figure: str, count: int, of: int, least: int, *, alone: bool = False) -> ScoreFigure:
    """How many of how many, and between what that share lies; `alone`: it is a share of nothing."""
    if alone:
        return ScoreFigure(figure=figure, count=count)
    if not of:
        return ScoreFigure(figure=figure, count=count, few=True)
    low, high = wilson(count, of)
    return ScoreFigure(
        figure=figure, count=count, of=of, share=count / of, low=low, high=high, few=of < least
    )


def wilson(count: int, of: int) -> tuple[float, float]:
    """The interval of 95 % around a share (Wilson 1927): it holds for small numbers, and near 0 and 1."""
    share, square = count / of, Z * Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = Z * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def groups(
    outcomes: Outcomes, key: Callable[[WorkOutcome], str], least: int, most: int = 0, *, zones: bool = False
) -> tuple[ScoreGroup, ...]:
    """The figures by a part of the work: by name, or the `most` with most to do first."""
    parts: dict[str, list[WorkOutcome]] = {}
    for each in outcomes:
        parts.setdefault(key(each), []).append(each)
    named = sorted(parts, key=lambda name: (-len(parts[name]), name) if most else (0, name))
    return tuple(group(parts[name], least, name, name if zones else "") for name in named[: most or None])


def quartiles(
    cards: Mapping[str, Mapping[str, int]],
    vendor_id: str,
    least: int,
    lateness: Mapping[str, Sequence[int]] = {},
) -> tuple[ScoreQuartile, ...]:
    """Where a vendor stands among all who have enough to tell; nowhere, where these are few.

    `lateness`: minutes of each vendor's arrivals, as far as they are known.
    """
    values = {figure: _signed(_shares(cards, figure, least), more) for figure, more in COMPARED.items()}
    late = {name: sorted(each) for name, each in lateness.items() if len(each) >= max(1, least)}
    for figure, share in COMPARED_LATE.items():
        values[figure] = {name: -float(_quantile(each, share) or 0) for name, each in late.items()}
    return tuple(
        ScoreQuartile(figure=figure, quartile=_quartile(each, vendor_id)) for figure, each in values.items()
    )


def _signed(shares: Mapping[str, float], more: bool) -> Mapping[str, float]:
    """So that more is better."""
    return shares if more else {name: -share for name, share in shares.items()}


def _quartile(values: Mapping[str, float], vendor_id: str) -> int | None:
    if len(values) < LEAST_VENDORS or vendor_id not in values:
        return None
    better = sum(each > values[vendor_id] for each in values.values())
    return 1 + 4 * better // len(values)


def _shares(cards: Mapping[str, Mapping[str, int]], figure: str, least: int) -> dict[str, float]:
    counted, among = FIGURES[figure]
    found = {}
    for vendor, card in cards.items():
        of = _sum(card, among)
        if of >= max(1, least):
            found[vendor] = _sum(card, counted) / of
    return found


def _sum(counts: Mapping[str, int] | Mapping[Outcome, int], of: Iterable[Outcome]) -> int:
    return sum(counts.get(each, 0) for each in of)


def lateness_of(outcomes: Iterable[WorkOutcome]) -> Iterable[int]:
    """How many minutes late each arrival was; early and in time are 0."""
    for each in outcomes:
        if each.outcome in TIMED and each.entry.minutes is not None and not each.entry.upheld:
            yield max(0, each.entry.minutes)


def _quantile(minutes: Sequence[int], share: float) -> int | None:
    """The least that so many are not beyond (nearest rank)."""
    return minutes[math.ceil(share * len(minutes)) - 1] if minutes else None
