"""Profiles of tuning (storm, holiday), laid over what stands at the hours that a calendar names."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.base import Day, Id, Instant, Version, Wire, refuse_odd_day
from contracts.patterns import whole
from contracts.tuning import Sent, Value
from contracts.vendors import MinuteOfDay

MOST_PROFILES, MOST_TIMES = 20, 100
NORMAL = "normal"  # as is said of what stands while no profile does
Country = Annotated[
    str, Meta(pattern=whole("([A-Z]{2}(-[A-Z0-9]{1,3})?)?"), description="ISO 3166, with its part: US, US-NY")
]


class ProfileTime(Wire):
    """Hours of some days, by the market's clock, in which a profile stands.

    The days are named, come again by an RFC 5545 rule from `since` on, or are public holidays. Hours that end
    no later than they begin go over midnight, and belong to the day on which they begin.
    """

    profile: Id
    days: Annotated[tuple[Day, ...], Meta(max_length=366)] = ()
    rule: Annotated[str, Meta(max_length=200, description="RFC 5545: FREQ=WEEKLY;BYDAY=SA,SU")] = ""
    since: Day | None = None  # of the rule
    holidays: Country = ""
    from_minute: MinuteOfDay = 0
    until_minute: MinuteOfDay = 1440

    def __post_init__(self) -> None:
        """Refuse what names no day, and a rule without its first one."""
        if not (self.days or self.rule or self.holidays):
            raise ValueError(f"a time of {self.profile} names no day\nMaybe give days, a rule, or holidays.")
        if bool(self.rule) is not (self.since is not None):
            raise ValueError(
                f"a time of {self.profile} has a rule without `since`, or the other way\nBoth go together."
            )
        if self.from_minute == 1440:
            raise ValueError(
                f"a time of {self.profile} begins when its day ends\nMaybe from_minute 0 of the next."
            )
        for each in (*self.days, *filter(None, (self.since,))):
            refuse_odd_day("a day", each)


class ProfileUpdate(Wire):
    """What a profile changes while it stands; all else stays as it is."""

    values: Annotated[dict[str, Sent], Meta(min_length=1, max_length=200)]
    about: Annotated[str, Meta(max_length=200)] = ""


class CalendarUpdate(Wire):
    """The whole calendar; of two times that cover a moment the first decides."""

    times: Annotated[
        tuple[ProfileTime, ...],
        Meta(
            max_length=MOST_TIMES,
            extra_json_schema={"examples": [[{"profile": "storm", "days": ["2026-02-01"]}]]},
        ),
    ]


class Profile(Wire, omit_defaults=False):
    """A profile, as stored and as read."""

    name: Id
    values: dict[str, Value]
    about: str
    by: str
    at: Instant


class Profiles(Wire, omit_defaults=False):
    """What ops has written down: profiles by name, and the calendar."""

    profiles: tuple[Profile, ...] = ()
    calendar: tuple[ProfileTime, ...] = ()


class ProfileStanding(Wire, omit_defaults=False):
    """Which profile stands, as the service noted when it began; "": none.

    `values`: what it laid over `normal`, which are the overrides that stand again when it ends.
    """

    profile: str = ""
    version: Version = 0
    at: Instant | None = None
    values: dict[str, Value] = msgspec.field(default_factory=dict)
    normal: dict[str, Value] = msgspec.field(default_factory=dict)


class ByHand(Wire, omit_defaults=False):
    """The tuning was changed since the profile began: that stands, until the profile ends."""

    version: Version
    by: str
    at: Instant | None


class ProfilesView(Wire, omit_defaults=False):
    """Profiles, calendar, what stands now and what comes next. Its version is the ETag of both.

    `due`: what the calendar says of this moment; it stands within seconds. `next_at`, `next`: when that is
    another, within two weeks.
    """

    version: Version
    profiles: tuple[Profile, ...]
    calendar: tuple[ProfileTime, ...]
    standing: str
    since: Instant | None
    due: str
    next_at: Instant | None
    next: str
    by_hand: ByHand | None = None
