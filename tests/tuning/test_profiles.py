"""The calendar names hours by the market's clock; a profile lets go of no change that was made by hand."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from contracts.instants import HOUR_MS, to_instant, to_ms
from contracts.tuning_profiles import Profile, Profiles, ProfileStanding, ProfileTime
from dispatcher.domain import recurrence
from dispatcher.domain.refusals import Invalid
from dispatcher.tuning.profiles import begun, next_after, profile_at, refuse_bad, told

NEW_YORK = ZoneInfo("America/New_York")


def at(text: str) -> int:
    return to_ms(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK))


def profile(name: str, **values: float) -> Profile:
    return Profile(name=name, values=dict(values), about="", by="ops", at=to_instant(0))


NIGHT = ProfileTime(
    profile="night",
    rule="FREQ=WEEKLY;BYDAY=FR,SA",
    since=date(2026, 1, 1),
    from_minute=22 * 60,
    until_minute=6 * 60,
)
STORM = ProfileTime(profile="storm", days=(date(2026, 3, 8),))
HOLIDAY = ProfileTime(profile="holiday", holidays="US", from_minute=9 * 60)
CALENDAR = (STORM, NIGHT, HOLIDAY)


@pytest.mark.parametrize(
    ("when", "stands"),
    [
        ("2026-03-06T21:59", ""),  # a Friday
        ("2026-03-06T22:00", "night"),
        ("2026-03-07T05:59", "night"),
        ("2026-03-07T06:00", ""),
        ("2026-03-07T23:59", "night"),
        ("2026-03-08T00:00", "storm"),  # the first time decides, over midnight, too
        ("2026-03-08T23:59", "storm"),
        ("2026-03-09T00:00", ""),
        ("2026-07-04T08:59", ""),  # a Saturday; in 2026 the third is the day off as well
        ("2026-07-03T09:00", "holiday"),
        ("2025-12-26T23:00", ""),  # before the rule's first day
    ],
)
def test_a_profile_stands_in_the_hours_of_its_days_by_the_markets_clock(when: str, stands: str) -> None:
    assert profile_at(CALENDAR, NEW_YORK, at(when)) == stands


def test_a_rule_that_began_long_ago_is_gone_through_once_and_not_for_each_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = list[date]()
    days = recurrence.days

    def counted(rule: Any, start: date, since: date, limit: date) -> Any:
        asked.append(since)
        return days(rule, start, since, limit)

    monkeypatch.setattr(recurrence, "days", counted)
    old = ProfileTime(profile="old", rule="FREQ=WEEKLY;BYDAY=WE", since=date(2001, 5, 2))
    following = next_after((old,), NEW_YORK, at("2026-03-05T12:00"))
    assert following == (at("2026-03-11T00:00"), "old")
    assert len(asked) <= 2


def test_the_night_in_which_the_clock_is_put_forward_ends_at_six_by_the_clock_an_hour_sooner() -> None:
    start_ms = at("2026-03-07T22:00")
    following = next_after((NIGHT,), NEW_YORK, start_ms)
    assert following is not None
    assert (following.at_ms - start_ms, following.profile) == (7 * HOUR_MS, "")
    back = next_after((NIGHT,), NEW_YORK, at("2026-10-31T22:00"))
    assert back is not None
    assert back.at_ms - at("2026-10-31T22:00") == 9 * HOUR_MS


def test_a_day_of_a_storm_has_23_hours_where_the_clock_is_put_forward() -> None:
    found = next_after((STORM,), NEW_YORK, at("2026-03-08T00:00"))
    assert found is not None
    assert found.at_ms - at("2026-03-08T00:00") == 23 * HOUR_MS


def test_an_hour_that_comes_twice_is_covered_both_times() -> None:
    hour = ProfileTime(profile="p", days=(date(2026, 11, 1),), from_minute=60, until_minute=120)
    first = at("2026-11-01T01:30")
    assert [profile_at((hour,), NEW_YORK, first + shift) for shift in (0, HOUR_MS, 2 * HOUR_MS)] == [
        "p",
        "p",
        "",
    ]


def test_what_comes_next_is_told_and_nothing_where_nothing_does() -> None:
    found = next_after(CALENDAR, NEW_YORK, at("2026-03-05T12:00"))
    assert found is not None
    assert (found.at_ms, found.profile) == (at("2026-03-06T22:00"), "night")
    assert next_after((), NEW_YORK, at("2026-03-05T12:00")) is None
    assert next_after((STORM,), NEW_YORK, at("2026-03-09T00:00")) is None


def test_a_profile_is_laid_over_what_stands_and_that_stands_again_when_it_ends() -> None:
    before = {"max_attempts": 3, "price_weight": 2.0}
    standing, values = begun(ProfileStanding(), profile("storm", price_weight=0.5), before)
    assert values == {"max_attempts": 3, "price_weight": 0.5}
    assert begun(standing, None, values) == (ProfileStanding(), before)


def test_one_profile_after_another_is_laid_over_what_stood_before_both() -> None:
    standing, values = begun(ProfileStanding(), profile("storm", price_weight=0.5), {"max_attempts": 3})
    standing, values = begun(standing, profile("holiday", move_limit=1), values)
    assert values == {"max_attempts": 3, "move_limit": 1}
    assert begun(standing, None, values)[1] == {"max_attempts": 3}


def test_what_is_changed_by_hand_meanwhile_stays_but_for_what_is_the_profiles_own_and_that_is_told() -> None:
    storm = profile("storm", price_weight=0.5)
    standing, values = begun(ProfileStanding(), storm, {"max_attempts": 3, "move_limit": 1})
    by_hand = {"price_weight": 0.7, "max_attempts": 5}  # move_limit goes back to its default
    assert begun(standing, None, by_hand)[1] == {"max_attempts": 5}
    assert (
        told(standing, None, by_hand)
        == "profile normal, by the calendar; undone of what was set by hand: price_weight"
    )
    assert told(standing, None, values) == "profile normal, by the calendar"


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (
            {"profile": "rain", "days": (date(2026, 3, 8),)},
            "the calendar names profile rain\nMaybe one of: storm",
        ),
        ({"profile": "storm", "rule": "FREQ=HOURLY", "since": date(2026, 1, 1)}, "FREQ=HOURLY"),
        ({"profile": "storm", "holidays": "ZZ"}, "public holidays of ZZ are not known"),
    ],
)
def test_a_calendar_that_cannot_be_meant_is_refused_in_words(bad: dict[str, object], words: str) -> None:
    time = ProfileTime(**bad)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match=words):
        refuse_bad(Profiles(profiles=(profile("storm"),), calendar=(time,)), NEW_YORK)


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"rule": "FREQ=DAILY"},
        {"since": date(2026, 1, 1), "holidays": "US"},
        {"days": (date(2026, 3, 8),), "from_minute": 1440},
        {"days": (date(1, 1, 1),)},
    ],
)
def test_a_time_that_names_no_day_or_half_a_rule_is_none(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"names no day|rule|begins|no calendar"):
        ProfileTime(profile="storm", **bad)  # type: ignore[arg-type]
