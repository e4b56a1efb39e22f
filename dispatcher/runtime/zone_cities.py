"""The city that a time zone is called by: about where a market is, when nothing else says so."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from contracts.geo import Position

_COORDINATES = re.compile(r"([+-]\d\d)(\d\d)(\d\d)?([+-]\d{3})(\d\d)(\d\d)?")  # ISO 6709, as in zone.tab


def city_of(zone: str) -> Position | None:
    """[lon, lat] in degrees; None for a zone that stands for no place (UTC), or by an older name only."""
    return _cities().get(zone)


@cache
def _cities() -> dict[str, Position]:
    """Of the tzdata package, which the service needs anyhow: some hundred lines."""
    found = {}
    for table in ("zone1970.tab", "zone.tab"):
        text = (resources.files("tzdata") / "zoneinfo" / table).read_text(encoding="utf-8")
        for line in text.splitlines():
            if not line.startswith("#"):
                _, coordinates, zone, *_ = line.split("\t")
                found[zone] = _position(coordinates)
    return found


def _position(text: str) -> Position:
    parts = _COORDINATES.fullmatch(text)
    if parts is None:
        raise ValueError(f"{text} is no place on the globe, as ISO 6709 writes one")
    lat, lon = (_degrees(*parts.groups()[k : k + 3]) for k in (0, 3))
    return lon, lat


def _degrees(whole: str, minutes: str, seconds: str | None) -> float:
    size = abs(int(whole)) + int(minutes) / 60 + int(seconds or 0) / 3_600
    return -size if whole.startswith("-") else size
