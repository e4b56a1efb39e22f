"""How long a ride takes and how far it is: a protocol, and the default that needs no road network.

The default is great-circle distance x detour: the first kilometres at town speed, which depends on the hour,
what is beyond them on regional roads, the rest by motorway. A routing server fits behind the same protocol:
answers for many pairs at once, `departure_hour` being the local hour of the day.
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
    summary="Mean speed in town from 22:00 to 6:00.",
    scope="solvers.travel",
)
DAY_KMH = Parameter(
    name="travel_day_kmh",
    default=30,
    minimum=5,
    maximum=130,
    unit="km/h",
    summary="Mean speed in town by day, outside the peak hours.",
    scope="solvers.travel",
)
PEAK_KMH = Parameter(
    name="travel_peak_kmh",
    default=22,
    minimum=5,
    maximum=130,
    unit="km/h",
    summary="Mean speed in town from 7:00 to 9:00 and from 16:00 to 19:00.",
    scope="solvers.travel",
)
TOWN_KM = Parameter(
    name="travel_town_km",
    default=20,
    minimum=0,
    maximum=500,
    unit="km",
    summary="Of every ride so much of the road is in town; what is beyond it is on regional roads.",
    scope="solvers.travel",
)
REGIONAL_KMH = Parameter(
    name="travel_regional_kmh",
    default=65,
    minimum=5,
    maximum=130,
    unit="km/h",
    summary="Mean speed beyond the town, at any hour.",
    scope="solvers.travel",
)
REGIONAL_KM = Parameter(
    name="travel_regional_km",
    default=40,
    minimum=0,
    maximum=1_000,
    unit="km",
    summary="So much of the road beyond the town is regional; what is beyond it is motorway.",
    scope="solvers.travel",
)
MOTORWAY_KMH = Parameter(
    name="travel_motorway_kmh",
    default=95,
    minimum=5,
    maximum=130,
    unit="km/h",
    summary="Mean speed on the motorway, at any hour.",
    scope="solvers.travel",
)
PARAMETERS = (DETOUR, NIGHT_KMH, DAY_KMH, PEAK_KMH, TOWN_KM, REGIONAL_KMH, REGIONAL_KM, MOTORWAY_KMH)

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
    """Great-circle distance x `detour`: in town at `kmh[hour]`, then on regional roads, then by motorway."""

    detour: float
    kmh: tuple[float, ...]  #: 24 speeds in town, km/h
    town_m: float
    regional_kmh: float
    regional_m: float
    motorway_kmh: float

    @classmethod
    def of(cls, values: Mapping[str, Number]) -> DetourTravel:
        """With the parameters in force."""
        kmh = [float(DAY_KMH.of(values))] * 24
        for hours, parameter in ((_NIGHT_HOURS, NIGHT_KMH), (_PEAK_HOURS, PEAK_KMH)):
            for hour in hours:
                kmh[hour] = float(parameter.of(values))
        town_m, regional_m = (1_000 * float(each.of(values)) for each in (TOWN_KM, REGIONAL_KM))
        speeds = [float(each.of(values)) for each in (REGIONAL_KMH, MOTORWAY_KMH)]
        return cls(float(DETOUR.of(values)), tuple(kmh), town_m, speeds[0], regional_m, speeds[1])

    def between(self, origins: Floats, destinations: Floats, departure_hour: npt.NDArray[np.int64]) -> Travel:
        """See `TravelTimes.between`."""
        metres = great_circle_m(origins, destinations) * self.detour
        return Travel(self.driving_s(metres, departure_hour), metres)

    def driving_s(self, metres: Floats, departure_hour: npt.NDArray[np.int64]) -> Floats:
        """Seconds for so many metres of road, by hour; of shapes that broadcast."""
        beyond = np.maximum(metres - self.town_m, 0.0)
        regional = np.minimum(beyond, self.regional_m)
        in_town = (metres - beyond) / np.asarray(self.kmh)[departure_hour]
        outside = regional / self.regional_kmh + (beyond - regional) / self.motorway_kmh
        return np.asarray((in_town + outside) * 3.6)
