"""Shadow: a candidate tuning plans each batch beside the one in force; nothing of it is ever offered."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from contracts.base import Id, Instant, Tally, Version, Wire
from contracts.tuning import Sent, Value
from contracts.tuning_versions import ParameterChange, Why

RECENT, EXAMPLES = 30, 10  # batches that are kept by themselves; requests that are named of each


class ShadowKind(StrEnum):
    """What becomes of a request."""

    MOVED = "moved"  # to another vendor, or another start
    GAINED = "gained"  # it has a vendor that had none
    LOST = "lost"


class ShadowUpdate(Wire):
    """A candidate to plan beside what is in force; overrides as for PUT …/tuning."""

    values: Annotated[dict[str, Sent], Meta(max_length=200)]
    reason: Why
    what_if: Id | None = None


class Shadow(Wire, omit_defaults=False):
    """The candidate, as stored."""

    values: dict[str, Value]
    by: str
    reason: str
    at: Instant
    what_if: str = ""


class ShadowHeld(Wire, omit_defaults=False):
    """What is stored: the candidate, if there is one."""

    shadow: Shadow | None = None


class ShadowRow(Wire, omit_defaults=False):
    """One request that the candidate plans otherwise; `anyway`: another seed alone moves it, too.

    `cents`, `minutes`: of a move, by how much its price and its start change. `reason`: the cost term that
    falls most, or the rule.
    """

    request_id: Id
    kind: ShadowKind
    vendor: str
    instead_of: str
    cents: int
    minutes: int
    reason: str
    anyway: bool


class ShadowBatch(Wire, omit_defaults=False):
    """One batch under both tunings. Both are planned anew with the same few steps of work: it is their
    difference that counts, not how good either plan is. `anyway`: so many change by another seed alone.
    """

    at: Instant
    tuning_version: Version
    requests: Tally
    moved: Tally
    gained: Tally
    lost: Tally
    anyway: Tally
    cents: int
    rows: tuple[ShadowRow, ...] = ()


class ShadowFound(Wire, omit_defaults=False):
    """All that was found so far, as stored: of the candidate that was stored as version `of`."""

    of: Version = 0
    batches: Tally = 0
    skipped: Tally = 0  # the one before was not done
    failed: Tally = 0
    requests: Tally = 0
    moved: Tally = 0
    gained: Tally = 0
    lost: Tally = 0
    anyway: Tally = 0
    cents: int = 0
    recent: tuple[ShadowBatch, ...] = ()


class ShadowView(Wire, omit_defaults=False):
    """The shadow of a market and what was found; `shadow` is null where there is none.

    `changes`: against what stands; `unseen`: those of them that a batch beside the other cannot show.
    """

    version: Version
    shadow: Shadow | None = None
    changes: tuple[ParameterChange, ...] = ()
    unseen: tuple[str, ...] = ()
    found: ShadowFound = ShadowFound()
