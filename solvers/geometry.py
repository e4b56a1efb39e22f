"""Distances and containment on the globe, vectorised. Positions are (n, 2) arrays of [lon, lat] degrees."""

from __future__ import annotations

from typing import Final

import numpy as np

from solvers.arrays import Flags, Floats

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


def outside_ring_m(points: Floats, ring: Floats) -> Floats:
    """Metres from each point (n, 2) to the polygon of `ring` (m, 2): 0 inside or on its edge.

    On a plane tangent at each point (equirectangular): within 0.1 % up to some 50 km, which is what a slack
    beyond a service area needs. A ring over the date line is not supported; contracts refuse none, so it is
    read as the long way round.
    """
    if not len(points):
        return np.zeros(0)
    scale = np.stack([np.cos(np.radians(points[:, 1])), np.ones(len(points))], axis=1) * METRES_PER_DEGREE
    corners = (ring[None, :, :] - points[:, None, :]) * scale[:, None, :]
    following = np.roll(corners, -1, axis=1)
    away = np.where(_holds_origin(corners, following), 0.0, _nearest_m(corners, following))
    return np.asarray(away)


def _holds_origin(corners: Floats, following: Floats) -> Flags:
    """(n); even-odd rule: how often a ray from the origin to the east crosses an edge."""
    (x1, y1), (x2, y2) = (np.moveaxis(each, 2, 0) for each in (corners, following))
    spans = (y1 > 0) != (y2 > 0)
    rise = np.where(spans, y2 - y1, 1.0)
    east = x1 - y1 * (x2 - x1) / rise > 0
    return np.asarray((spans & east).sum(axis=1) % 2 == 1)


def _nearest_m(corners: Floats, following: Floats) -> Floats:
    """(n); metres from the origin to the nearest point of any edge."""
    edge = following - corners
    length2 = np.maximum((edge**2).sum(axis=2), 1e-12)
    share = np.clip(-(corners * edge).sum(axis=2) / length2, 0.0, 1.0)
    return np.asarray(np.sqrt(((corners + share[..., None] * edge) ** 2).sum(axis=2).min(axis=1)))
