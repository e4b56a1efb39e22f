"""The start times that a request may have: from the start of its window in equal steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from contracts.instants import MINUTE_MS
from contracts.tuning import Number, Parameter
from solvers.arrays import Ints, counting

STEP = Parameter(
    name="start_step_minutes",
    default=15,
    minimum=1,
    maximum=120,
    unit="minutes",
    summary="Step between the start times tried within a window.",
    scope="solvers.slots",
)
NOTICE = Parameter(
    name="notice_minutes",
    default=5,
    minimum=0,
    maximum=240,
    unit="minutes",
    summary="No service starts sooner than this from now: a vendor has to get there.",
    scope="solvers.slots",
)
MOST_STARTS = Parameter(
    name="most_starts",
    default=24,
    minimum=1,
    maximum=288,
    unit="starts",
    summary="Most start times tried for one request; a longer window is tried in wider steps.",
    scope="solvers.slots",
)
PARAMETERS = (STEP, NOTICE, MOST_STARTS)


class Slots(NamedTuple):
    """All start times of R requests, one after the other."""

    request: Ints  #: T; index of the request, sorted
    start_ms: Ints  #: T
    starts: Ints  #: R; how many each request has, 0 when its window has gone by
    first_ms: Ints  #: R; the earliest start that is possible ...
    last_ms: Ints  #: R; ... and the latest; before the earliest where there is none


def slots(
    earliest_ms: Ints, latest_ms: Ints, now_ms: int, end_ms: int, values: Mapping[str, Number]
) -> Slots:
    """Starts within each window (R, both ends inclusive), not before now + notice, before `end_ms`."""
    soonest = -(-(now_ms + NOTICE.whole(values) * MINUTE_MS) // MINUTE_MS) * MINUTE_MS
    first = np.maximum(earliest_ms, soonest)
    last = np.minimum(latest_ms, end_ms - 1)
    span = last - first
    step = STEP.whole(values) * MINUTE_MS
    most = MOST_STARTS.whole(values)
    wide = np.maximum(1, -(-(span // step + 1) // most)) * step
    count = np.where(span < 0, 0, span // wide + 1)
    request = np.repeat(np.arange(len(first)), count)
    return Slots(request, first[request] + counting(count) * wide[request], count, first, last)
