"""Which profile the calendar has at a moment, and what the tuning becomes by it. Time is an argument."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from contracts.instants import to_instant
from contracts.local_day import DAY_MINUTES, LocalDay
from contracts.tuning import Value
from contracts.tuning_profiles import NORMAL, Profile, Profiles, ProfileStanding, ProfileTime
from dispatcher.domain import recurrence
from dispatcher.domain.refusals import Invalid

TOGETHER_DAYS = 64  # of a rule, found at once
AHEAD_DAYS = 15  # looked through for what comes next


class Next(NamedTuple):
    """What stands from `at_ms` on; "": none."""

    at_ms: int
    profile: str


def refuse_bad(profiles: Profiles, tz: ZoneInfo) -> None:
    """Raises Invalid for times of a profile that is not there, and for rules and countries not known."""
    known = {each.name for each in profiles.profiles}
    for each in profiles.calendar:
        if each.profile not in known:
            told = ", ".join(sorted(known)) or "there is none yet"
            raise Invalid(f"the calendar names profile {each.profile}\nMaybe one of: {told}.")
        if each.rule:
            recurrence.read(each.rule, tz)
        if each.holidays:
            recurrence.holidays_of(*_country(each.holidays))


def profile_at(calendar: Iterable[ProfileTime], tz: ZoneInfo, now_ms: int) -> str:
    """The profile of the first time that covers the moment; "": none does."""
    today = to_instant(now_ms).astimezone(tz).date()
    for each in calendar:
        if any(start_ms <= now_ms < end_ms for start_ms, end_ms in _spans(each, tz, today)):
            return each.profile
    return ""


def next_after(calendar: Sequence[ProfileTime], tz: ZoneInfo, now_ms: int) -> Next | None:
    """When the calendar has another profile next, within AHEAD_DAYS."""
    now, today = profile_at(calendar, tz, now_ms), to_instant(now_ms).astimezone(tz).date()
    days = [today + timedelta(days=number) for number in range(AHEAD_DAYS)]
    spans = [span for each in calendar for day in days for span in _spans(each, tz, day)]
    for at_ms in sorted({edge for span in spans for edge in span if edge > now_ms}):
        found = profile_at(calendar, tz, at_ms)
        if found != now:
            return Next(at_ms, found)
    return None


def begun(
    standing: ProfileStanding, profile: Profile | None, overrides: Mapping[str, Value]
) -> tuple[ProfileStanding, dict[str, Value]]:
    """What stands once this profile does (None: none), and the overrides then.

    What was changed by hand meanwhile stays changed; but for what the profile that ends had laid over: that
    goes with it.
    """
    normal = _normal(standing, overrides)
    if profile is None:
        return ProfileStanding(), normal
    after = ProfileStanding(profile=profile.name, values=profile.values, normal=normal)
    return after, normal | profile.values


def told(standing: ProfileStanding, profile: Profile | None, overrides: Mapping[str, Value]) -> str:
    """Why a version was made, for who reads the versions."""
    lost = sorted(name for name in by_hand(standing, overrides) if name in standing.values)
    named = f"profile {profile.name if profile else NORMAL}, by the calendar"
    return f"{named}; undone of what was set by hand: {', '.join(lost)}"[:200] if lost else named


def by_hand(standing: ProfileStanding, overrides: Mapping[str, Value]) -> set[str]:
    """Parameters that are not as the profile that stands left them."""
    if not standing.profile:
        return set()
    made = standing.normal | standing.values
    return {name for name in made.keys() | overrides.keys() if made.get(name) != overrides.get(name)}


def _normal(standing: ProfileStanding, overrides: Mapping[str, Value]) -> dict[str, Value]:
    if not standing.profile:
        return dict(overrides)
    normal = dict(standing.normal)
    for name in by_hand(standing, overrides):
        if name in standing.values:
            continue
        normal.pop(name, None)
        if name in overrides:
            normal[name] = overrides[name]
    return normal


def _spans(time: ProfileTime, tz: ZoneInfo, day: date) -> list[tuple[int, int]]:
    """The instants of a day that it covers: its own hours, and those of the day before over midnight."""
    found, over = LocalDay.of(day, tz), time.until_minute <= time.from_minute
    spans = []
    if _has(time, tz, day):
        spans += found.instants(time.from_minute, DAY_MINUTES if over else time.until_minute)
    if over and _has(time, tz, day - timedelta(days=1)):
        spans += found.instants(0, time.until_minute)
    return spans


@lru_cache(maxsize=8_192)
def _has(time: ProfileTime, tz: ZoneInfo, day: date) -> bool:
    if day in time.days:
        return True
    if time.holidays and recurrence.holidays_of(*_country(time.holidays))(day):
        return True
    if not time.rule or time.since is None or day < time.since:
        return False
    return day in _days_of(time.rule, time.since, tz, day.toordinal() // TOGETHER_DAYS)


@lru_cache(maxsize=1_024)
def _days_of(rule: str, since: date, tz: ZoneInfo, block: int) -> frozenset[date]:
    """The days of a rule in a block of them: to find one, all since the first are gone through."""
    first = date.fromordinal(max(1, block * TOGETHER_DAYS))
    last = date.fromordinal((block + 1) * TOGETHER_DAYS - 1)
    return frozenset(recurrence.days(recurrence.read(rule, tz), since, first, last))


def _country(text: str) -> tuple[str, str]:
    country, _, part = text.partition("-")
    return country, part
