"""How a simulated vendor behaves: drawn for each offer from its id and the seed, so a day can be repeated.

Shares follow the field: about 8 % declined, 3 % never answered, some late, a few turned back, some no-shows.
"""

from __future__ import annotations

import random
from enum import Enum
from typing import NamedTuple

from contracts.codes import DeclineCode, ReportCode, TrackingStatus
from contracts.dispatches import StatusUpdate
from contracts.instants import MINUTE_MS, to_ms
from contracts.offers import Offer

DECLINES, SILENT = 0.08, 0.03
TURNS_BACK, NO_SHOW, FAILS, LATE = 0.015, 0.02, 0.003, 0.10
WAITS, WAITS_MIN = 0.06, (8, 20)  # for a passenger who is not ready: how often, how many minutes
ANSWER_SHARE, ANSWER_LIMIT_S = (0.03, 0.3), 480  # of the time the offer is open: who is pressed is quicker
DECLINE_CODES = {
    DeclineCode.NO_VEHICLES_AVAILABLE: 60,
    DeclineCode.UNABLE_TO_SERVICE_TRIP: 20,
    DeclineCode.INVALID_SERVICE_HOURS: 8,
    DeclineCode.BAD_WEATHER: 4,
    DeclineCode.OTHER: 8,
}


class Answer(Enum):
    """What a vendor does with an offer."""

    ACCEPT = "accept"
    DECLINE = "decline"
    SILENCE = "silence"


class Reaction(NamedTuple):
    """An answer, when it is sent, and with which code if it declines."""

    answer: Answer
    at_ms: int
    code: DeclineCode


class Report(NamedTuple):
    """A status report to be, and when the crew sends it; `waits`: from then on it waits at the door."""

    at_ms: int
    update: StatusUpdate
    waits: bool = False


def reaction(offer: Offer, seed: int, now_ms: int) -> Reaction:
    """The vendor's answer to an offer heard at `now_ms`; a share of the offers is never answered."""
    rng = random.Random(f"{seed}/answer/{offer.id}")
    draw = rng.random()
    answer = (
        Answer.DECLINE if draw < DECLINES else Answer.SILENCE if draw < DECLINES + SILENT else Answer.ACCEPT
    )
    code = rng.choices(list(DECLINE_CODES), weights=list(DECLINE_CODES.values()))[0]
    open_ms = min(to_ms(offer.expires_at) - now_ms, ANSWER_LIMIT_S * 1000)
    return Reaction(answer, now_ms + int(rng.uniform(*ANSWER_SHARE) * max(open_ms, 0)), code)


def course(offer: Offer, seed: int) -> list[Report]:
    """The reports of a dispatch, in order: most go well, some late, a few end otherwise."""
    rng = random.Random(f"{seed}/course/{offer.id}")
    fate = rng.random()
    start_ms = to_ms(offer.start_at)
    if fate < TURNS_BACK:
        return [_report(start_ms - rng.randint(45, 120) * MINUTE_MS, TrackingStatus.TURNED_BACK, _NONE_LEFT)]
    if rng.random() < LATE:
        start_ms += rng.randint(5, 40) * MINUTE_MS
    begun = [
        _report(start_ms - rng.randint(5, 20) * MINUTE_MS, TrackingStatus.EN_ROUTE),
        _report(start_ms, TrackingStatus.AT_PICKUP),
    ]
    if fate < TURNS_BACK + NO_SHOW:
        return [
            *begun,
            _report(start_ms + 5 * MINUTE_MS, TrackingStatus.NO_SHOW, ReportCode.NO_CLIENT),
        ]
    if fate < TURNS_BACK + NO_SHOW + FAILS:
        broken = ReportCode.PROVIDER_ADMIN_CANCEL
        return [*begun, _report(start_ms + 5 * MINUTE_MS, TrackingStatus.FAILED, broken)]
    if offer.kind == "trip" and (more_ms := _waits_ms(offer, seed)):
        begun[-1] = begun[-1]._replace(waits=True)
        start_ms += more_ms
    done_ms = start_ms + round(offer.duration_minutes * rng.uniform(0.8, 1.1)) * MINUTE_MS
    aboard = [_report(start_ms + 4 * MINUTE_MS, TrackingStatus.ON_BOARD)] if offer.kind == "trip" else []
    return [*begun, *aboard, _report(max(done_ms, start_ms + 6 * MINUTE_MS), TrackingStatus.COMPLETED)]


def _waits_ms(offer: Offer, seed: int) -> int:
    """For how long the passenger is waited for; drawn by itself, so that nothing else of the day changes."""
    rng = random.Random(f"{seed}/waits/{offer.id}")
    return rng.randint(*WAITS_MIN) * MINUTE_MS if rng.random() < WAITS else 0


_NONE_LEFT = ReportCode.NO_VEHICLES_AVAILABLE


def _report(at_ms: int, status: TrackingStatus, code: ReportCode | None = None) -> Report:
    return Report(at_ms, StatusUpdate(status=status, code=code))
