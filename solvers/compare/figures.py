"""The figures of two sides, each with the noise that there is anyway and whether the difference is more.

Noise is what differs between two solves of the same settings with two seeds. What is counted by request (who
is matched, late, declined, what it costs) differs by chance by about the root of the squares that differ
there; a difference counts from 2.8 times that on, and never below what the two seeds differ by themselves.

Where outcomes are drawn (a day that is played), a request that moves draws anew: as many more as less of
what is drawn would come of that alone. There a difference also has to be beyond 2.8 times the root of the
squares that differ between the two sides (McNemar's test, of what is yes or no).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from solvers.arrays import Flags, Floats
from solvers.compare.difference import Kind, diff
from solvers.compare.side import BROKEN, IN_SEQUENCE, OUT_OF_SEQUENCE, Asked, Side

SAME, MORE, LESS = "no difference", "more", "less"
# of the noise, from which a difference counts: chance reaches it in one figure of two hundred, and so, of the
# ten that are judged, in one answer of twenty (Bonferroni)
SPREADS = 2.8
WRONG = (OUT_OF_SEQUENCE, BROKEN)
AT_CHANCE = SPREADS  # of what is no sum over requests: so many times the difference between the two seeds

Each = Callable[[Asked, Side], Floats]


@dataclass(frozen=True)
class Figure:
    """One figure: today's, as changed, what it differs by anyway, and what is to be made of it."""

    name: str
    unit: str
    before: float
    after: float
    noise: float  #: a difference up to this is none
    verdict: str

    @property
    def differs(self) -> bool:
        """Whether it is more than noise."""
        return self.verdict != SAME


def _flags(of: Callable[[Side], object]) -> Each:
    return lambda asked, side: np.asarray(of(side), np.float64)


SUMS: dict[str, tuple[str, Each]] = {
    "matched": ("requests", _flags(lambda side: side.matched)),
    "urgent_matched": ("requests", lambda asked, side: (side.matched & asked.urgent).astype(np.float64)),
    "late": ("requests", _flags(lambda side: side.late)),
    "declined": ("offers", _flags(lambda side: side.declined)),
    "outside_window": ("minutes", lambda asked, side: side.outside_min(asked).astype(np.float64)),
}
BY_LUCK = frozenset({"matched", "urgent_matched", "late", "declined"})


def figures(asked: Asked, before: Side, again: Side, after: Side, *, drawn: bool = False) -> list[Figure]:
    """Of today's settings, today's once more with another seed, and the changed ones.

    `drawn`: whether who declines, is late … was drawn.
    """
    found = []
    for name, (unit, each) in SUMS.items():
        now, other, then = (each(asked, side) for side in (before, again, after))
        noise = max(_noise(other - now), _spread(then - now) if drawn and name in BY_LUCK else 0.0)
        found.append(_judged(name, unit, float(now.sum()), float(then.sum()), noise))
    found += _changes(asked, before, again, after)
    found.append(_cost(before, again, after))
    found += _sequence(before, again, after, drawn=drawn)
    beyond = _is_beyond_chance(asked, before, again, after)
    posted = not np.array_equal(before.posted, after.posted)  # by the change itself, and no chance
    for name, (unit, value) in OTHERS.items():
        one = _judged(name, unit, value(before), value(after), AT_CHANCE * abs(value(again) - value(before)))
        counts = name not in MEASURED and (beyond or (posted and name in OF_POSTED))
        found.append(one if counts else replace(one, verdict=SAME))
    return found


def _noise(chance: Floats) -> float:
    """Of what is counted by request, and differs by this at each (R) between two seeds."""
    return max(abs(float(chance.sum())), _spread(chance))


def _spread(differs: Floats) -> float:
    """How far the sum would be from nothing if each of these were as likely to be its opposite."""
    return SPREADS * float(np.sqrt((differs**2).sum()))


def _changes(asked: Asked, before: Side, again: Side, after: Side) -> list[Figure]:
    """Moved, gained, lost: today's settings have none; the noise is what another seed has."""
    by_chance, changed = diff(asked, before, again, ()), diff(asked, before, after, ())
    names = {"moved": Kind.MOVED, "gained": Kind.GAINED, "lost": Kind.LOST}
    found = []
    for name, kind in names.items():
        chance = by_chance.count(kind)
        noise = chance + SPREADS * float(np.sqrt(chance))
        found.append(_judged(name, "requests", 0.0, float(changed.count(kind)), noise))
    for share in (50, 95):
        both = before.matched & after.matched
        shift = float(np.percentile(np.abs(changed.minutes[both]), share)) if both.any() else 0.0
        both = before.matched & again.matched
        anyway = float(np.percentile(np.abs(by_chance.minutes[both]), share)) if both.any() else 0.0
        found.append(_judged(f"start_shift_p{share}", "minutes", 0.0, shift, AT_CHANCE * anyway))
    return found


def _sequence(before: Side, again: Side, after: Side, *, drawn: bool) -> list[Figure]:
    """What stands in sequence and what was called for, where there is any."""
    found = []
    if len(before.pairs):
        now, other, then = (_kept_share(each) for each in (before, again, after))
        spread = max(
            _spread(_kept(again) - _kept(before)), _spread(_kept(after) - _kept(before)) if drawn else 0.0
        )
        noise = max(AT_CHANCE * abs(other - now), 100.0 * spread / max(1, int(_judged_pairs(before).sum())))
        found.append(_judged("in_sequence", "%", now, then, noise))
        broken = [np.asarray(np.isin(each.pairs, WRONG), np.float64) for each in (before, again, after)]
        chance = max(_noise(broken[1] - broken[0]), _spread(broken[2] - broken[0]) if drawn else 0.0)
        found.append(_judged("broken", "pairs", float(broken[0].sum()), float(broken[2].sum()), chance))
    if any(len(each.calls_min) for each in (before, again, after)):
        now, other, then = (_p90(each.calls_min) for each in (before, again, after))
        found.append(_judged("will_call_p90", "minutes", now, then, AT_CHANCE * abs(other - now)))
    return found


def _judged_pairs(side: Side) -> Flags:
    """P; of which both are done."""
    return np.asarray(np.isin(side.pairs, (IN_SEQUENCE, OUT_OF_SEQUENCE)))


def _kept(side: Side) -> Floats:
    return np.asarray(side.pairs == IN_SEQUENCE, np.float64)


def _kept_share(side: Side) -> float:
    """In % of those of which both are done; of none: all."""
    done = int(_judged_pairs(side).sum())
    return 100.0 * float(_kept(side).sum()) / done if done else 100.0


def _p90(minutes: Floats) -> float:
    return float(np.percentile(minutes, 90)) if len(minutes) else 0.0


def _cost(before: Side, again: Side, after: Side) -> Figure:
    """What a match costs; its noise is that of the requests that both have."""
    chance = (again.price_cents - before.price_cents) / max(1, int(before.matched.sum()))
    noise = max(abs(_each(again) - _each(before)), SPREADS * float(np.sqrt((chance**2).sum())))
    return _judged("cost_per_request", "cents", _each(before), _each(after), noise)


def _each(side: Side) -> float:
    return float(side.price_cents.sum()) / max(1, int(side.matched.sum()))


def _is_beyond_chance(asked: Asked, before: Side, again: Side, after: Side) -> bool:
    """Whether more fare otherwise than do by chance: two solves tell little of how a percentile varies."""
    chance = int(diff(asked, before, again, ()).changed.sum())
    return int(diff(asked, before, after, ()).changed.sum()) > chance + SPREADS * math.sqrt(chance)


def _use(share: int) -> Callable[[Side], float]:
    def of(side: Side) -> float:
        there = side.posted > 0
        return (
            float(np.percentile(100.0 * side.used[there] / side.posted[there], share)) if there.any() else 0.0
        )

    return of


def _largest(side: Side) -> float:
    counts = np.bincount(side.vendor[side.matched], minlength=1)
    return 100.0 * float(counts.max()) / max(1, int(side.matched.sum()))


def _judged(name: str, unit: str, before: float, after: float, noise: float) -> Figure:
    differs = abs(after - before) > noise + 1e-9
    verdict = SAME if not differs else MORE if after > before else LESS
    return Figure(name, unit, round(before, 2), round(after, 2), round(noise, 2), verdict)


OF_POSTED = frozenset({"use_p10", "use_p50", "use_p90", "slack_two_hours"})
MEASURED = frozenset({"solve_ms", "gap"})  # of the machine and the solver: told, and not judged
OTHERS: dict[str, tuple[str, Callable[[Side], float]]] = {
    **{f"use_p{share}": ("%", _use(share)) for share in (10, 50, 90)},
    "largest_share": ("%", _largest),
    "slack_two_hours": ("unit minutes", lambda side: float(side.slack)),
    "solve_ms": ("ms", lambda side: float(side.solve_ms)),
    "gap": ("%", lambda side: 100.0 * (side.cost - side.bound) / max(1, abs(side.cost))),
}
