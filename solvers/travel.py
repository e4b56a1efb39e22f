"""How long a ride takes and how far it is: a protocol, and the default that needs no road network.

The default is great-circle distance x detour at a speed that depends on the hour. A routing server fits
behind the same protocol: answers for many pairs at once, `departure_hour` being the local hour of the day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from contracts.tuning import Number, Parameter
from solvers.arrays import Floats
from solvers.geometry import great_circle_m

DETOUR = Parameter(
    name="travel_detour",
    default=1.35,
    minimum=1.0,
    maximum=3.0,
    unit="ratio",
    summary="Road distance over great-circle distance.",
    scope="solvers.travel",
)
NIGHT_KMH = Parameter(
    name="travel_night_kmh",
    default=45,
    minimum=5,
    maximum=130,
    unit="km/h",
    summary="Mean speed from 22:00 to 6:00.",
    scope="solvers.travel",
)
DAY_KMH = Parameter(
    name="travel_day_kmh",
    default=30,
    minimum=5,
    maximum=130,
    unit="km/h",
    summary="Mean speed by day, outside the peak hours.",
    scope="solvers.travel",
)
PEAK_KMH = Parameter(
    name="travel_peak_kmh",
    default=22,
    minimum=5,
    maximum=130,
    unit="km/h",
    summary="Mean speed from 7:00 to 9:00 and from 16:00 to 19:00.",
    scope="solvers.travel",
)
PARAMETERS = (DETOUR, NIGHT_KMH, DAY_KMH, PEAK_KMH)

_NIGHT_HOURS = (22, 23, 0, 1, 2, 3, 4, 5)
_PEAK_HOURS = (7, 8, 16, 17, 18)


class Travel(NamedTuple):
    """Answers for n pairs: seconds and metres by road, each (n)."""

    seconds: Floats
    metres: Floats


class TravelTimes(Protocol):
    """A source of travel times. Instances go to solver processes, so they must pickle."""

    def between(self, origins: Floats, destinations: Floats, departure_hour: npt.NDArray[np.int64]) -> Travel:
        """Seconds and metres for pairs of positions (n, 2) [lon, lat], leaving at local hours (n) 0..23."""
        ...


TravelOf = Callable[[Mapping[str, Number]], TravelTimes]  #: a source as tuned


@dataclass(frozen=True)
class DetourTravel:
    """Great-circle distance x `detour`, at `kmh[hour]`."""

    detour: float
    kmh: tuple[float, ...]  #: 24 speeds, km/h

    @classmethod
    def of(cls, values: Mapping[str, Number]) -> DetourTravel:
        """With the parameters in force."""
        kmh = [float(DAY_KMH.of(values))] * 24
        for hours, parameter in ((_NIGHT_HOURS, NIGHT_KMH), (_PEAK_HOURS, PEAK_KMH)):
            for hour in hours:
                kmh[hour] = float(parameter.of(values))
        return cls(float(DETOUR.of(values)), tuple(kmh))

    def between(self, origins: Floats, destinations: Floats, departure_hour: npt.NDArray[np.int64]) -> Travel:
        """See `TravelTimes.between`."""
        metres = great_circle_m(origins, destinations) * self.detour
        return Travel(metres / np.asarray(self.kmh)[departure_hour] * 3.6, metres)
