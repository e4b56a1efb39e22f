"""What became of a vendor's work: counted when an offer is answered and when work ends for its vendor."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from contracts.codes import DeclineCode
from contracts.instants import MINUTE_MS, to_instant
from contracts.tuning import Number, Parameter
from dispatcher.domain.offers import OfferRecord

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
PARAMETERS = (ON_TIME, LEAST)
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
    DONE = "done"  # before its time, and nothing says when its vendor was there
    LATE = "late"  # with its minutes
    NO_SHOW = "no_show"  # the patient's: the vendor was there
    FAILED = "failed"


BADLY = (Outcome.DECLINED, Outcome.EXPIRED, Outcome.TURNED_BACK, Outcome.LATE, Outcome.FAILED)


class WorkOutcome(msgspec.Struct, frozen=True):
    """One outcome of one vendor. `month` is yyyy-mm (UTC), so that old ones can be left out."""

    vendor_id: str
    month: str
    outcome: Outcome
    code: str = ""  # of a decline
    late_minutes: int = 0  # beyond the agreed time, whole minutes


def outcome_of(offer: OfferRecord, now_ms: int, outcome: Outcome, code: str = "") -> WorkOutcome:
    """An outcome of now."""
    return WorkOutcome(offer.vendor_id, month_of(now_ms), outcome, code)


def completed(offer: OfferRecord, ended_ms: int, values: Mapping[str, Number]) -> WorkOutcome:
    """Work that was done: on time, or late by so many minutes.

    By its first report at the pick-up; by its end where a vendor reports no more than that. An end long
    before the agreed one alone says that it was done, and not that anybody was there in time.
    """
    late_ms = offer.arrived_ms - offer.start_ms if offer.arrived_ms else ended_ms - offer.end_ms
    within_ms = ON_TIME.whole(values) * MINUTE_MS
    minutes = max(0, late_ms // MINUTE_MS) if late_ms > within_ms else 0
    early = not offer.arrived_ms and late_ms < -within_ms
    outcome = Outcome.DONE if early else Outcome.LATE if late_ms > within_ms else Outcome.ON_TIME
    return WorkOutcome(offer.vendor_id, month_of(ended_ms), outcome, late_minutes=minutes)


def month_of(at_ms: int) -> str:
    """The calendar month of a moment, UTC."""
    return f"{to_instant(at_ms):%Y-%m}"


def months(now_ms: int) -> tuple[str, str]:
    """This month and the one before: one bad day is forgotten, a bad month is not."""
    first = to_instant(now_ms).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    before_ms = int(first.timestamp() * 1000) - 1
    return month_of(before_ms), month_of(now_ms)


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
