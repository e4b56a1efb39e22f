"""Hexagons over a part of a Mercator map: corner up, in rows; as many as a screen can show, and no more."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from contracts.coverage import MOST_CELLS
from solvers.arrays import Floats

EDGE_LATITUDE = 85.05  # where a Mercator map ends
FINEST = 2.0**-17  # of the map's width: about 300 m at the equator


@dataclass(frozen=True)
class Grid:
    """Cells whose centre lies in `[left, right] x [top, bottom]`, in widths of the map.

    The side is one of a few, and the rows begin where the map does: moved a little, the map has the same
    cells.
    """

    left: float
    top: float
    right: float
    bottom: float
    side: float

    @classmethod
    def over(cls, west: float, south: float, east: float, north: float) -> Grid:
        """The finest with no more than `MOST_CELLS` cells."""
        left, right = west / 360 + 0.5, east / 360 + 0.5
        right += 1.0 if right < left else 0.0
        top, bottom = _down(north), _down(south)
        side = FINEST
        while _rough(right - left, bottom - top, side) > MOST_CELLS:
            side *= math.sqrt(2)
        return cls(left, top, right, bottom, side)

    def centres(self) -> Floats:
        """(n, 2) degrees `[lon, lat]`, row by row."""
        width, height = math.sqrt(3) * self.side, 1.5 * self.side
        rows = np.arange(math.floor(self.top / height), math.ceil(self.bottom / height) + 1)
        columns = np.arange(math.floor(self.left / width) - 1, math.ceil(self.right / width) + 1)
        y = np.repeat(rows * height, len(columns))
        x = (columns[None, :] + 0.5 * (rows % 2)[:, None]).ravel() * width
        within = (x >= self.left - width) & (x <= self.right + width) & (y > 0) & (y < 1)
        lon = (x[within] - 0.5) * 360
        lat = np.degrees(np.arctan(np.sinh(math.pi * (1 - 2 * y[within]))))
        return np.stack([(lon + 180) % 360 - 180, lat], axis=1)


def _down(latitude: float) -> float:
    """How far down a Mercator map a latitude lies, 0 to 1."""
    kept = math.radians(max(-EDGE_LATITUDE, min(EDGE_LATITUDE, latitude)))
    return 0.5 - math.asinh(math.tan(kept)) / (2 * math.pi)


def _rough(width: float, height: float, side: float) -> float:
    """No fewer cells than there will be, the rim included."""
    return (width / (math.sqrt(3) * side) + 4) * (height / (1.5 * side) + 3)
