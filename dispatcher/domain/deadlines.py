"""What the timer of each state waits for. Every function gives ms since the epoch."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.tuning import Number, Parameter
from contracts.vendors import AssumedAnswer, Vendor
from dispatcher.domain.instants import HOUR_MS, MINUTE_MS
from dispatcher.domain.record import OfferRecord, RequestRecord

OFFER_SHARE = Parameter(
    name="offer_share",
    default=0.1,
    minimum=0.0,
    maximum=0.5,
    unit="share",
    summary="An offer made long ahead stays open for this share of the time until the window opens.",
    scope="domain.deadlines",
)
OFFER_RESERVE = Parameter(
    name="offer_reserve_minutes",
    default=30,
    minimum=0,
    maximum=240,
    unit="minutes",
    summary="An offer ends this long before the last chance to match, so that another vendor can be asked.",
    scope="domain.deadlines",
)
OFFER_MINIMUM = Parameter(
    name="offer_minimum_s",
    default=120,
    minimum=5,
    maximum=3_600,
    unit="seconds",
    summary="However short the time, a vendor has this long to answer (or its own limit, if shorter).",
    scope="domain.deadlines",
)
OVERDUE = Parameter(
    name="overdue_minutes",
    default=20,
    minimum=1,
    maximum=480,
    unit="minutes",
    summary="Without a report this long after the start (or the end) of service, a dispatch is overdue.",
    scope="domain.deadlines",
)
OVERDUE_LIMIT = Parameter(
    name="overdue_limit",
    default=6,
    minimum=0,
    maximum=48,
    unit="reminders",
    summary="How often ops is told that a dispatch is overdue before it counts as failed.",
    scope="domain.deadlines",
)
RETENTION = Parameter(
    name="retention_hours",
    default=72,
    minimum=24,
    maximum=8_760,
    unit="hours",
    summary="How long a request that has ended can be read before it is deleted.",
    scope="domain.deadlines",
)
PARAMETERS = (OFFER_SHARE, OFFER_RESERVE, OFFER_MINIMUM, OVERDUE, OVERDUE_LIMIT, RETENTION)


def offer_expiry(record: RequestRecord, vendor: Vendor, now_ms: int, values: Mapping[str, Number]) -> int:
    """When an offer made now ends without an answer.

    The vendor's own limit; more when the window is far away (an explicit answer only: silence that accepts
    needs no patience); less when another vendor could not be asked in time; never less than the minimum.
    """
    assumed = isinstance(vendor.answer, AssumedAnswer)
    limit_ms = 1000 * (
        vendor.answer.reject_within_s
        if isinstance(vendor.answer, AssumedAnswer)
        else vendor.answer.time_limit_s
    )
    ahead_ms = 0 if assumed else int(OFFER_SHARE.of(values) * (record.earliest_ms - now_ms))
    last_ask_ms = min(record.match_by_ms, record.latest_ms) - OFFER_RESERVE.whole(values) * MINUTE_MS
    least_ms = now_ms + min(limit_ms, OFFER_MINIMUM.whole(values) * 1000)
    return max(least_ms, min(now_ms + max(limit_ms, ahead_ms), last_ask_ms))


def overdue_at(expected_ms: int, now_ms: int, values: Mapping[str, Number]) -> int:
    """When a report expected at `expected_ms` (start or end of service) counts as missing."""
    return max(expected_ms, now_ms) + OVERDUE.whole(values) * MINUTE_MS


def forget_at(offer: OfferRecord | None, now_ms: int, values: Mapping[str, Number]) -> int:
    """When an ended request is deleted: after retention, counted from the later of now and its service."""
    end_ms = offer.end_ms if offer and offer.bookings else 0
    return max(now_ms, end_ms) + RETENTION.whole(values) * HOUR_MS
