"""Tuning: every parameter is declared once, beside the code that reads it, with default, bounds and unit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.base import Id, Instant, Version, Wire
from contracts.event_types import event
from contracts.streams import To

Number = int | float
Words = tuple[str, ...]
Value = Number | Words
Sent = Number | Annotated[tuple[Annotated[str, Meta(max_length=64)], ...], Meta(max_length=200)]
ALL = "*"


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One number that ops may set. `scope` names the part that reads it."""

    name: str
    default: Number
    minimum: Number
    maximum: Number
    unit: str
    summary: str
    scope: str

    def of(self, values: Mapping[str, Number]) -> Number:
        """The value in force: what ops set, otherwise the default."""
        return values.get(self.name, self.default)

    def whole(self, values: Mapping[str, Number]) -> int:
        """The value in force as a whole number (bounds and unit are whole)."""
        return int(self.of(values))

    def problem(self, value: Value) -> str | None:
        """What is wrong with a value, or None."""
        if isinstance(value, bool | tuple) or not self.minimum <= value <= self.maximum:
            return f"{self.name} {value!r} is outside {self.minimum}..{self.maximum} {self.unit}"
        if isinstance(self.default, int) and not float(value).is_integer():
            return f"{self.name} {value!r} is not a whole number of {self.unit}"
        return None


class Prefixes(msgspec.Struct, frozen=True, kw_only=True):
    """A list of codes, or of what codes begin with, that ops may set; none by default. `*` is every code."""

    name: str
    form: re.Pattern[str]  # of each, as a whole
    maximum: int  # so many at most
    unit: str
    summary: str
    scope: str
    default: Words = ()
    minimum: int = 0

    def of(self, lists: Mapping[str, Words]) -> Words:
        """The list in force."""
        return lists.get(self.name, self.default)

    def has(self, code: str, lists: Mapping[str, Words]) -> bool:
        """Whether the list in force names a code, or what it begins with."""
        return any(each == ALL or code.startswith(each) for each in self.of(lists))

    def problem(self, value: Value) -> str | None:
        """What is wrong with a value, or None."""
        if not isinstance(value, tuple):
            return f"{self.name} {value!r} is no list of {self.unit}"
        if len(value) > self.maximum:
            return f"{self.name} has {len(value)} {self.unit}; {self.maximum} is the limit"
        wrong = [each for each in value if each != ALL and not self.form.fullmatch(each)]
        return f"{self.name} has {wrong[0]!r}, which is none of: {self.unit}, *" if wrong else None


Tunable = Parameter | Prefixes


class TuningUpdate(Wire):
    """What ops send: the whole set of overrides; what is left out goes back to its default."""

    values: Annotated[dict[str, Sent], Meta(max_length=200)]
    reason: Annotated[str, Meta(max_length=200)] = ""
    what_if: Id | None = None  # the what-if that showed what it would do


class ParameterView(Wire, omit_defaults=False):
    """A parameter and its value in force. The bounds of a list are of how many it has."""

    name: str
    value: Value
    default: Value
    minimum: Number
    maximum: Number
    unit: str
    summary: str
    scope: str


class Made(StrEnum):
    """How a version of the tuning came to be."""

    SENT = "sent"  # somebody sent it
    RESTORED = "restored"  # somebody brought back an earlier version
    PROFILE = "profile"  # the calendar began a profile, or ended it
    CANDIDATE = "candidate"  # it is tried in some hours only, by a canary
    CANARY = "canary"  # a canary began beside it, or ended: the values are those of before


class Tuning(Wire, omit_defaults=False):
    """A market's tuning, as stored: overrides by name, under a version that every match carries."""

    version: Version = 0
    values: dict[str, Number] = msgspec.field(default_factory=dict)
    by: str = ""
    reason: str = ""
    at: Instant | None = None
    lists: dict[str, Words] = msgspec.field(default_factory=dict)
    what_if: str = ""
    made: Made = Made.SENT
    source: str = ""  # the version that was restored, the profile, the canary's version

    @property
    def overrides(self) -> dict[str, Value]:
        """Numbers and lists together, by name."""
        return {**self.values, **self.lists}


class TuningView(Wire, omit_defaults=False):
    """A market's tuning, as read: version, audit, and every parameter with its value.

    `in_force`: the version that decides this moment; another one in a canary's hours.
    """

    version: Version
    by: str
    reason: str
    at: Instant | None
    parameters: tuple[ParameterView, ...]
    what_if: str = ""
    made: Made = Made.SENT
    source: str = ""
    in_force: Version = 0


@event("dispatch.tuning.changed", to=To.EVENTS)
class TuningChanged(Wire):
    """A market's tuning is another; `before` is 0 for the first."""

    version: Version
    before: Version
    by: str
    made: Made
    source: str = ""


def problems(values: Mapping[str, Value], parameters: Iterable[Tunable]) -> list[str]:
    """All that is wrong with a set of overrides: unknown names, values out of bounds."""
    known = {parameter.name: parameter for parameter in parameters}
    unknown = [f"{name} is no parameter" for name in values if name not in known]
    found = [known[name].problem(value) for name, value in values.items() if name in known]
    return unknown + [text for text in found if text]


RENAMED: Mapping[str, str] = {  # names of before; they are still taken, and stored under the present ones
    "urgent_lead_minutes": "imminent_lead_minutes",
    "batch_patience_s": "batch_timeout_s",
    "batch_patience_share": "batch_timeout_share",
    "record_cents": "scorecard_cents",
    "record_unknown": "scorecard_unknown",
    "record_least_works": "scorecard_least_works",
    "authorization_equipment": "authorization_hcpcs",
}
SWITCHES: Mapping[str, Mapping[Value, Words]] = {  # of before, that are lists now
    "authorization_equipment": {0: (), 1: (ALL,)},
}


def renamed(values: Mapping[str, Value]) -> dict[str, Value]:
    """The same overrides under the parameters' present names; what was a switch, as the list that it is."""
    return {RENAMED.get(name, name): SWITCHES.get(name, {}).get(each, each) for name, each in values.items()}


def parted(values: Mapping[str, Value]) -> tuple[dict[str, Number], dict[str, Words]]:
    """Numbers and lists, each by itself."""
    numbers = {name: each for name, each in values.items() if not isinstance(each, tuple)}
    return numbers, {name: each for name, each in values.items() if isinstance(each, tuple)}


def both_names(values: Mapping[str, Value]) -> list[tuple[str, str]]:
    """Overrides given under an earlier name and under the present one, too."""
    return [(old, new) for old, new in RENAMED.items() if old in values and new in values]
