"""The share of a vendor's work that went well, as it enters matching: damped, so that nobody spirals out.

Counted by day, and a day counts for half after some days: who had a bad week comes back. Few counts say
little: a vendor is taken for the market's mean until its own say otherwise. Hard work that was done, however
late, is a credit; to decline it is a decline. What nobody is to blame for counts for nobody, unless one
vendor says so far oftener than the others. And a scorecard makes nobody dearer than tuning allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Final, NamedTuple

from contracts.codes import LevelOfService
from contracts.tuning import Number, Parameter
from dispatcher.domain.scorecards import BADLY, BLAMELESS, Hard, Outcome, VendorLevel, among
from solvers.rules.scorecard import CENTS, UNKNOWN
from solvers.screening import ALL_OTHERS

HALF_LIFE = Parameter(
    name="scorecard_half_life_days",
    default=5,
    minimum=1,
    maximum=60,
    unit="days",
    summary="What became of a vendor's work counts half as much in matching after so many days.",
    scope="domain.damping",
)
PRIOR = Parameter(
    name="scorecard_prior_works",
    default=20,
    minimum=0,
    maximum=1_000,
    unit="works",
    summary="A vendor is taken for the market's mean as if it had so many more pieces of work like that.",
    scope="domain.damping",
)
MOST = Parameter(
    name="scorecard_most_cents",
    default=500,
    minimum=0,
    maximum=100_000,
    unit="cents",
    summary="A scorecard makes a vendor dearer than one of the market's mean by this at the most.",
    scope="domain.damping",
)
EXCUSED = Parameter(
    name="scorecard_excused_times",
    default=3.0,
    minimum=0.0,
    maximum=100.0,
    unit="ratio",
    summary="Declines for no fault of the vendor's count against it beyond so many times the others' share.",
    scope="domain.damping",
)


def _credit(kind: str, about: str) -> Parameter:
    return Parameter(
        name=f"scorecard_{kind}_credit",
        default=0.5,
        minimum=0.0,
        maximum=5.0,
        unit="works",
        summary=f"Done work {about} counts as so much more that went well.",
        scope="domain.damping",
    )


CREDITS: Final[Mapping[str, Parameter]] = {
    "stretcher": _credit("stretcher", "on a stretcher"),
    "bariatric": _credit("bariatric", "for a bariatric passenger"),
    "far": _credit("far", "over a long way"),
    "night": _credit("night", "by night"),
}
PARAMETERS = (HALF_LIFE, PRIOR, MOST, EXCUSED, *CREDITS.values())
WELL: Final = (Outcome.ON_TIME, Outcome.NO_SHOW)
DONE: Final = (*WELL, Outcome.LATE, Outcome.DONE)
HARD_LEVELS: Final[Mapping[str, str]] = {
    LevelOfService.STRETCHER.value: "stretcher",
    LevelOfService.BARIATRIC_WHEELCHAIR.value: "bariatric",
}
_DONE_NAMES: Final = frozenset(each.value for each in DONE)
_HARD: Final = {kind: 3 + nth for nth, kind in enumerate(CREDITS)}  # where it stands beside the three others
_FIELDS: Final = 3 + len(CREDITS)
_ADDS: Final[Mapping[str, tuple[int, ...]]] = {  # by the name of a count; a name for each is looked up once
    **{each.value: (0,) for each in WELL},
    **{each.value: (1,) for each in BADLY},
    **{f"{Outcome.DECLINED.value}.{code.value}": (2,) for code in BLAMELESS},
    **{among(one.value, each): (_HARD[str(each.name).lower()],) for one in DONE for each in Hard},
}
_HALVINGS: Final = 6  # after so many, what is left says nothing any more
_ONE_EXCUSE: Final = 1.0  # has everybody, whatever the others say


class DayWork(NamedTuple):
    """What became of one vendor's work on one day."""

    well: float = 0
    badly: float = 0
    excused: float = 0  #: declined for a reason that is the request's, the data's or the weather's
    hard: Mapping[str, float] = {}  #: done, by what made it hard: a key of CREDITS


Days = Mapping[date, Mapping[str, DayWork]]  #: by vendor, of each day


def works_of(counts: Mapping[VendorLevel, Mapping[str, int]]) -> dict[str, DayWork]:
    """By vendor, from the counts of a day by vendor and level.

    Well: done on time, or the patient was not there. What was declined for a reason that is the request's,
    the data's or the weather's is excused. An acceptance counts for nobody, for its work is still to come;
    nor does work that was done early by its end alone, but for its credit.
    """
    sums = dict[str, list[int]]()
    for whose, card in counts.items():
        own = sums.setdefault(whose.vendor_id, [0] * _FIELDS)
        hard = HARD_LEVELS.get(whose.level)
        for name, count in card.items():
            for field in _ADDS.get(name, ()):
                own[field] += count
            if hard is not None and name in _DONE_NAMES:
                own[_HARD[hard]] += count
    return {name: _day_work(each) for name, each in sums.items()}


def _day_work(sums: Sequence[int]) -> DayWork:
    well, badly, excused, *hard = sums
    return DayWork(
        well, max(0, badly - excused), excused, {kind: n for kind, n in zip(_HARD, hard, strict=True) if n}
    )


class Sum(NamedTuple):
    """Of one vendor, each day for what it counts."""

    well: float = 0.0
    badly: float = 0.0
    excused: float = 0.0
    credit: float = 0.0

    @property
    def known(self) -> float:
        """Works."""
        return self.well + self.badly


Sums = Mapping[str, Sum]


def days_that_count(values: Mapping[str, Number]) -> int:
    """How many days back anything counts for something."""
    return _HALVINGS * HALF_LIFE.whole(values)


def damped(days: Days, today: date, values: Mapping[str, Number]) -> dict[str, float]:
    """The share that is taken to go well, 0..1, by vendor; of every other vendor under `ALL_OTHERS`.

    Empty where nobody's work is known.
    """
    return shares_of(summed(days, today, values), values)


def summed(
    days: Days, today: date, values: Mapping[str, Number], before: Sums = MappingProxyType({})
) -> dict[str, Sum]:
    """By vendor; `before`: a sum of other days, to be added."""
    half_life, credits = HALF_LIFE.of(values), {kind: each.of(values) for kind, each in CREDITS.items()}
    found = {name: list(each) for name, each in before.items()}
    for day, works in days.items():
        counts = 2.0 ** (-max(0, (today - day).days) / half_life)
        for vendor, (well, badly, excused, hard) in works.items():
            own = found.get(vendor)
            if own is None:
                own = found[vendor] = [0.0] * len(Sum._fields)
            own[0] += counts * well
            own[1] += counts * badly
            own[2] += counts * excused
            for kind, number in hard.items():
                own[3] += counts * credits.get(kind, 0.0) * number
    return {name: Sum(*each) for name, each in found.items()}


def shares_of(sums: Sums, values: Mapping[str, Number]) -> dict[str, float]:
    """As `damped`."""
    whole = Sum(*map(sum, zip(*sums.values(), strict=True))) if sums else Sum()
    if not whole.known:
        return {}
    mean = _shrunk(whole, UNKNOWN.of(values), PRIOR.of(values))
    least = mean - MOST.of(values) / max(1.0, CENTS.of(values))
    found = {name: max(least, _of_one(each, whole, mean, values)) for name, each in sums.items()}
    return {ALL_OTHERS: mean, **found}


def _of_one(own: Sum, whole: Sum, mean: float, values: Mapping[str, Number]) -> float:
    excess = max(0.0, own.excused - _ONE_EXCUSE - EXCUSED.of(values) * _excused_by_others(own, whole))
    return _shrunk(own._replace(badly=own.badly + excess), mean, PRIOR.of(values))


def _excused_by_others(own: Sum, whole: Sum) -> float:
    """How much of it would be excused if it were as with the others."""
    known, excused = whole.known - own.known, whole.excused - own.excused
    return (own.known + own.excused) * excused / (known + excused) if known + excused > 0 else 0.0


def _shrunk(own: Sum, mean: float, prior: float) -> float:
    well = own.well + own.credit
    total = well + own.badly + prior
    return (well + prior * mean) / total if total else mean


def penalties(shares: Mapping[str, float], values: Mapping[str, Number]) -> dict[str, int]:
    """Cents that each vendor's scorecard adds to what a match with it costs."""
    return {name: round((1.0 - share) * CENTS.of(values)) for name, share in shares.items()}
