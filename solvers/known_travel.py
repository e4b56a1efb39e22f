"""Travel times that are known of some pairs of points, as a table that goes to a solver process.

A point is rounded to a ten-thousandth of a degree (11 m), so that doors of one house are one point. What the
table does not have is answered by `DetourTravel`; no answer is ever 0 or less.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from contracts.geo import Position
from solvers.arrays import Flags, Floats, Ints, hash_arrays
from solvers.travel import DetourTravel, Travel

HOURS: Final = 24
LEAST_S: Final = 1.0  #: no ride is shorter, be it from one door to the next
_PER_DEGREE, _LONS, _LATS = 10_000, 1_800_000, 900_000


class Pair(NamedTuple):
    """From one rounded point to another, each as one number."""

    origin: int
    destination: int


class Answer(NamedTuple):
    """What a server says of a pair; `by_hour`: for the hour that it was asked for, with the traffic then."""

    seconds: float
    metres: float
    by_hour: bool = False


Answers = Mapping[int, Answer]  #: by local hour; one that is not `by_hour` stands under each hour known


class TravelSource(ABC):
    """Travel times of which more becomes known; what an instance has answered once stays."""

    @abstractmethod
    def table(self, origins: Floats, destinations: Floats, hours: Flags) -> KnownTravel:
        """What is known of n pairs, to be sent to a solver process; `hours` (n x 24): which will be asked."""


def points(positions: Floats) -> Ints:
    """Positions (n, 2) [lon, lat] as rounded points (n)."""
    lon, lat = np.rint(np.asarray(positions, np.float64).reshape(-1, 2) * _PER_DEGREE).astype(np.int64).T
    return np.asarray((lon + _LONS) * (2 * _LATS + 1) + lat + _LATS)


def position(point: int) -> Position:
    """Where a rounded point is."""
    lon, lat = divmod(point, 2 * _LATS + 1)
    return (lon - _LONS) / _PER_DEGREE, (lat - _LATS) / _PER_DEGREE


@dataclass(frozen=True, eq=False, repr=False)
class KnownTravel:
    """N pairs of P points, in the order of their keys; NaN where an hour is not known."""

    fallback: DetourTravel
    points: Ints  #: P, sorted
    keys: Ints  #: N, sorted; index of the origin x P + index of the destination
    seconds: Floats  #: N x 24
    metres: Floats  #: N x 24

    @classmethod
    def of(cls, known: Mapping[Pair, Answers], fallback: DetourTravel) -> KnownTravel:
        """An answer without traffic is stretched at each hour as the tuning stretches a ride so long."""
        pairs = sorted(known)
        found = np.array(pairs, np.int64).reshape(-1, 2)
        all_points = np.unique(found)
        at = np.searchsorted(all_points, found)
        seconds, metres = _by_hour([known[pair] for pair in pairs], fallback)
        return cls(fallback, all_points, at[:, 0] * len(all_points) + at[:, 1], seconds, metres)

    def between(self, origins: Floats, destinations: Floats, departure_hour: Ints) -> Travel:
        """See `TravelTimes.between`."""
        simple = self.fallback.between(origins, destinations, departure_hour)
        seconds, metres = np.maximum(simple.seconds, LEAST_S), simple.metres
        row = self._rows(points(origins), points(destinations))
        some = np.flatnonzero(row >= 0)
        some = some[np.isfinite(self.seconds[row[some], departure_hour[some]])]
        seconds[some] = self.seconds[row[some], departure_hour[some]]
        metres[some] = self.metres[row[some], departure_hour[some]]
        return Travel(seconds, metres)

    def _rows(self, origins: Ints, destinations: Ints) -> Ints:
        """Which row has each pair (n); -1: none."""
        if not len(self.keys):
            return np.full(len(origins), -1)
        ends = np.stack([origins, destinations])
        at = np.minimum(np.searchsorted(self.points, ends), len(self.points) - 1)
        key = at[0] * len(self.points) + at[1]
        row = np.minimum(np.searchsorted(self.keys, key), len(self.keys) - 1)
        here = (self.points[at] == ends).all(axis=0) & (self.keys[row] == key)
        return np.where(here, row, -1)

    def __repr__(self) -> str:
        """Names what it says, and no place: it stands for the table where a plan's input is named."""
        state = hashlib.blake2b(digest_size=8)
        arrays = {"points": self.points, "keys": self.keys, "seconds": self.seconds, "metres": self.metres}
        hash_arrays(state, arrays)
        return f"KnownTravel({len(self.keys)} pairs, {state.hexdigest()}, {self.fallback!r})"


def _by_hour(answers: Sequence[Answers], fallback: DetourTravel) -> tuple[Floats, Floats]:
    """Seconds and metres (N x 24) of N pairs."""
    told = np.full((3, len(answers), HOURS), np.nan)
    for row, by_hour in enumerate(answers):
        if len(set(by_hour.values())) == 1:  # of a server that knows no hours
            told[:, row, list(by_hour)] = np.array(next(iter(by_hour.values())), np.float64)[:, None]
            continue
        for hour, each in by_hour.items():
            told[:, row, hour] = each
    seconds, metres, has_traffic = told
    shape = fallback.driving_s(metres, np.arange(HOURS))
    freest = fallback.driving_s(metres, np.array(np.argmax(fallback.kmh)))
    return np.where(has_traffic == 1, seconds, seconds * shape / freest), metres
