"""A vendor's record: which pieces of work went well, judged when each ends for that vendor.

Declined, expired, turned back, failed and late work counts against it; a decline does not where the request
or our data was at fault, or the weather. A cancelled request counts for nobody.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from contracts.codes import DeclineCode, TrackingStatus
from contracts.tuning import Number, Parameter
from dispatcher.domain.instants import MINUTE_MS, to_instant
from dispatcher.domain.record import OfferRecord, RequestRecord

ON_TIME = Parameter(
    name="on_time_minutes",
    default=15,
    minimum=0,
    maximum=120,
    unit="minutes",
    summary="How late a vendor may be at the pick-up (or done) for its work to have gone well.",
    scope="domain.standing",
)
PARAMETERS = (ON_TIME,)
D = DeclineCode
BLAMELESS = frozenset(
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
ARRIVED = frozenset({TrackingStatus.AT_PICKUP, TrackingStatus.ON_BOARD})


class Mark(msgspec.Struct, frozen=True):
    """One piece of work in a vendor's record. `month` is yyyy-mm (UTC), so that old marks can be left out."""

    vendor_id: str
    month: str
    well: bool


def mark(vendor_id: str, now_ms: int, *, well: bool) -> Mark:
    """A mark of now."""
    return Mark(vendor_id, month_of(now_ms), well)


def month_of(at_ms: int) -> str:
    """The calendar month of a moment, UTC."""
    return f"{to_instant(at_ms):%Y-%m}"


def was_on_time(
    record: RequestRecord, offer: OfferRecord, ended_ms: int, values: Mapping[str, Number]
) -> bool:
    """By its first report at the pick-up; by its end where a vendor reports no more than that."""
    arrivals = [step.at_ms for step in record.history if step.code in ARRIVED and step.at_ms >= offer.made_ms]
    late_ms = arrivals[0] - offer.start_ms if arrivals else ended_ms - offer.end_ms
    return late_ms <= ON_TIME.whole(values) * MINUTE_MS
