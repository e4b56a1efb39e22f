"""Distances on the globe, vectorised. Positions are (n, 2) arrays of [lon, lat] degrees."""

from __future__ import annotations

from typing import Final

import numpy as np

from solvers.arrays import Floats

EARTH_RADIUS_M: Final = 6_371_008.8  #: mean radius, IUGG
METRES_PER_DEGREE: Final = EARTH_RADIUS_M * np.pi / 180


def great_circle_m(origins: Floats, destinations: Floats) -> Floats:
    """Metres between positions (…, 2), broadcast against each other (haversine, exact on a sphere)."""
    lon_a, lat_a = np.radians(origins[..., 0]), np.radians(origins[..., 1])
    lon_b, lat_b = np.radians(destinations[..., 0]), np.radians(destinations[..., 1])
    half_chord = (
        np.sin((lat_b - lat_a) / 2) ** 2 + np.cos(lat_a) * np.cos(lat_b) * np.sin((lon_b - lon_a) / 2) ** 2
    )
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(half_chord, 0.0, 1.0))))
