"""How long the ride to an appointment takes, before any vendor is known."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np

from contracts.requests import Request
from solvers.travel import TravelTimes


def ride_s(request: Request, tz: ZoneInfo, travel: TravelTimes) -> float:
    """Seconds from door to door, as the matcher estimates them; 0 where no appointment decides.

    The speed is that of the appointment's own hour: when the ride starts is what is being asked.
    """
    pickup, dropoff = request.doors
    if request.arrive_by is None or dropoff is None:
        return 0.0
    hour = np.array([request.arrive_by.astimezone(tz).hour])
    return float(travel.between(np.array([pickup]), np.array([dropoff]), hour).seconds[0])
