"""How groups of requests fare beside one another: who waits longer, or goes without a vendor oftener."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from contracts.base import Day, Tally, Wire

MAX_GROUPS = 1_000
Minutes = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, description="0..1")]


class FairnessQuery(Wire):
    """How many groups, those that lie farthest behind first."""

    limit: Annotated[int, Meta(ge=1, le=MAX_GROUPS)] = 100


class GroupFigures(Wire, omit_defaults=False):
    """One group. `asked`: had a first offer or ended without one; `waiting`: have none yet.

    `behind`: how far it lies behind the others, 1 at the floor; what its requests are worth more to the
    matcher follows from it.
    """

    level_of_service: str  # "equipment" for orders
    area: tuple[float, float]  # [lon, lat]: the middle of a square of some 8 km
    asked: Tally
    unmatched: Tally
    waiting: Tally
    wait_minutes: Minutes  # the mean, of those who wait now too
    unmatched_share: Share
    behind: Minutes
    others_wait_minutes: Minutes | None = None  # of all that are not of this group; null: there are none
    others_unmatched_share: Share | None = None


class Fairness(Wire, omit_defaults=False):
    """Groups of the last days (UTC), the farthest behind first; all together; and the floor in force."""

    since: Day
    until: Day
    wait_minutes: Minutes
    unmatched_share: Share
    floor_wait_minutes: Minutes
    floor_unmatched_share: Share
    floor_most: Minutes
    groups: tuple[GroupFigures, ...] = ()
    more: Tally = 0  # groups that are not among these
