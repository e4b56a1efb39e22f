"""Areas with corners, exactly: whether a point lies in a ring or on its border, and how far outside it is.

Corners and points are whole microdegrees (11 cm), so that inside or outside is a question for integers, with
one answer however it is asked. A ring that crosses the date line goes on beyond 180 degrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from contracts.geo import Polygon, Position
from solvers.arrays import Flags, Floats, Ints, counting
from solvers.geometry import METRES_PER_DEGREE

MICRO: Final = 1_000_000  #: microdegrees in a degree
TURN: Final = 360 * MICRO
JUST_OUTSIDE_M: Final = 0.01  #: what is outside is no nearer than this
_MOST_BANDS, _AT_ONCE, _RUN = 512, 500_000, 32
_ENDS: Final = (slice(0, 2), slice(2, 4))
Corner = tuple[int, int]  #: longitude and latitude in microdegrees


def micro(points: Floats) -> Ints:
    """Positions (n, 2) in degrees as whole microdegrees."""
    return np.rint(points * MICRO).astype(np.int64)


def micro_of(at: Position) -> Corner:
    """The same for one."""
    return round(at[0] * MICRO), round(at[1] * MICRO)


def unwrapped(ring: Sequence[Position], near: int | None = None) -> list[Corner]:
    """The corners, each at most half a turn from the one before (the first: from longitude `near`).

    An edge of exactly one turn goes round the world, as it says.
    """
    corners = [micro_of(each) for each in ring]
    turned = 0 if near is None else turns(corners[0][0], near)
    found = []
    for (before, _), (lon, lat) in pairwise([corners[0], *corners]):
        step = lon - before
        if TURN // 2 < abs(step) < TURN:
            turned += -TURN if step > 0 else TURN
        found.append((lon + turned, lat))
    return found


def turns(lon: int, near: int) -> int:
    """What brings a longitude to at most half a turn from another: whole turns."""
    return TURN * ((near - lon + TURN // 2) // TURN)


def rings_of(area: Polygon) -> list[list[Corner]]:
    """The outer ring and the holes, in one count of longitude."""
    outer = unwrapped(area.ring)
    return [outer, *(unwrapped(hole, middle(outer)) for hole in area.holes)]


def middle(corners: Sequence[Corner]) -> int:
    """The longitude from which points are counted."""
    lons = [lon for lon, _ in corners]
    return (min(lons) + max(lons)) // 2


def edges_of(area: Polygon) -> list[tuple[int, int, int, int]]:
    """All edges, of the outer ring first: longitude and latitude of both ends."""
    return [(*a, *b) for ring in rings_of(area) for a, b in zip(ring, (*ring[1:], ring[0]), strict=True)]


class _Bands(NamedTuple):
    """Edges by bands of latitude: a point has to look at those of its own band only."""

    low: int
    height: int
    begins: Ints  #: bands + 1; where each band's edges begin ...
    edge: Ints  #: ... in this list


class Rings:
    """One area's edges (E, 4)."""

    def __init__(self, edges: Ints) -> None:
        self.edges = edges
        xs, ys = edges[:, ::2], edges[:, 1::2]
        self.low, self.high = np.array([xs.min(), ys.min()]), np.array([xs.max(), ys.max()])
        self.bands = _bands(ys)
        self.runs = np.resize(
            edges, (-(-len(edges) // _RUN), _RUN, 4)
        )  # the last one begins anew at the first edge
        self.run_low, self.run_high = (
            pick(self.runs.reshape(len(self.runs), -1, 2), axis=1) for pick in (np.min, np.max)
        )

    def outside_m(self, points: Ints, reach_m: float) -> Floats:
        """(n); metres from each point (n, 2) to the area: 0 inside and on the border.

        On a plane tangent at each point (equirectangular): within 0.1 % up to some 50 km. Beyond `reach_m` it
        may be given as infinite.
        """
        away = np.full(len(points), np.inf)
        around = int(self.low[0] + self.high[0]) // 2 - points[:, 0]
        turned = points + np.stack([TURN * ((around + TURN // 2) // TURN), np.zeros_like(around)], axis=1)
        near = np.flatnonzero(self._within_box(turned, reach_m))
        if not len(near):
            return away
        held = self.hold(turned[near])
        away[near[held]] = 0.0
        if reach_m > 0:
            beside = near[~held]
            away[beside] = np.maximum(JUST_OUTSIDE_M, self._nearest_m(turned[beside]))
        return away

    def hold(self, points: Ints) -> Flags:
        """(n); in the area or on its border: even-odd, by how many edges lie to the east."""
        low, height, begins, edge = self.bands
        band = (points[:, 1] - low) // height
        seen = np.flatnonzero((band >= 0) & (band < len(begins) - 1))
        count = begins[band[seen] + 1] - begins[band[seen]]
        point = np.repeat(seen, count)
        which = edge[np.repeat(begins[band[seen]], count) + counting(count)]
        (x1, y1, x2, y2), (x, y) = self.edges[which].T, points[point].T
        turn = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
        between_x = (np.minimum(x1, x2) <= x) & (x <= np.maximum(x1, x2))
        on = (turn == 0) & between_x & (np.minimum(y1, y2) <= y) & (y <= np.maximum(y1, y2))
        crossed = ((y1 > y) != (y2 > y)) & ((turn > 0) == (y2 > y1)) & (turn != 0)
        held: Flags = np.bincount(point[crossed], minlength=len(points)) % 2 == 1
        held[point[on]] = True
        return held

    def _within_box(self, points: Ints, reach_m: float) -> Flags:
        """Points that could lie within reach: the area's box, widened; at the poles, of any longitude."""
        rise = reach_m / METRES_PER_DEGREE * MICRO * 1.01 + 1
        furthest = max(abs(self.low[1]), abs(self.high[1])) + rise
        aside = rise / np.cos(np.radians(furthest / MICRO)) if furthest < 89 * MICRO else TURN
        margin = np.array([aside, rise])
        return np.asarray(((points >= self.low - margin) & (points <= self.high + margin)).all(axis=1))

    def _nearest_m(self, points: Ints) -> Floats:
        """(n); metres to the nearest edge: of runs of edges, only those that could hold it are looked at."""
        found = [np.zeros(0)]
        for some in np.array_split(points, 1 + len(points) * len(self.runs) // _AT_ONCE):
            scale = np.stack([np.cos(np.radians(some[:, 1] / MICRO)), np.ones(len(some))], axis=1)
            scale *= METRES_PER_DEGREE / MICRO
            at = some[:, None]
            apart = np.maximum(0, np.maximum(self.run_low - at, at - self.run_high)) * scale[:, None]
            corner = (self.runs[:, 0, :2] - at) * scale[:, None]
            nearest = np.sqrt((corner**2).sum(axis=2)).min(axis=1)
            point, run = np.nonzero(np.sqrt((apart**2).sum(axis=2)) <= nearest[:, None])
            edges, factor = self.runs[run], scale[point][:, None]
            corners, following = ((edges[..., ends] - some[point][:, None]) * factor for ends in _ENDS)
            begins = np.searchsorted(point, np.arange(len(some)))
            if len(some):
                found.append(np.minimum.reduceat(_nearest_to_origin(corners, following), begins))
        return np.concatenate(found)


def _bands(ys: Ints) -> _Bands:
    """Of the latitudes of E edges' ends (E, 2)."""
    low, bands = int(ys.min()), int(np.clip(len(ys) // 4, 1, _MOST_BANDS))
    height = (int(ys.max()) - low) // bands + 1
    first, last = (ys.min(axis=1) - low) // height, (ys.max(axis=1) - low) // height
    count = last - first + 1
    band = np.repeat(first, count) + counting(count)
    order = np.argsort(band, kind="stable")
    begins = np.searchsorted(band[order], np.arange(bands + 1))
    return _Bands(low, height, begins, np.repeat(np.arange(len(ys)), count)[order])


def _nearest_to_origin(corners: Floats, following: Floats) -> Floats:
    """(n); from the origin to the nearest point of any edge."""
    edge = following - corners
    length2 = np.maximum((edge**2).sum(axis=2), 1e-12)
    share = np.clip(-(corners * edge).sum(axis=2) / length2, 0.0, 1.0)
    return np.asarray(np.sqrt(((corners + share[..., None] * edge) ** 2).sum(axis=2).min(axis=1)))


def rings(edges: npt.NDArray[np.int64], ends: Sequence[int]) -> list[Rings]:
    """Several areas whose edges stand one after the other."""
    return [Rings(np.asarray(each, np.int64)) for each in np.split(edges, ends[:-1])] if len(ends) else []
