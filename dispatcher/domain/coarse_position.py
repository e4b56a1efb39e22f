"""Where a place lies, told without telling the door (P6)."""

from __future__ import annotations

from math import cos, radians

from contracts.geo import Position

CELL_DEGREES = 0.018  # of latitude: about 2 km
POLAR_DEGREES = 89.0  # beyond, meridians are too close for cells of a width


def coarse_position(position: Position, cells: int = 1) -> Position:
    """The centre of the square of about 2 km (times `cells`) that holds it: `[lon, lat]`, degrees."""
    longitude, latitude = position
    row = _centre(latitude, cells * CELL_DEGREES, 90.0)
    width = cells * CELL_DEGREES / cos(radians(min(abs(row), POLAR_DEGREES)))
    return (_centre(longitude, width, 180.0), row)


def area_of(position: Position) -> str:
    """The square by name, as it is counted under: `lon,lat` of its centre."""
    return ",".join(str(each) for each in coarse_position(position))


def position_of(area: str) -> Position | None:
    """The centre of the square of that name; None where none is known."""
    longitude, _, latitude = area.partition(",")
    return (float(longitude), float(latitude)) if latitude else None


def _centre(degrees: float, width: float, limit: float) -> float:
    """The middle of the cell of `width` around `degrees`, kept on the globe."""
    middle = (degrees // width + 0.5) * width
    return round(max(-limit, min(limit, middle)), 5)
