"""Tuning: every parameter is declared once, beside the code that reads it, with default, bounds and unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.base import Instant, Version, Wire

Number = int | float


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

    def problem(self, value: Number) -> str | None:
        """What is wrong with a value, or None."""
        if isinstance(value, bool) or not self.minimum <= value <= self.maximum:
            return f"{self.name} {value!r} is outside {self.minimum}..{self.maximum} {self.unit}"
        if isinstance(self.default, int) and not float(value).is_integer():
            return f"{self.name} {value!r} is not a whole number of {self.unit}"
        return None


class TuningUpdate(Wire):
    """What ops send: the whole set of overrides; what is left out goes back to its default."""

    values: Annotated[dict[str, Number], Meta(max_length=200)]
    reason: Annotated[str, Meta(max_length=200)] = ""


class ParameterView(Wire, omit_defaults=False):
    """A parameter and its value in force."""

    name: str
    value: Number
    default: Number
    minimum: Number
    maximum: Number
    unit: str
    summary: str
    scope: str


class Tuning(Wire, omit_defaults=False):
    """A market's tuning, as stored: overrides by name, under a version that every match carries."""

    version: Version = 0
    values: dict[str, Number] = msgspec.field(default_factory=dict)
    by: str = ""
    reason: str = ""
    at: Instant | None = None


class TuningView(Wire, omit_defaults=False):
    """A market's tuning, as read: version, audit, and every parameter with its value."""

    version: Version
    by: str
    reason: str
    at: Instant | None
    parameters: tuple[ParameterView, ...]


def problems(values: Mapping[str, Number], parameters: Iterable[Parameter]) -> list[str]:
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
}


def renamed(values: Mapping[str, Number]) -> dict[str, Number]:
    """The same overrides under the parameters' present names."""
    return {RENAMED.get(name, name): value for name, value in values.items()}


def both_names(values: Mapping[str, Number]) -> list[tuple[str, str]]:
    """Overrides given under an earlier name and under the present one, too."""
    return [(old, new) for old, new in RENAMED.items() if old in values and new in values]
