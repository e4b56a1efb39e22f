"""Vendors in one list for ops: what became of their work, papers to verify, what they have and post today."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.base import Day, Id, Instant, Tally, Version, Wire
from contracts.codes import LevelOfService
from contracts.onboarding import OnboardingState
from contracts.vendors import OpsPause, Paper, VendorCursor

MAX_VENDORS = 1_000


class VendorSummary(Wire, omit_defaults=False):
    """One vendor. `outcomes`: of this month and the one before, by outcome; declines also by `declined.CODE`.

    `went_well`: the share of it, 0..1; null: too little work to tell. `matching_share`: that by which the
    matcher goes: of late, few counts drawn to the market's mean, hard work credited. `open`: offers and
    dispatches that it has now. `posted_today`: whether capacity stands for today. `accepts`: how likely it is
    to accept an offer of now for work in two hours, 0..1, by level of service (or `equipment`), as far as
    answers say; that goes into the cost of a match.
    """

    id: Id
    version: Version
    name: str
    levels_of_service: tuple[LevelOfService, ...]
    equipment: Tally  # HCPCS codes that it has
    paused: bool  # by itself
    ops_pause: OpsPause | None
    to_verify: tuple[Paper, ...]  # papers that it claims and that hold today, not yet verified
    expires_on: Day | None  # of its verified papers the one that ends first, if it has not ended
    expired: Tally  # papers, verified or not, that have ended
    outcomes: dict[str, int]
    late_minutes: Tally
    went_well: float | None
    open: Tally
    posted_today: bool
    matching_share: float | None = None
    onboarding: OnboardingState
    accepts: dict[str, float] = msgspec.field(default_factory=dict)


class VendorOutcomesQuery(Wire):
    """A page of the vendors, by id; or one vendor."""

    vendor_id: Id | None = None
    cursor: VendorCursor = ""
    limit: Annotated[int, Meta(ge=1, le=MAX_VENDORS)] = MAX_VENDORS


class VendorOutcomesPage(Wire, omit_defaults=False):
    """Vendors by id; `cursor` is empty on the last page. `since`: from when on outcomes are counted."""

    today: Day
    since: Instant
    vendors: tuple[VendorSummary, ...] = ()
    cursor: str = ""
