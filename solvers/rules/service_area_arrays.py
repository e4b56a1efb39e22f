"""Service areas as arrays, and how far points lie outside them; the vectorised half of `service_area`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import asin, cos, radians, sin, sqrt
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from contracts.geo import Circle, Polygon, Position
from contracts.vendors import Vendor
from solvers.arrays import Arrays, Floats, Ints
from solvers.geometry import EARTH_RADIUS_M
from solvers.rings import JUST_OUTSIDE_M, Rings, edges_of, micro

BORDER_M: Final = 0.1  #: what is nearer to a circle's border lies on it
NEAR_BORDER_M: Final = 5.0  #: here no other way of computing a distance is asked


def encode(vendors: Sequence[Vendor]) -> Arrays:
    """`reach_m` (V); circles: `owner`, `centre`, `radius_m`; polygons, each once: `edge` (E, 4), `edge_end`.

    `polygon_owner`, `polygon`: which vendor has which of them.
    """
    listed = [(row, area) for row, vendor in enumerate(vendors) for area in vendor.service_area]
    circles = [(row, area) for row, area in listed if isinstance(area, Circle)]
    polygons = [(row, area) for row, area in listed if isinstance(area, Polygon)]
    each = {area: nth for nth, area in enumerate(dict.fromkeys(area for _, area in polygons))}
    edges = [edges_of(area) for area in each]
    return {
        "reach_m": np.array([vendor.out_of_area_m for vendor in vendors], np.float64),
        "owner": np.array([row for row, _ in circles], np.int64),
        "centre": np.array([area.centre for _, area in circles], np.float64).reshape(-1, 2),
        "radius_m": np.array([area.radius_m for _, area in circles], np.float64),
        "polygon_owner": np.array([row for row, _ in polygons], np.int64),
        "polygon": np.array([each[area] for _, area in polygons], np.int64),
        "edge": np.array([edge for some in edges for edge in some], np.int64).reshape(-1, 4),
        "edge_end": np.cumsum([len(some) for some in edges], dtype=np.int64),
    }


def outside_m(
    points: Floats, areas: Mapping[str, npt.NDArray[Any]], shapes: Sequence[Rings], slack_m: float
) -> Floats:
    """(n, V); metres from each point (n, 2) to the vendor's nearest area, 0 inside. `shapes`: the polygons.

    Beyond the vendor's reach and `slack_m` the distance to a polygon may be given as infinite.
    """
    reach_m = areas["reach_m"]
    nearest = np.full((len(reach_m), len(points)), np.inf)
    _circles(points, areas, nearest)  # first: nothing is known before
    places = micro(points)
    for nth, shape in enumerate(shapes):
        owners = np.unique(areas["polygon_owner"][areas["polygon"] == nth])
        away = shape.outside_m(places, float(reach_m[owners].max()) + slack_m)
        nearest[owners] = np.minimum(nearest[owners], away)
    return nearest.T.copy()


class _Circles(NamedTuple):
    """What is worked out of C circles alone; owners ascend."""

    unit: Floats  #: C x 3; their centres
    first: Ints  #: indices; the first of each owner's
    owner: Ints  #: of those


#: by the identity of their centres, which are kept with them: imminent requests come beside the same vendors
_KNOWN: Final[dict[int, tuple[Floats, _Circles]]] = {}
_MOST_KNOWN = 16


def _worked_out(areas: Mapping[str, npt.NDArray[Any]]) -> _Circles:
    centres, owner = areas["centre"], areas["owner"]
    known = _KNOWN.get(id(centres))
    if known is None or known[0] is not centres:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        first = np.flatnonzero(np.diff(owner, prepend=-1))
        known = _KNOWN[id(centres)] = centres, _Circles(_unit(centres), first, owner[first])
    return known[1]


def _circles(points: Floats, areas: Mapping[str, npt.NDArray[Any]], nearest: Floats) -> None:
    """By unit vectors: their product is the cosine of the angle, exact to some decimetres."""
    known, centres, radius_m = _worked_out(areas), areas["centre"], areas["radius_m"]
    angle = np.arccos((known.unit @ _unit(points).T).clip(-1.0, 1.0))
    beyond = angle * EARTH_RADIUS_M - radius_m[:, None]
    for circle, point in zip(*np.nonzero(np.abs(beyond) < NEAR_BORDER_M), strict=True):
        (lon, lat), (x, y) = centres[circle].tolist(), points[point].tolist()
        beyond[circle, point] = beyond_circle_m((x, y), (lon, lat), float(radius_m[circle]))
    if len(known.first):
        nearest[known.owner] = np.minimum.reduceat(np.maximum(0.0, beyond), known.first)


@lru_cache(maxsize=100_000)
def beyond_circle_m(at: Position, centre: Position, radius_m: float) -> float:
    """Metres beyond a circle; 0 in it and on its border. Near a border, all ask this and nothing else."""
    lon_a, lat_a, lon_b, lat_b = map(radians, (*at, *centre))
    half_chord = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin((lon_b - lon_a) / 2) ** 2
    beyond = 2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, half_chord))) - radius_m
    return max(beyond, JUST_OUTSIDE_M) if beyond > BORDER_M else 0.0


def _unit(points: Floats) -> Floats:
    lon, lat = np.radians(points[:, 0]), np.radians(points[:, 1])
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
