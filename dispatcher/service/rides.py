"""How long the ride to an appointment takes, before any vendor is known."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np

from contracts.requests import Request, TripRequest
from solvers.travel import TravelTimes


def ride_s(request: Request, tz: ZoneInfo, travel: TravelTimes) -> float:
    """Seconds from door to door, as the matcher estimates them; 0 where no appointment decides.

    The speed is that of the appointment's own hour: when the ride starts is what is being asked.
    """
    if not isinstance(request, TripRequest) or request.appointment_at is None:
        return 0.0
    doors = np.array([request.pickup.position, request.dropoff.position])
    hour = np.array([request.appointment_at.astimezone(tz).hour])
    return float(travel.between(doors[:1], doors[1:], hour).seconds[0])
