"""Travel times by road as far as they are known, for one plan or call: what it said once it says again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

import numpy as np

from solvers.arrays import Flags, Floats, Ints
from solvers.known_travel import Answers, KnownTravel, Pair, TravelSource, points
from solvers.travel import DetourTravel, Travel

Hours = Set[int]
Look = Callable[
    [Mapping[Pair, Hours]], Mapping[Pair, Answers]
]  #: known by now; the rest is asked for meanwhile


class RoadTravel(TravelSource):
    """A `TravelTimes` and a `TravelSource`. It pickles as the table of what it has looked at."""

    def __init__(self, look: Look, fallback: DetourTravel) -> None:
        self._look, self._fallback = look, fallback
        self._said: dict[Pair, Answers] = {}

    def between(self, origins: Floats, destinations: Floats, departure_hour: Ints) -> Travel:
        """See `TravelTimes.between`."""
        hours = [(hour,) for hour in departure_hour.tolist()]
        return self._known(origins, destinations, hours).between(origins, destinations, departure_hour)

    def table(self, origins: Floats, destinations: Floats, hours: Flags) -> KnownTravel:
        """See `TravelSource.table`."""
        return self._known(origins, destinations, [np.flatnonzero(each).tolist() for each in hours])

    def _known(self, origins: Floats, destinations: Floats, hours: Sequence[Sequence[int]]) -> KnownTravel:
        asked = _asked(points(origins), points(destinations), hours)
        new = {pair: at for pair, at in asked.items() if pair not in self._said}
        if new:
            self._said |= self._look(new)
        known = {pair: self._said[pair] for pair in asked}
        return KnownTravel.of({pair: each for pair, each in known.items() if each}, self._fallback)

    def __reduce__(self) -> tuple[Any, ...]:
        known = {pair: each for pair, each in self._said.items() if each}
        return KnownTravel.of, (known, self._fallback)

    def __repr__(self) -> str:
        """As the table: by what it says."""
        return repr(KnownTravel.of({pair: each for pair, each in self._said.items() if each}, self._fallback))


def _asked(origins: Ints, destinations: Ints, hours: Sequence[Sequence[int]]) -> dict[Pair, set[int]]:
    """Each pair once, with the hours for which it is asked; who stays where they are needs no road."""
    asked = dict[Pair, set[int]]()
    for origin, destination, each in zip(origins.tolist(), destinations.tolist(), hours, strict=True):
        if origin != destination:
            asked.setdefault(Pair(origin, destination), set()).update(each)
    return asked
