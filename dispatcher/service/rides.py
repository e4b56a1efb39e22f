"""How long the ride to an appointment takes, before any vendor is known."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

import numpy as np

from contracts.requests import Request, TripRequest
from contracts.tuning import Number
from solvers.travel import DetourTravel


def ride_s(request: Request, zone: ZoneInfo, values: Mapping[str, Number]) -> float:
    """Seconds from door to door, as the matcher estimates them; 0 where no appointment decides.

    The speed is that of the appointment's own hour: when the ride starts is what is being asked.
    """
    if not isinstance(request, TripRequest) or request.appointment_at is None:
        return 0.0
    doors = np.array([request.pickup.position, request.dropoff.position])
    hour = np.array([request.appointment_at.astimezone(zone).hour])
    return float(DetourTravel.of(values).between(doors[:1], doors[1:], hour).seconds[0])
