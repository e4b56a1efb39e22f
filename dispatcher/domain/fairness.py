"""The fairness floor: no group of requests waits, or goes without a vendor, much more than all others do.

A group is a level of service in an area. How its requests fared is counted by day, in the commit of what
became of them; who falls behind the others is worth more to the matcher, the more the farther behind, so
that none falls behind by more than tuning allows. Few requests say little: a group is taken for the others
until its own say otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from contracts.geo import Position
from contracts.instants import MINUTE_MS, to_instant
from contracts.requests import Request
from contracts.tuning import Number, Parameter
from dispatcher.domain.coarse_position import coarse_position

WAIT = Parameter(
    name="fairness_wait_minutes",
    default=30,
    minimum=1,
    maximum=1_440,
    unit="minutes",
    summary="A group of requests (level, area) may wait so much longer for an offer than all others.",
    scope="domain.fairness",
)
UNMATCHED = Parameter(
    name="fairness_unmatched_share",
    default=0.1,
    minimum=0.01,
    maximum=1.0,
    unit="share",
    summary="So much more of a group of requests may go without a vendor than of the others.",
    scope="domain.fairness",
)
MOST = Parameter(
    name="fairness_most",
    default=1.0,
    minimum=0.0,
    maximum=20.0,
    unit="ratio",
    summary="A group counts as behind by so many times what it may be, and no more; 0: there is no floor.",
    scope="domain.fairness",
)
PARAMETERS = (WAIT, UNMATCHED, MOST)
CELLS: Final = (
    4  # zone cells to a side of an area, some 8 km: in one alone there are too few requests to tell
)
DAYS: Final = 7  # back, today among them
_PLACES: Final = 20_000  # that are kept in memory
_LEAST: Final = 0.05  # of the floor
_AS_THE_OTHERS: Final = 20  # requests like the others' mean that are added to a group's own
EQUIPMENT: Final = "equipment"


class GroupCount(msgspec.Struct, frozen=True):
    """One more request of a group that had its first offer, or none at its end. `day`: yyyy-mm-dd, UTC."""

    day: str
    group: str
    waited_s: int = 0
    unmatched: bool = False
    asked: bool = True  # False: it was counted with its first offer


class Fared(NamedTuple):
    """How a group's requests fared: those that had an offer or ended, and those that wait now."""

    asked: int = 0
    unmatched: int = 0
    waited_s: int = 0

    def plus(self, other: Fared) -> Fared:
        """Both together."""
        return Fared(*map(sum, zip(self, other, strict=True)))

    def less(self, other: Fared) -> Fared:
        """Without those."""
        return Fared(*(one - some for one, some in zip(self, other, strict=True)))

    @property
    def wait_min(self) -> float:
        """Mean minutes."""
        return self.waited_s / 60 / self.asked if self.asked > 0 else 0.0

    @property
    def share_unmatched(self) -> float:
        """0..1."""
        most = max(self.asked, self.unmatched)  # its first offer may have been by hand, or before these days
        return self.unmatched / most if most > 0 else 0.0


Groups = Mapping[str, Fared]


def group_of(request: Request) -> str:
    """Level of service (or equipment) and area: `wheelchair@-73.98214,40.752`."""
    level = request.service_class.value if request.is_trip else EQUIPMENT
    return f"{level}@{_area(request.doors[0])}"


@lru_cache(_PLACES)
def _area(position: Position) -> str:
    """By the zone cell that a door lies in, which is all that the board knows of it: both name one area.

    A matcher asks of each request that waits, again and again.
    """
    lon, lat = coarse_position(coarse_position(position), CELLS)
    return f"{lon},{lat}"


def parts_of(group: str) -> tuple[str, Position]:
    """Level and the middle of the area. Raises ValueError for what is no group."""
    level, _, area = group.partition("@")
    lon, lat = area.split(",")
    return level, (float(lon), float(lat))


def is_group(name: str) -> bool:
    """Whether it is the name of one: what was written by hand may not be."""
    try:
        level, (lon, lat) = parts_of(name)
    except ValueError:
        return False
    return bool(level) and abs(lon) <= 180 and abs(lat) <= 90


def first_offer(group: str, waited_ms: int, now_ms: int) -> GroupCount:
    """A request of the group has its first offer."""
    return GroupCount(day_of(now_ms), group, waited_ms // 1000)


def left_out(group: str, now_ms: int, *, offered: bool) -> GroupCount:
    """One has ended without a vendor; `offered`: some vendor was asked."""
    return GroupCount(day_of(now_ms), group, unmatched=True, asked=not offered)


def day_of(at_ms: int) -> str:
    """The UTC day of a moment."""
    return f"{to_instant(at_ms):%Y-%m-%d}"


def days(now_ms: int) -> tuple[str, ...]:
    """Those whose counts are looked at, the first first."""
    return tuple(day_of(now_ms - ago * 24 * 60 * MINUTE_MS) for ago in reversed(range(DAYS)))


def with_waiting(counted: Groups, waiting: Mapping[str, list[int]]) -> dict[str, Fared]:
    """And with those that wait now: for how long, ms, by group. They may yet be offered."""
    open_now = {name: Fared(len(each), 0, sum(each) // 1000) for name, each in waiting.items()}
    return {**counted, **{name: counted.get(name, Fared()).plus(each) for name, each in open_now.items()}}


def together(groups: Groups) -> Fared:
    """All of them."""
    return Fared(*map(sum, zip(*groups.values(), strict=True))) if groups else Fared()


def behind(
    groups: Groups, values: Mapping[str, Number], names: Collection[str] | None = None
) -> dict[str, float]:
    """How far each group lies behind the others: 1 at the floor. What is next to nothing is nothing.

    `names`: those that are asked for, if not all are.

    It weighs long before the floor, and in full there: so that none comes to lie beyond it.
    """
    most = MOST.of(values)
    whole = together(groups)
    asked = groups if names is None else {name: groups[name] for name in names}
    found = {name: min(most, _times(own, whole.less(own), values)) for name, own in asked.items()}
    return {name: round(times, 3) for name, times in found.items() if times >= min(most, _LEAST) > 0}


def _times(own: Fared, others: Fared, values: Mapping[str, Number]) -> float:
    if others.asked <= 0:
        return 0.0
    counts = own.asked / (own.asked + _AS_THE_OTHERS)
    waits = counts * (own.wait_min - others.wait_min) / WAIT.of(values)
    left = counts * (own.share_unmatched - others.share_unmatched) / UNMATCHED.of(values)
    return max(waits, left)
