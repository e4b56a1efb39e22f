"""How vendors answered offers, counted by week; `acceptance_sums` says what that tells of the next ones."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from contracts.instants import to_instant
from contracts.tuning import Parameter
from solvers.acceptance import Cell

UNKNOWN = Parameter(
    name="acceptance_unknown",
    default=0.89,
    minimum=0.05,
    maximum=0.99,
    unit="share",
    summary="Share of its offers that a vendor is expected to accept where nobody's answers are known.",
    scope="domain.acceptance",
)
HALF_LIFE = Parameter(
    name="acceptance_half_life_days",
    default=28,
    minimum=1,
    maximum=90,
    unit="days",
    summary="An answer counts half as much after this long, when it is expected who accepts an offer.",
    scope="domain.acceptance",
)
WEIGHT = Parameter(
    name="acceptance_prior_answers",
    default=10,
    minimum=1,
    maximum=1_000,
    unit="answers",
    summary="A vendor's own answers count as much as those of its market once there are so many; those to "
    "just such offers, beside all its own, once there are four times as many.",
    scope="domain.acceptance",
)
LASTS = Parameter(
    name="acceptance_lasts_days",
    default=30,
    minimum=1,
    maximum=3_650,
    unit="days",
    summary="How long a vendor stays as it is, on average: once its answers say that it has become another, "
    "those of before count no more.",
    scope="domain.acceptance",
)
DOUBT = Parameter(
    name="acceptance_doubt_answers",
    default=10,
    minimum=0,
    maximum=1_000,
    unit="answers",
    summary="After so many answers to offers of a level in a week, a vendor that is less likely to accept "
    "than others costs half as much more as it would: who is hardly asked has the benefit of the doubt.",
    scope="domain.acceptance",
)
PARAMETERS = (UNKNOWN, HALF_LIFE, LASTS, WEIGHT, DOUBT)
WEEKS = 14  # that are read, this one among them; kept a little longer


class Answer(msgspec.Struct, frozen=True):
    """One vendor's answer to one offer; nothing of a patient, no request's id. `week`: `2026-W10`, UTC."""

    vendor_id: str
    week: str
    cell: Cell
    yes: bool


class Count(msgspec.Struct, frozen=True):
    """How often a vendor's answer in one cell was yes, or no, in a week."""

    vendor_id: str
    cell: Cell
    yes: bool
    number: int


def week_of(at_ms: int) -> str:
    """The ISO week of a moment, UTC."""
    return f"{to_instant(at_ms):%G-W%V}"


def weeks(now_ms: int) -> tuple[str, ...]:
    """The weeks that count, this one first."""
    now = to_instant(now_ms)
    return tuple(f"{now - timedelta(weeks=back):%G-W%V}" for back in range(WEEKS))
