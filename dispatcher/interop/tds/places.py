"""Where a telegram says that something is: `[lon, lat]`, and whether that is where it was asked for."""

from __future__ import annotations

import numpy as np

from contracts.geo import Position
from dispatcher.interop.tds.reading import Read
from solvers.geometry import great_circle_m

ZONE_M = 2_000  # from the centre of a zone that was told to what lies in it, with room for rounding


def position(place: Read | None) -> Position | None:
    """Of a geographicLocation; 0 0 is a device without a fix. Raises InvalidMessage: it is on no globe."""
    if place is None:
        return None
    if place["typeOfCoordinate"] != "WGS84":
        raise place.at("typeOfCoordinate").wrong("RT90 is not read here\nMaybe send WGS84.")
    latitude, longitude = place["lat"], place["long"]
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise place.node.wrong(
            "it is on no globe: lat is from -90 to 90, long from -180 to 180\nMaybe the two are swapped."
        )
    return (longitude, latitude) if (longitude, latitude) != (0, 0) else None


def refuse_elsewhere(address: Read | None, zone: Position | None) -> None:
    """Raises InvalidMessage for another place than was asked for: no door is changed by telegram."""
    where = position(address["geographicLocation"]) if address is not None else None
    if address is None or where is None or zone is None:
        return
    apart_m = round(float(great_circle_m(np.array(where, float), np.array(zone, float))))
    if apart_m > ZONE_M:
        raise address.node.wrong(
            f"it is {apart_m:,} m from the zone that was asked for, the limit is {ZONE_M:,} m\n"
            "Maybe leave it out: doors are not changed by telegram."
        )
