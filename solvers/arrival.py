"""When a passenger is to be at the door of an appointment: as instants, from the request and the tuning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from contracts.instants import MINUTE_MS
from contracts.tuning import Number, Parameter

ARRIVE_BY = Parameter(
    name="arrive_by_minutes",
    default=30,
    minimum=0,
    maximum=120,
    unit="minutes",
    summary="A passenger is at the door so long before an appointment at the most, and through it by then.",
    scope="solvers.arrival",
)
PARAMETERS = (ARRIVE_BY,)
LEAST_PLAY_MIN: Final = 5  #: between the earliest arrival and the latest, where the parameter leaves less


class Arrival(NamedTuple):
    """At the door of the appointment from the one to the other, both inclusive."""

    first_ms: int
    last_ms: int


def arrival(appointment_ms: int, service_minutes: int, values: Mapping[str, Number]) -> Arrival:
    """So early that there is time at the door (`service_minutes`) before the appointment."""
    last_ms = appointment_ms - service_minutes * MINUTE_MS
    first_ms = appointment_ms - ARRIVE_BY.whole(values) * MINUTE_MS
    return Arrival(min(first_ms, last_ms - LEAST_PLAY_MIN * MINUTE_MS), last_ms)
