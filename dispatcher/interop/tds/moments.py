"""The schema's type `time`: a clock's reading, with an offset or a zone, or by the market's own clock.

`time` is an xsd:dateTime, whose offset may be left out. `timeZoneOffset` is a whole number without a unit:
hours, minutes, or ISO 8601's hhmm (-5, -300, -500). What stands in the dateTime itself counts first.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contracts.base import FIRST_YEAR, LAST_YEAR
from dispatcher.interop.tds.tree import Node

LEXICAL = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?", re.ASCII
)
MOST_OFFSET = 14 * 60  # minutes
QUARTER = 15  # minutes: every offset in use is a multiple
OFFSET, ZONE = "timeZoneOffset", "timeZoneIdentifer"  # as the schema spells it


class Moment(NamedTuple):
    """What a clock showed, and where it says to stand; `node` is where it was read."""

    node: Node
    clock: dt.datetime  # with the offset that stands in it, or without
    offset: int | None = None
    zone: str = ""

    def instants(self, tz: ZoneInfo) -> tuple[dt.datetime, ...]:
        """The instants, in UTC, that it may be: one; two for an hour that comes twice, none for one that is
        skipped. Raises InvalidMessage for what contradicts itself, or a zone that is not known.
        """
        zone = self._zone(tz)
        if self.clock.tzinfo is not None:
            self._refuse_contradiction(zone)
            return (self.clock.astimezone(dt.UTC),)
        if self.offset is not None:
            minutes = self._offset(self.offset, zone)
            return (self.clock.replace(tzinfo=dt.timezone(dt.timedelta(minutes=minutes))).astimezone(dt.UTC),)
        return _readings(self.clock, zone)

    def instant(self, tz: ZoneInfo) -> dt.datetime:
        """The one that it is. Raises InvalidMessage where it is none, or two."""
        found = self.instants(tz)
        if len(found) == 1:
            return found[0]
        how = "comes twice" if found else "is skipped"
        raise self.node.wrong(
            f"{self.clock.isoformat()} {how} on that day in {self.zone or tz.key}\n"
            "Maybe write the offset behind it: 2026-11-01T01:30:00-05:00.",
            "time",
        )

    def _zone(self, tz: ZoneInfo) -> ZoneInfo:
        if not self.zone:
            return tz
        try:
            return ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise self.node.wrong(
                f"{self.zone[:64]!r} is no time zone of the IANA's\n"
                f"Maybe {tz.key}; or leave it out, and write the offset into `time`.",
                ZONE,
            ) from None

    def _refuse_contradiction(self, zone: ZoneInfo) -> None:
        """An instant in UTC is one wherever it is shown; any other offset has to be what is said of it."""
        own = _minutes(self.clock)
        if own == 0:
            return
        there = _minutes(self.clock.astimezone(zone)) if self.zone else own
        if there != own or (self.offset is not None and own not in _meanings(self.offset)):
            said = f"{OFFSET} {self.offset}" if there == own else f"{ZONE} {self.zone}"
            raise self.node.wrong(
                f"{self.clock.isoformat()} has another offset than {said}\nMaybe leave that out.", "time"
            )

    def _offset(self, number: int, zone: ZoneInfo) -> int:
        """Minutes east of UTC. Where a number may mean two things, the one that the clock there shows."""
        meant = _meanings(number)
        shown = [_minutes(each.astimezone(zone)) for each in _readings(self.clock, zone)]
        right = [each for each in shown if each in meant]
        if right or len(meant) == 1:
            return right[0] if right else meant.pop()
        told = f"may be {' or '.join(map(str, sorted(meant)))} minutes" if meant else "is no offset"
        raise self.node.wrong(
            f"{number} {told}\nMaybe leave it out, and write the offset into `time`: -05:00.", OFFSET
        )


def read(node: Node, text: str, offset: int | None, zone: str) -> Moment:
    """What stands in the attributes of a `time`. Raises InvalidMessage."""
    found = LEXICAL.fullmatch(text.strip())
    if found is None:
        raise node.wrong(
            f"{text[:40]!r} is no xsd:dateTime\nMaybe write it as 2026-03-02T10:15:00-05:00.", "time"
        )
    year, month, day, hour, minute = map(int, found.groups()[:5])
    micros = round(float(f"0{found[7]}") * 1_000_000) if found[7] else 0
    midnight = hour == 24 and not minute and not int(found[6] or 0) and not micros
    try:
        clock = dt.datetime(year, month, day, 0 if midnight else hour, minute, int(found[6] or 0))
        clock += dt.timedelta(days=midnight, microseconds=micros)
    except (ValueError, OverflowError) as error:
        raise node.wrong(f"{text[:40]!r} is on no calendar: {error}", "time") from None
    if not FIRST_YEAR < clock.year < LAST_YEAR:  # so it is of those years in any zone
        raise node.wrong(
            f"the year {clock.year} is not taken, {FIRST_YEAR + 1} to {LAST_YEAR - 1} is\n"
            "Maybe it stands for no time at all: then leave the element out.",
            "time",
        )
    return Moment(node, clock.replace(tzinfo=_tz(found[8])) if found[8] else clock, offset, zone.strip())


def _tz(text: str) -> dt.timezone:
    if text == "Z":
        return dt.UTC
    minutes = int(text[1:3]) * 60 + int(text[4:])
    return dt.timezone(dt.timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _meanings(number: int) -> set[int]:
    """Minutes that a bare offset may be: hours, minutes, hhmm."""
    if abs(number) <= MOST_OFFSET // 60:
        return {number * 60}
    hours, minutes = divmod(abs(number), 100)
    as_hhmm = {(hours * 60 + minutes) * (-1 if number < 0 else 1)} if minutes < 60 else set[int]()
    return {each for each in {number} | as_hhmm if abs(each) <= MOST_OFFSET and each % QUARTER == 0}


def _readings(clock: dt.datetime, zone: ZoneInfo) -> tuple[dt.datetime, ...]:
    """The instants at which the clock of a zone shows this."""
    both = {clock.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1)}
    return tuple(sorted(each for each in both if each.astimezone(zone).replace(tzinfo=None, fold=0) == clock))


def _minutes(at: dt.datetime) -> int:
    offset = at.utcoffset()
    assert offset is not None  # noqa: S101  (it has one)
    return int(offset.total_seconds() // 60)
