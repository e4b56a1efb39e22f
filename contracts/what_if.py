"""What-if: a change of settings or vendors that is tried and not made, and what it would do."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.base import Id, Instant, Wire, refuse_odd_day
from contracts.patterns import whole
from contracts.pools import Pools
from contracts.tuning import Sent
from contracts.vendors import Vendor

LEAST_PERCENT, MOST_PERCENT = -100, 400
MOST_VENDORS = 200
NOW = "now"
AGAINST = "now|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9a-f]{16}(-[0-9]{1,6})?"


class AddedVendor(Wire):
    """A vendor that is not there; `capacity` is what it would have on each day in view."""

    vendor: Vendor
    capacity: Pools


class WhatIfChange(Wire):
    """What would be otherwise. `values` are laid over the settings in force; the rest stays as it is."""

    values: Annotated[dict[str, Sent], Meta(max_length=200)] = msgspec.field(default_factory=dict)
    rules_off: Annotated[tuple[Id, ...], Meta(max_length=50)] = ()
    pause: Annotated[tuple[Id, ...], Meta(max_length=MOST_VENDORS)] = ()
    resume: Annotated[tuple[Id, ...], Meta(max_length=MOST_VENDORS)] = ()
    add: Annotated[tuple[AddedVendor, ...], Meta(max_length=20)] = ()
    capacity_percent: Annotated[int, Meta(ge=LEAST_PERCENT, le=MOST_PERCENT, description="percent")] = 0

    def __post_init__(self) -> None:
        """Refuse a vendor that would be paused and resumed at once."""
        if both := sorted({*self.pause} & {*self.resume}):
            raise ValueError(f"{both[0]} is to be paused and resumed\nMaybe leave it out of one of the two.")

    @property
    def is_none(self) -> bool:
        """Whether all stays as it is."""
        return self == WhatIfChange()


class WhatIfFigure(Wire, omit_defaults=False):
    """One figure: today's, as changed, and the difference up to which it is noise."""

    name: str
    unit: str
    before: float
    after: float
    noise: float
    verdict: str  # more | less | no difference


class WhatIfRow(Wire, omit_defaults=False):
    """A request that would fare otherwise. A vendor of "" is none."""

    request_id: str
    kind: str  # moved | gained | lost
    from_vendor: str
    to_vendor: str
    from_start: Instant | None
    to_start: Instant | None
    cents: int
    minutes: int
    reason: (
        str  # a cost term or a rule; competition: others took the capacity; others: they moved, it followed
    )
    anyway: bool  # it fares otherwise with another seed, too: chance


class WhatIfGroup(Wire, omit_defaults=False):
    """A level, area, vendor, hour or priority, and what would become of its requests."""

    by: str
    name: str
    requests: int
    before: int
    after: int
    gained: int
    lost: int
    moved: int


class WhatIfProof(Wire, omit_defaults=False):
    """What two plans cost in the same cents, and what no plan of their side can be below."""

    before: int
    before_bound: int
    after: int
    after_bound: int
    verdict: str  # cheaper | dearer | no difference proven


class WhatIfAnswer(Wire, omit_defaults=False):
    """What would be otherwise, request by request and figure by figure."""

    against: str
    verdict: str  # in a sentence
    requests: int
    changed: int
    anyway: int  # of these, so many with another seed of today's settings, too
    floor: int  # so many fare otherwise with another seed alone
    told: int  # so many beside them were told already, offered or agreed: pinned, none of them moves
    figures: tuple[WhatIfFigure, ...]
    groups: tuple[WhatIfGroup, ...]
    rows: tuple[WhatIfRow, ...]
    proof: WhatIfProof | None = None
    left_out: int = 0  # rows beyond the most that are kept
    cpu_seconds: float = 0.0


class WhatIfState(StrEnum):
    """How far it is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # `detail` says why
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # the service was started anew meanwhile: ask again


class WhatIfRequest(Wire):
    """What to try, and on what. `seed` and `again` are the optimiser's: what they differ by is noise."""

    change: WhatIfChange
    against: Annotated[
        str,
        Meta(pattern=whole(AGAINST), description="`now`, a stored day, or the digest of a saved decision"),
    ] = NOW
    seed: Annotated[int, Meta(ge=0, le=2_147_483_647)] = 1
    again: Annotated[int, Meta(ge=0, le=2_147_483_647)] = 2

    def __post_init__(self) -> None:
        """Refuse a day that no calendar has, and one seed twice: there would be no noise to tell from."""
        if self.against.count("-") == 2:
            refuse_odd_day("against", date.fromisoformat(self.against))
        if self.seed == self.again:
            raise ValueError(
                f"seed and again are both {self.seed}: what differs between two solves is the noise\n"
                "Maybe leave both out."
            )


class WhatIfView(Wire, omit_defaults=False):
    """A what-if as it stands. `answer` is there once it is done."""

    id: str
    state: WhatIfState
    progress: float  # 0 to 1
    against: str
    change: WhatIfChange
    by: str
    asked_at: Instant
    ended_at: Instant | None = None
    detail: str = ""
    answer: WhatIfAnswer | None = None


class WhatIfPage(Wire, omit_defaults=False):
    """The what-ifs of a market that are kept, the latest first; without their answers."""

    what_ifs: tuple[WhatIfView, ...] = ()
