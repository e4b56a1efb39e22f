"""Service starts within the request's window, and not before a vendor can be there."""

from __future__ import annotations

import numpy as np

from contracts.instants import MINUTE_MS
from solvers.arrays import Flags, Ints
from solvers.rules.base import Candidate, Candidates, PairRule, View
from solvers.slots import NOTICE, slots


class TimeWindow(PairRule):
    """Hard. The start times come from `solvers.slots`; this removes requests that have none left."""

    code = "time_window"
    order = 1
    relaxable = True
    unit = "minutes"

    def mask(self, view: View) -> Flags:
        """(r, 1)."""
        facts, screening = view.facts, view.screening
        end_ms = screening.horizon.end_ms
        found = slots(facts.earliest_ms, facts.latest_ms, screening.now_ms, end_ms, view.values)
        return (found.starts > 0)[:, None]

    def short_by(self, view: View, candidates: Candidates) -> Ints:
        """Minutes by which a start lies before or after the window."""
        early_ms = view.facts.earliest_ms[candidates.request] - candidates.start_ms
        late_ms = candidates.start_ms - view.facts.latest_ms[candidates.request]
        return np.asarray(-(-np.maximum(0, np.maximum(early_ms, late_ms)) // MINUTE_MS))

    def permits(self, one: Candidate) -> bool:
        """Whether the start is in the window, after the notice, within the days in view."""
        soonest_ms = one.now_ms + NOTICE.whole(one.values) * MINUTE_MS
        in_window = one.asked.earliest_ms <= one.start_ms <= one.asked.latest_ms
        return in_window and soonest_ms <= one.start_ms < one.horizon.end_ms


RULE = TimeWindow()
