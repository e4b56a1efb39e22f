"""How many vendors reach each part of a map: hexagons, so that no direction looks better covered."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from contracts.base import Tally, Wire
from contracts.codes import ServiceClass
from contracts.geo import Latitude, Longitude

MOST_CELLS = 3_000


class CoverageQuery(Wire):
    """A part of the map, in degrees; `east` below `west` goes over the date line."""

    west: Longitude
    south: Latitude
    east: Longitude
    north: Latitude
    level: Annotated[ServiceClass | None, Meta(description="only vendors that serve it; left out: any")] = (
        None
    )


class Coverage(Wire, omit_defaults=False):
    """Hexagons with a corner up, on a Mercator map; a cell's centre lies in what its vendors reach.

    `side`: of a hexagon, as a share of the map's whole width (the equator is 1 long).
    """

    side: float
    vendors: Annotated[int, Meta(ge=0, description="that take work and serve the level")]
    lon: tuple[float, ...] = ()  # of each cell's centre, degrees
    lat: tuple[float, ...] = ()
    reached_by: tuple[Tally, ...] = ()
