"""Service areas as arrays, and how far points lie outside them; the vectorised half of `service_area`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from contracts.geo import Circle, Polygon
from contracts.vendors import Vendor
from solvers.arrays import Arrays, Flags, Floats
from solvers.geometry import EARTH_RADIUS_M, METRES_PER_DEGREE, outside_ring_m


def encode(vendors: Sequence[Vendor]) -> Arrays:
    """`reach_m` (V); circles: `owner`, `centre`, `radius_m`; rings: `ring_owner`, `ring_end`, `corner`."""
    listed = [(row, area) for row, vendor in enumerate(vendors) for area in vendor.service_area]
    circles = [(row, area) for row, area in listed if isinstance(area, Circle)]
    rings = [(row, area) for row, area in listed if isinstance(area, Polygon)]
    return {
        "reach_m": np.array([vendor.out_of_area_m for vendor in vendors], np.float64),
        "owner": np.array([row for row, _ in circles], np.int64),
        "centre": np.array([area.centre for _, area in circles], np.float64).reshape(-1, 2),
        "radius_m": np.array([area.radius_m for _, area in circles], np.float64),
        "ring_owner": np.array([row for row, _ in rings], np.int64),
        "ring_end": np.cumsum([len(area.ring) for _, area in rings], dtype=np.int64),
        "corner": np.array([at for _, area in rings for at in area.ring], np.float64).reshape(-1, 2),
    }


def outside_m(points: Floats, areas: Arrays, slack_m: float) -> Floats:
    """(n, V); metres from each point (n, 2) to the vendor's nearest area, 0 inside.

    Beyond the vendor's reach and `slack_m` a ring's distance may be given as infinite.
    """
    vendors = len(areas["reach_m"])
    nearest = np.full((vendors, len(points)), np.inf)
    _circles(points, areas, nearest)
    ends = areas["ring_end"].tolist()
    for ring, (owner, end) in enumerate(zip(areas["ring_owner"].tolist(), ends, strict=True)):
        corners = np.asarray(areas["corner"][ends[ring - 1] if ring else 0 : end], np.float64)
        reach_m = float(np.asarray(areas["reach_m"], np.float64)[owner]) + slack_m
        near = np.flatnonzero(_within_box(points, corners, reach_m))
        nearest[owner, near] = np.minimum(nearest[owner, near], outside_ring_m(points[near], corners))
    return nearest.T.copy()


def _circles(points: Floats, areas: Arrays, nearest: Floats) -> None:
    """By unit vectors: their product is the cosine of the angle, exact to some decimetres."""
    angle = np.arccos(np.clip(_unit(np.asarray(areas["centre"], np.float64)) @ _unit(points).T, -1.0, 1.0))
    radius_m = np.asarray(areas["radius_m"], np.float64)
    beyond = np.maximum(0.0, angle * EARTH_RADIUS_M - radius_m[:, None])
    np.minimum.at(nearest, areas["owner"], beyond)


def _unit(points: Floats) -> Floats:
    lon, lat = np.radians(points[:, 0]), np.radians(points[:, 1])
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def _within_box(points: Floats, corners: Floats, reach_m: float) -> Flags:
    """Points that could lie within reach of a ring: its box, widened."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    rise = reach_m / METRES_PER_DEGREE * 1.01
    furthest = min(89.0, np.abs([low[1], high[1]]).max() + rise)
    margin = np.array([rise / np.cos(np.radians(furthest)), rise]) + 1e-9
    return np.asarray(((points >= low - margin) & (points <= high + margin)).all(axis=1))
