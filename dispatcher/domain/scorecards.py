"""What became of a vendor's work: counted when an offer is answered and when work ends for its vendor.

Each outcome is counted once, by day (UTC), vendor and level of service, and stands as an entry behind that
count until the day is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import IntFlag, StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec.structs import replace

from contracts.codes import DeclineCode
from contracts.instants import DAY_MS, MINUTE_MS, to_instant
from contracts.tuning import Number, Parameter
from dispatcher.domain.compact import Compact
from dispatcher.domain.context import Context
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.proof_required import Proved

if TYPE_CHECKING:
    from dispatcher.domain.requests import RequestRecord

ON_TIME = Parameter(
    name="on_time_minutes",
    default=15,
    minimum=0,
    maximum=120,
    unit="minutes",
    summary="How late a vendor may be at the pick-up (or done) for its work to have been on time.",
    scope="domain.scorecards",
)
LEAST = Parameter(
    name="scorecard_least_works",
    default=20,
    minimum=1,
    maximum=1_000,
    unit="works",
    summary="A vendor's scorecard counts from so many pieces of work on; before, it is unknown.",
    scope="domain.scorecards",
)
DAYS = Parameter(
    name="scorecard_days",
    default=100,
    minimum=62,
    maximum=400,
    unit="days",
    summary="A day's outcomes, and what stands behind them, are kept for so many days after it.",
    scope="domain.scorecards",
)
FAR = Parameter(
    name="scorecard_far_m",
    default=40_000,
    minimum=1_000,
    maximum=1_000_000,
    unit="m",
    summary="A ride of this length or more counts as a far one on its vendor's scorecard.",
    scope="domain.scorecards",
)
PARAMETERS = (ON_TIME, LEAST, DAYS, FAR)
NIGHT_FROM, NIGHT_UNTIL = 20, 6  # hours of the market's clock
D = DeclineCode
BLAMELESS = frozenset(  # the request or our data was at fault, or the weather
    {
        D.INVALID_USER,
        D.INVALID_PICKUP_ADDRESS,
        D.INVALID_DROPOFF_ADDRESS,
        D.NOT_IN_SERVICE_AREA,
        D.INVALID_SERVICE_HOURS,
        D.WRONG_SERVICE_LEVEL,
        D.BAD_WEATHER,
    }
)


class Outcome(StrEnum):
    """What became of one offer, or of the work that it led to. A cancelled request counts for nobody."""

    ACCEPTED = "accepted"
    DECLINED = "declined"  # with its code
    EXPIRED = "expired"
    TURNED_BACK = "turned_back"
    ON_TIME = "on_time"
    DONE = "done"  # and nothing says when its vendor was there
    LATE = "late"  # with its minutes
    NO_SHOW = "no_show"  # the patient's: the vendor was there
    FAILED = "failed"
    COUNTERED = "countered"  # its vendor would do it otherwise; the answer counts beside it
    PROOF_MISSING = "proof_missing"  # until it comes
    CHARGED = "charged"  # taken back from its vendor, who is owed something for it: kept, and in no count


BADLY = (Outcome.DECLINED, Outcome.EXPIRED, Outcome.TURNED_BACK, Outcome.LATE, Outcome.FAILED)


ENDED = frozenset(  # of work, not of an offer
    {Outcome.ON_TIME, Outcome.DONE, Outcome.LATE, Outcome.NO_SHOW, Outcome.FAILED, Outcome.TURNED_BACK}
)


class Hard(IntFlag):
    """What makes work harder than its level of service says."""

    FAR = 1
    NIGHT = 2


class Entry(Compact, frozen=True):
    """One outcome as it is kept behind the counts: of what work, and what became of it."""

    at_ms: int
    start_ms: int  # that was agreed, or offered
    level: str  # of service; "" for a request from before that was kept
    area: str = ""  # the pick-up's zone
    code: str = ""  # of a decline, or of how the work ended
    minutes: int | None = None  # from the agreed start until its vendor was there; None: nothing says so
    hard: int = 0
    upheld: bool = False  # its vendor disputed it, and was right: it counts no more


class WorkOutcome(msgspec.Struct, frozen=True):
    """One outcome of one vendor's offer. `by` -1: it counts no more; `gone`: nor is its entry kept."""

    vendor_id: str
    offer_id: str
    outcome: Outcome
    entry: Entry
    kept_ms: int = 0  # from now on
    by: int = 1
    gone: bool = False

    @property
    def day(self) -> str:
        """The day on which it counts, yyyy-mm-dd (UTC)."""
        return day_of(self.entry.at_ms)

    @property
    def late_minutes(self) -> int:
        """Of late work."""
        return (self.entry.minutes or 0) if self.outcome is Outcome.LATE else 0

    def counts(self) -> Iterator[tuple[str, int]]:
        """What it adds to its vendor's counts, by name."""
        if self.outcome is Outcome.CHARGED:
            return
        name = self.outcome.value
        yield name, self.by
        if self.entry.code and self.outcome is Outcome.DECLINED:
            yield f"{name}.{self.entry.code}", self.by
        if self.late_minutes:
            yield LATE_MINUTES, self.by * self.late_minutes
        for hard in Hard:
            if self.entry.hard & hard:
                yield among(name, hard), self.by


class VendorLevel(NamedTuple):
    """Whose counts, and of which level of service."""

    vendor_id: str
    level: str


LATE_MINUTES = "late_minutes"  # the count of all together


def among(name: str, hard: Hard) -> str:
    """The count of those that were harder: `on_time@far`."""
    return f"{name}@{str(hard.name).lower()}"


def is_outcome(name: str) -> bool:
    """Whether a count is of an outcome or a decline's code, and not of a part of them."""
    return name != LATE_MINUTES and "@" not in name


def outcome_of(
    record: RequestRecord,
    offer: OfferRecord,
    context: Context,
    outcome: Outcome,
    *,
    code: str = "",
    at_ms: int | None = None,
    minutes: int | None = None,
) -> WorkOutcome:
    """An outcome of now, or of `at_ms`; `code`: why; `minutes` of an arrival."""
    entry = Entry(
        at_ms=context.now_ms if at_ms is None else at_ms,
        start_ms=offer.start_ms,
        level=record.service_class,
        area=record.area,
        code="" if code == outcome.value else code,
        minutes=minutes,
        hard=0 if outcome is Outcome.PROOF_MISSING else _hard(offer, context),
    )
    kept_ms = kept_for_ms(entry.at_ms, context)
    return WorkOutcome(offer.vendor_id, f"{record.id}.{offer.attempt}", outcome, entry, kept_ms)


def kept_for_ms(at_ms: int, context: Context) -> int:
    """How long from now what came then is kept: all of a day goes at once. Not above 0: it is gone."""
    return (at_ms // DAY_MS + 1 + DAYS.whole(context.values)) * DAY_MS - context.now_ms


def completed(record: RequestRecord, offer: OfferRecord, context: Context, ended_ms: int) -> WorkOutcome:
    """Work that was done: on time, or late by so many minutes.

    By its first report at the pick-up; by its end where a vendor reports no more than that. An end long
    before the agreed one alone says that it was done, and not that anybody was there in time; nor does an
    arrival that its vendor's own proof puts elsewhere.
    """
    late_ms = offer.arrived_ms - offer.start_ms if offer.arrived_ms else ended_ms - offer.end_ms
    within_ms = ON_TIME.whole(context.values) * MINUTE_MS
    late = late_ms > within_ms
    early = not offer.arrived_ms and late_ms < -within_ms
    elsewhere = not late and bool(offer.proved & Proved.PICKUP_OUTSIDE)
    unknown = early or elsewhere
    outcome = Outcome.DONE if unknown else Outcome.LATE if late else Outcome.ON_TIME
    minutes = late_ms // MINUTE_MS if (offer.arrived_ms or late) and not elsewhere else None
    return outcome_of(record, offer, context, outcome, at_ms=ended_ms, minutes=minutes)


def unproved(record: RequestRecord, offer: OfferRecord, context: Context) -> tuple[WorkOutcome, ...]:
    """Of work that is over, and lacks proof."""
    if not offer.lacking:
        return ()
    return (outcome_of(record, offer, context, Outcome.PROOF_MISSING, at_ms=offer.closed_ms),)


def taken_back(outcome: WorkOutcome) -> WorkOutcome:
    """It counts no more, and is not kept."""
    return replace(outcome, by=-1, gone=True)


def upheld(outcome: WorkOutcome) -> WorkOutcome:
    """Its vendor was right to dispute it: it counts no more, and says so."""
    return replace(outcome, by=-1, entry=replace(outcome.entry, upheld=True))


def _hard(offer: OfferRecord, context: Context) -> int:
    hour = to_instant(offer.start_ms).astimezone(context.tz).hour
    far = Hard.FAR if offer.distance_m >= FAR.whole(context.values) else Hard(0)
    return int(far | (Hard(0) if NIGHT_UNTIL <= hour < NIGHT_FROM else Hard.NIGHT))


def day_of(at_ms: int) -> str:
    """The calendar day of a moment, UTC."""
    return to_instant(at_ms).date().isoformat()


def month_of(at_ms: int) -> str:
    """The calendar month of a moment, UTC."""
    return f"{to_instant(at_ms):%Y-%m}"


def months(now_ms: int) -> tuple[str, str]:
    """This month and the one before: one bad day is forgotten, a bad month is not."""
    first = to_instant(now_ms).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    before_ms = int(first.timestamp() * 1000) - 1
    return month_of(before_ms), month_of(now_ms)


def days_between(start_ms: int, end_ms: int) -> tuple[str, ...]:
    """The days (UTC) that a span touches; its end is not in it."""
    first, last = start_ms // DAY_MS, (end_ms - 1) // DAY_MS
    return tuple(day_of(number * DAY_MS) for number in range(first, last + 1))


def days_until(now_ms: int, number: int) -> tuple[str, ...]:
    """So many days up to this one, the earliest first."""
    today = to_instant(now_ms).date()
    return tuple((today - timedelta(days=back)).isoformat() for back in reversed(range(number)))


def shares(scorecards: Mapping[str, Mapping[str, int]], values: Mapping[str, Number]) -> dict[str, float]:
    """The share that went well, 0..1, of each vendor with work enough to tell.

    Well: done on time, or the patient was not there. What was declined for a reason that is the request's,
    the data's or the weather's counts for nobody; nor does an acceptance, whose work is still to come, nor
    work that was done early by its end alone.
    """
    found = {}
    for vendor, card in scorecards.items():
        well = card.get(Outcome.ON_TIME, 0) + card.get(Outcome.NO_SHOW, 0)
        blameless = sum(card.get(f"{Outcome.DECLINED}.{code}", 0) for code in BLAMELESS)
        badly = sum(card.get(each, 0) for each in BADLY) - blameless
        if well + badly >= LEAST.whole(values):
            found[vendor] = well / (well + badly)
    return found
