"""An appointment is reached: the passenger is at its door neither too early nor too late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from contracts.instants import MINUTE_MS, to_ms
from solvers.arrays import Arrays, Flags, Ints
from solvers.arrival import ARRIVE_BY, LEAST_PLAY_MIN
from solvers.durations import DOORS
from solvers.rules.base import Candidate, CandidateRule, Candidates, View
from solvers.screening import OpenRequest

_NONE: Final = -1  # no appointment


class ArrivalRule(CandidateRule):
    """Hard; relaxed by minutes. The work ends when the passenger is through the door."""

    code = "arrival"
    order = 50
    relaxable = True
    unit = "minutes"

    def of_requests(self, asked: Sequence[OpenRequest], vendor_index: Mapping[str, int]) -> Arrays:
        """`appointment_ms`, -1 for none; `at_door_ms`: how long the passenger takes there."""
        requests = [each.request for each in asked]
        appointments = [_NONE if each.arrive_by is None else to_ms(each.arrive_by) for each in requests]
        at_door = [each.onsite_minutes * MINUTE_MS // DOORS for each in requests]
        return {"appointment_ms": np.array(appointments, np.int64), "at_door_ms": np.array(at_door, np.int64)}

    def mask(self, view: View, candidates: Candidates) -> Flags:
        """(n)."""
        if (view.request["appointment_ms"] == _NONE).all():
            return np.ones(len(candidates), np.bool_)
        early_ms, late_ms = _off(view, candidates)
        return np.asarray((early_ms <= 0) & (late_ms <= 0))

    def short_by(self, view: View, candidates: Candidates) -> Ints:
        """Minutes by which the passenger would be too early or too late."""
        off_ms = np.maximum(0, np.maximum(*_off(view, candidates)))
        return np.asarray(-(-off_ms // MINUTE_MS))

    def permits(self, one: Candidate) -> bool:
        """Whether the passenger is through the door by the appointment, and not long before at it."""
        appointment = one.asked.request.arrive_by
        if appointment is None:
            return True
        at_door_min = one.asked.request.onsite_minutes // DOORS
        before_min = (to_ms(appointment) - one.end_ms) / MINUTE_MS
        most_min = max(ARRIVE_BY.of(one.values) - at_door_min, LEAST_PLAY_MIN)
        return 0 <= before_min <= most_min


def _off(view: View, candidates: Candidates) -> tuple[Ints, Ints]:
    """Milliseconds by which each end (n) is too early and too late; 0 or less where it is not."""
    of = view.request
    appointment_ms = of["appointment_ms"][candidates.request]
    at_door_ms = of["at_door_ms"][candidates.request]
    before_ms = appointment_ms - candidates.start_ms - candidates.service_ms
    most_ms = np.maximum(ARRIVE_BY.whole(view.values) * MINUTE_MS - at_door_ms, LEAST_PLAY_MIN * MINUTE_MS)
    any_time = appointment_ms == _NONE
    return np.where(any_time, 0, before_ms - most_ms), np.where(any_time, 0, -before_ms)


RULE = ArrivalRule()
