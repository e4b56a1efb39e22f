"""Service starts within the request's window, and not before a vendor can be there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from contracts.instants import MINUTE_MS
from solvers.arrays import Arrays, Flags, Ints
from solvers.rules.base import Candidate, Candidates, PairRule, View
from solvers.screening import OpenRequest
from solvers.slots import NOTICE


class TimeWindow(PairRule):
    """Hard. The start times come from `solvers.slots`; this removes requests that have none left."""

    code = "time_window"
    order = 1
    relaxable = True
    unit = "minutes"

    def of_requests(self, asked: Sequence[OpenRequest], vendor_index: Mapping[str, int]) -> Arrays:
        """`by_appointment`: R; whose window follows from an arrival, which has a rule of its own."""
        return {"by_appointment": np.array([each.request.arrive_by is not None for each in asked], np.bool_)}

    def mask(self, view: View) -> Flags:
        """(r, 1)."""
        return (view.slots.starts > 0)[:, None]

    def short_by(self, view: View, candidates: Candidates) -> Ints:
        """Minutes by which a start lies before or after the window that the request was given."""
        early_ms = view.facts.earliest_ms[candidates.request] - candidates.start_ms
        late_ms = candidates.start_ms - view.facts.latest_ms[candidates.request]
        off_ms = np.maximum(0, np.maximum(early_ms, late_ms))
        return np.where(view.request["by_appointment"][candidates.request], 0, -(-off_ms // MINUTE_MS))

    def permits(self, one: Candidate) -> bool:
        """Whether the start is in the window, after the notice, within the days in view."""
        soonest_ms = one.now_ms + NOTICE.whole(one.values) * MINUTE_MS
        in_window = one.asked.earliest_ms <= one.start_ms <= one.asked.latest_ms
        return in_window and soonest_ms <= one.start_ms < one.horizon.end_ms


RULE = TimeWindow()
