"""Tiles: pairs that are asked for in one call, as a matrix of their origins and destinations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from contracts.geo import Position
from solvers.known_travel import Answer, Pair, position

LONGEST_S = 7 * 86_400.0  # a longer "ride" is no answer
FARTHEST_FROM_ROAD_M = 1_000.0  # a point that is farther from any road is in the sea, or off the map


class StrangeAnswer(Exception):
    """The server's answer is not what it should be; says what, and no place."""


class Refused(Exception):
    """The server does not answer for these points together; in smaller tiles it may for most of them."""


class TooLarge(Refused):
    """The tile is larger than the server takes."""


@dataclass(frozen=True)
class Tile:
    """Pairs that are asked for at one local hour."""

    pairs: tuple[Pair, ...]
    hour: int

    @cached_property
    def origins(self) -> tuple[int, ...]:
        """Each origin once."""
        return tuple(dict.fromkeys(pair.origin for pair in self.pairs))

    @cached_property
    def destinations(self) -> tuple[int, ...]:
        """Each destination once."""
        return tuple(dict.fromkeys(pair.destination for pair in self.pairs))

    def halves(self) -> tuple[Tile, Tile]:
        """The same pairs in two tiles."""
        middle = len(self.pairs) // 2
        return Tile(self.pairs[:middle], self.hour), Tile(self.pairs[middle:], self.hour)


class Call(NamedTuple):
    """One HTTP call. With a body it is a POST."""

    path: str
    body: Any = None


class Server(Protocol):
    """A kind of routing server: how it is asked and what it answers. No I/O."""

    @property
    def kind(self) -> str:
        """Its name."""
        ...

    @property
    def by_hour(self) -> bool:
        """Whether it may know the traffic of an hour."""
        ...

    @property
    def largest(self) -> int:
        """Limit of a tile unless the server is configured."""
        ...

    def fits(self, origins: int, destinations: int, most: int) -> bool:
        """Whether a tile of so many origins and destinations is within a limit of `most`."""
        ...

    def call(self, tile: Tile) -> Call:
        """What to ask."""
        ...

    def read(self, tile: Tile, status: int, body: bytes) -> list[Answer | None]:
        """Of each pair the answer; None: there is no road. Raises Refused, StrangeAnswer."""
        ...


def first_tile(wanted: Sequence[Pair], hour: int, fits: Callable[[int, int], bool]) -> Tile:
    """As many of these pairs, in their order, as fit into one tile; one at the least."""
    origins, destinations, taken = set[int](), set[int](), list[Pair]()
    for pair in wanted:
        origins.add(pair.origin)
        destinations.add(pair.destination)
        if taken and not fits(len(origins), len(destinations)):
            break
        taken.append(pair)
    return Tile(tuple(taken), hour)


def places(of: Sequence[int]) -> list[Position]:
    """Where rounded points are."""
    return [position(each) for each in of]


def usable(seconds: float | None, metres: float | None, off_road_m: float, by_hour: bool) -> Answer | None:
    """The answer, unless it cannot be one: nothing, 0 or less, beyond all measure, or far from the points."""
    if seconds is None or metres is None or off_road_m > FARTHEST_FROM_ROAD_M:
        return None
    return (
        Answer(seconds, metres, by_hour)
        if 0 < seconds <= LONGEST_S and 0 < metres < LONGEST_S * 100
        else None
    )
