"""Whether doors look as if given as [lat, lon]: far from every vendor, and near one the other way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from contracts.geo import Circle, Position
from contracts.vendors import Vendor
from solvers.arrays import Floats
from solvers.geometry import great_circle_m

FAR_M: Final = 1_000_000.0
NEAR_M: Final = 300_000.0


def somewhere_in(vendors: Iterable[Vendor]) -> Floats:
    """(n, 2); a place of each area of theirs."""
    areas = (area for vendor in vendors for area in vendor.service_area)
    places = [area.centre if isinstance(area, Circle) else area.ring[0] for area in areas]
    return np.array(places, np.float64).reshape(-1, 2)


def looks_swapped(doors: Sequence[Position], places: Floats) -> bool:
    """Whether some door would be where vendors are, were its two numbers the other way round."""
    if not len(places):
        return False
    return any(
        abs(lon) <= 90
        and great_circle_m(np.array([lon, lat]), places).min() > FAR_M
        and great_circle_m(np.array([lat, lon]), places).min() < NEAR_M
        for lon, lat in doors
    )
