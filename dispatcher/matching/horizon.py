"""How far the matcher looks ahead: what waits for a later batch, and which days are in view."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from contracts.instants import HOUR_MS
from contracts.tuning import Number, Parameter
from solvers.horizon import Horizon, local_day

HORIZON = Parameter(
    name="horizon_hours",
    default=48,
    minimum=1,
    maximum=336,
    unit="hours",
    summary="Requests whose window starts later than this from now wait for a later batch.",
    scope="matching.horizon",
)
PARAMETERS = (HORIZON,)


def reach_ms(now_ms: int, values: Mapping[str, Number]) -> int:
    """What opens later waits for a later batch."""
    return now_ms + ahead_ms(values)


def ahead_ms(values: Mapping[str, Number]) -> int:
    """How far ahead of a window's opening its request is matched."""
    return HORIZON.whole(values) * HOUR_MS


def horizon_of(tz: ZoneInfo, now_ms: int, values: Mapping[str, Number], until_ms: int = 0) -> Horizon:
    """Today to the day after the horizon: what starts on its last day may end on the next.

    `until_ms`: look as far as this, though no farther than the horizon could be tuned.
    """
    first = local_day(now_ms, tz)
    most_ms = now_ms + int(HORIZON.maximum) * HOUR_MS
    end_ms = max(reach_ms(now_ms, values), min(until_ms, most_ms))
    last = local_day(end_ms, tz) + timedelta(days=1)
    return _days_from(tz, first, (last - first).days + 1)


@lru_cache(maxsize=8)  # what it has worked out is kept from one reading to the next
def _days_from(tz: ZoneInfo, first: date, days: int) -> Horizon:
    return Horizon.of(tz, first, days)
