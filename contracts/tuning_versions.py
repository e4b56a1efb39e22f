"""Versions of a market's tuning: each that was made is kept for a while; listed, compared, brought back."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from contracts.base import Id, Instant, Version, Wire
from contracts.paging import PageSize
from contracts.tuning import Made, Value

KEPT_VERSIONS = 200
VersionNumber = Annotated[int, Meta(ge=1, le=999_999_999, description="a version of the tuning")]
Why = Annotated[
    str, Meta(min_length=1, max_length=200, description="why; whoever reads the versions sees it")
]


class ParameterChange(Wire, omit_defaults=False):
    """One parameter that is another in one version than in the other."""

    name: str
    before: Value
    after: Value
    default: Value
    unit: str
    summary: str
    scope: str


class TuningVersion(Wire, omit_defaults=False):
    """One version: who made it and why, its overrides, and what it changed of the version before.

    `changes` is null where the version before is not kept any more.
    """

    version: Version
    by: str
    reason: str
    at: Instant | None
    made: Made
    source: str
    what_if: str
    values: dict[str, Value]
    changes: tuple[ParameterChange, ...] | None


class VersionQuery(Wire):
    """A page of the versions, the newest first; `before`: those below this one."""

    before: VersionNumber | None = None
    limit: PageSize = 50


class TuningVersions(Wire, omit_defaults=False):
    """Versions, the newest first; `next`: what `before` is for the next page, null on the last."""

    current: Version
    versions: tuple[TuningVersion, ...] = ()
    next: Version | None = None


class DiffQuery(Wire):
    """Against which version; left out: the one that stands now."""

    to: VersionNumber | None = None


class TuningDiff(Wire, omit_defaults=False):
    """What changes from one version to another; nothing where both mean the same."""

    before: Version
    after: Version
    changes: tuple[ParameterChange, ...] = ()


class Restore(Wire):
    """An earlier version is to be in force again, as a new one."""

    reason: Why
    what_if: Id | None = None
