"""How long a vendor has to answer an offer."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.instants import MINUTE_MS
from contracts.tuning import Number, Parameter
from contracts.tuning_sets import Follows, Slider
from contracts.vendors import AssumedAnswer, ExplicitAnswer, Vendor
from dispatcher.domain.pressing import pressed, shares
from dispatcher.domain.requests import RequestRecord

OFFER_SHARE = Parameter(
    name="offer_share",
    default=0.1,
    minimum=0.0,
    maximum=0.5,
    unit="share",
    summary="An offer made long ahead stays open for this share of the time until the window opens.",
    scope="domain.offer_expiry",
)
OFFER_RESERVE = Parameter(
    name="offer_reserve_minutes",
    default=30,
    minimum=0,
    maximum=240,
    unit="minutes",
    summary="An offer ends this long before the last chance to match, so that another vendor can be asked.",
    scope="domain.offer_expiry",
)
OFFER_MINIMUM = Parameter(
    name="offer_minimum_s",
    default=120,
    minimum=5,
    maximum=3_600,
    unit="seconds",
    summary="However short the time, a vendor has this long to answer (or its own limit, if shorter).",
    scope="domain.offer_expiry",
)
LIKELY = Parameter(
    name="acceptance_answer_share",
    default=1.0,
    minimum=0.1,
    maximum=1.0,
    unit="share",
    summary="A vendor that is expected to accept nothing has this share of its time to answer, others more, "
    "as they are likelier to; 1: all have all of it.",
    scope="domain.offer_expiry",
)
PRESSED = shares("offer", "domain.offer_expiry", "A vendor that must answer has an offer")
PARAMETERS = (OFFER_SHARE, OFFER_RESERVE, OFFER_MINIMUM, LIKELY, *PRESSED.values())
SLIDERS = (
    Slider(
        name="patient_quick",
        low="give vendors time",
        high="ask the next one soon",
        summary="How long a vendor may think about an offer before another is asked.",
        follows=(
            Follows(parameter="offer_share", low=0.3, high=0.02),
            Follows(parameter="offer_minimum_s", low=600, high=30),
            Follows(parameter="offer_reserve_minutes", low=10, high=90),
        ),
    ),
)


def offer_expiry(record: RequestRecord, vendor: Vendor, now_ms: int, values: Mapping[str, Number]) -> int:
    """When an offer made now ends without an answer, in ms since the epoch."""
    return answer_expiry(record, vendor.answer, now_ms, values)


def answer_expiry(
    record: RequestRecord,
    answer: ExplicitAnswer | AssumedAnswer,
    now_ms: int,
    values: Mapping[str, Number],
    *,
    accepts: float = 0.0,
) -> int:
    """The same, by how its vendor answers; `accepts`: how likely it is to accept, 0 where that is not known.

    The vendor's own limit; more when the window is far away (an explicit answer only: silence that accepts
    needs no more time); less of both the more pressing the request is, and the less likely the vendor is to
    accept, where that is tuned (again an explicit answer only: when silence accepts, the time to reject is
    agreed); less when another vendor could not be asked in time; never
    less than the minimum.
    """
    assumed = isinstance(answer, AssumedAnswer)
    limit_ms = 1000 * (answer.reject_within_s if isinstance(answer, AssumedAnswer) else answer.time_limit_s)
    ahead_ms = 0 if assumed else int(OFFER_SHARE.of(values) * (record.earliest_ms - now_ms))
    last_ask_ms = min(record.match_by_ms, record.latest_ms) - OFFER_RESERVE.whole(values) * MINUTE_MS
    least_ms = now_ms + min(limit_ms, OFFER_MINIMUM.whole(values) * 1000)
    open_ms = max(limit_ms, ahead_ms)
    if not assumed:
        open_ms = int(pressed(open_ms, PRESSED, record.priority, values) * _likely(accepts, values))
    return max(least_ms, min(now_ms + open_ms, last_ask_ms))


def _likely(accepts: float, values: Mapping[str, Number]) -> float:
    """The share of its time that a vendor has that is so likely to accept."""
    least = float(LIKELY.of(values))
    return least + (1.0 - least) * accepts if accepts else 1.0
