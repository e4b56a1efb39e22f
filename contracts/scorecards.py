"""Scorecards: what became of a vendor's work over some days, what stands behind each figure, and disputes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.base import Day, Id, Instant, OfferId, Tally, Wire
from contracts.event_types import event
from contracts.geo import Position
from contracts.outside import refuse_blank
from contracts.paging import PageSize
from contracts.patterns import whole
from contracts.streams import To

FigureName = Annotated[
    str,
    Meta(
        pattern=whole("[a-z_]{1,32}(\\.[A-Za-z_]{1,48})?"),
        description="as the scorecard has it: `late`, `declined.NO_VEHICLES_AVAILABLE`",
    ),
]
ScoreCursor = Annotated[
    str,
    Meta(
        pattern=whole("([0-9]{1,16}\\.[A-Za-z0-9_-]{1,64}\\.[0-9]{1,4}\\.[a-z_]{1,32})?"),
        description="of the page before",
    ),
]
DisputeId = Annotated[
    str,
    Meta(
        pattern=whole("[A-Za-z0-9_-]{1,64}\\.[0-9]{1,4}\\.[a-z_]{1,32}"),
        description="offer id, a dot, the outcome, `_dispute`",
    ),
]
Share = Annotated[float, Meta(ge=0, description="0..1")]
Told = Annotated[str, Meta(min_length=1, max_length=1_000)]


class Disputable(StrEnum):
    """Outcomes that count against a vendor."""

    DECLINED = "declined"
    EXPIRED = "expired"
    TURNED_BACK = "turned_back"
    LATE = "late"
    FAILED = "failed"


class ScoreQuery(Wire):
    """Which days, the last included, by the market's clock; left out: the thirty days to this one."""

    first: Day | None = msgspec.field(default=None, name="from")
    last: Day | None = msgspec.field(default=None, name="to")


class ScoreFigure(Wire, omit_defaults=False):
    """One figure: how many, of how many. `share` lies between `low` and `high` with 95 % confidence (Wilson).

    `few`: of too few to tell much. Without `share` it is a count alone.
    """

    figure: str
    count: Tally
    of: Tally = 0
    share: Share | None = None
    low: Share | None = None
    high: Share | None = None
    few: bool = False


class ScoreGroup(Wire, omit_defaults=False):
    """The figures of a part of the work: a level of service, a zone of pick-ups, an hour of the clock.

    `late_p50_minutes`, `late_p90_minutes`: how late it was at the pick-up (0: in time), of `arrivals`.
    """

    name: str = ""  # "": all of it
    zone: Position | None = None
    figures: tuple[ScoreFigure, ...] = ()
    arrivals: Tally = 0
    late_p50_minutes: Tally | None = None
    late_p90_minutes: Tally | None = None


class ScoreQuartile(Wire, omit_defaults=False):
    """In which quarter of the market's vendors a figure lies; 1: the best. Null: too few to tell."""

    figure: str
    quartile: Annotated[int, Meta(ge=1, description="1..4")] | None = None


class MatchingScore(Wire, omit_defaults=False):
    """What the matcher takes a vendor for now, whichever days were asked for.

    `share`: of its work that is taken to go well: of late, few counts drawn to the market's mean, hard work
    credited. `cents`: what that adds to the cost of a match; beyond the mean's at most `most_cents`.
    """

    share: Share
    market_share: Share
    cents: Tally
    market_cents: Tally
    most_cents: Tally


class Scorecard(Wire, omit_defaults=False):
    """What became of a vendor's work on these days. `kept_from`: what was before is not known any more."""

    vendor_id: Id
    first: Day = msgspec.field(name="from")
    last: Day = msgspec.field(name="to")
    kept_from: Day
    all: ScoreGroup
    by_level: tuple[ScoreGroup, ...] = ()
    by_area: tuple[ScoreGroup, ...] = ()  # where there was most to do first
    by_hour: tuple[ScoreGroup, ...] = ()
    quartiles: tuple[ScoreQuartile, ...] = ()
    upheld: Tally = 0  # outcomes that count no more
    matching: MatchingScore | None = None  # null: nobody's work is known


class ScoreRequestQuery(ScoreQuery):
    """What stands behind a figure, the earliest first; `level`, `zone` and `hour`: of a part of it."""

    figure: FigureName
    level: Annotated[str, Meta(max_length=64)] | None = None
    area: Annotated[str, Meta(max_length=64, description="the name of a group of `by_area`")] | None = None
    hour: Annotated[int, Meta(ge=0, le=23)] | None = None
    cursor: ScoreCursor = ""
    limit: PageSize = 50


class DisputeState(StrEnum):
    """What became of a dispute."""

    OPEN = "open"
    UPHELD = "upheld"  # the outcome counts no more
    NOT_UPHELD = "not_upheld"  # it counts on


class ScoreRequest(Wire, omit_defaults=False):
    """One outcome that a figure counts."""

    offer_id: OfferId
    request_id: Id
    outcome: str
    code: str = ""
    at: Instant
    start_at: Instant
    level: str = ""
    zone: Position | None = None
    minutes: int | None = None  # from the agreed start until the vendor was there; below zero: before it
    far: bool = False
    night: bool = False
    dispute_id: str = ""
    dispute: DisputeState | None = None


class ScoreRequestPage(Wire, omit_defaults=False):
    """Outcomes behind a figure; `cursor` is empty on the last page."""

    requests: tuple[ScoreRequest, ...] = ()
    cursor: str = ""


class NewScoreDispute(Wire):
    """An outcome of this vendor's is wrong, and why; the text is encrypted at rest."""

    offer_id: OfferId
    outcome: Disputable
    text: Told

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse a text that shows nothing."""
        refuse_blank(f"{pointer}/text", self.text)


class AnswerScoreDispute(Wire):
    """What ops decides: `upheld`, the outcome counts no more; the vendor reads the reason."""

    upheld: bool
    reason: Told

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse a reason that shows nothing."""
        refuse_blank(f"{pointer}/reason", self.reason)


class ScoreDispute(Wire, omit_defaults=False):
    """A dispute of an outcome, for its vendor and ops."""

    id: DisputeId
    vendor_id: Id
    offer_id: OfferId
    outcome: Disputable
    code: str = ""
    outcome_at: Instant
    level: str = ""
    minutes: int | None = None
    at: Instant
    by: str = ""
    text: str = ""
    state: DisputeState
    answered_at: Instant | None = None
    answered_by: str = ""
    reason: str = ""


class ScoreDisputeQuery(Wire):
    """A page of a vendor's disputes, the oldest first."""

    cursor: Annotated[
        str, Meta(pattern=whole("([0-9]{1,16}\\.[A-Za-z0-9_.-]{1,110})?"), description="of the page before")
    ] = ""
    limit: PageSize = 50


class ScoreDisputePage(Wire, omit_defaults=False):
    """Disputes; `cursor` is empty on the last page."""

    disputes: tuple[ScoreDispute, ...] = ()
    cursor: str = ""


@event("dispatch.scorecard.disputed", "dispatch.scorecard.answered", to=To.EVENTS)
class ScoreDisputeChanged(Wire):
    """A vendor disputes an outcome, or ops has answered. Texts are read over HTTP, never from a stream."""

    dispute_id: DisputeId
    vendor_id: Id
    offer_id: OfferId
    outcome: Disputable
    state: DisputeState


@event("dispatch.dispute.answered", to=To.VENDOR)
class ScoreDisputeAnswered(Wire):
    """The same, to its vendor: its dispute was upheld, or not."""

    dispute_id: DisputeId
    offer_id: OfferId
    outcome: Disputable
    state: DisputeState
    href: str
