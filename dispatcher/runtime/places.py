"""Named places of the markets: what a vendor reads of where an offer is, before it may see the door."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from dispatcher.runtime.errors import UserError

COLUMNS = ["market", "name", "longitude", "latitude"]
MOST = 200  # of one market: a phone reads them all
LONGEST = 40


class Place(NamedTuple):
    """A district, a town: its name, and about where its middle is, in degrees."""

    name: str
    longitude: float
    latitude: float


def read_places(file: Path, markets: Collection[str]) -> Mapping[str, tuple[Place, ...]]:
    """By market, from a CSV file with the header `market,name,longitude,latitude`.

    Raises UserError: the file cannot be read; a line is not so, names no market of these, or is one too many.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            lines = list(csv.reader(opened))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it is no CSV file in UTF-8"
        raise UserError(
            f"DISPATCHER_PLACES is {file}, and it cannot be read: {reason}.",
            "Maybe its name, or its rights.",
        ) from None
    if lines[:1] != [COLUMNS]:
        raise UserError(
            f"DISPATCHER_PLACES is {file}, and it does not begin with the line {','.join(COLUMNS)}.",
            "Write it first.",
        )
    found: dict[str, list[Place]] = {market: [] for market in markets}
    for number, line in enumerate(lines[1:], 2):
        if line:
            market, place = _read(line, f"{file}, line {number}")
            if market not in found:
                raise UserError(f"{file}, line {number}: '{market}' is no market of this service.")
            found[market].append(place)
    if crowded := [market for market, places in found.items() if len(places) > MOST]:
        raise UserError(f"{file} has more than {MOST} places of {crowded[0]}.", "Maybe districts are enough.")
    return {market: tuple(places) for market, places in found.items()}


def _read(line: list[str], where: str) -> tuple[str, Place]:
    try:
        market, name, longitude, latitude = (each.strip() for each in line)
        place = Place(name, float(longitude), float(latitude))
    except ValueError:
        raise UserError(
            f"{where}: not a market, a name, a longitude and a latitude.",
            "Example: metro,Fairmount,-75.17,39.97",
        ) from None
    if not (0 < len(name) <= LONGEST and -180 <= place.longitude <= 180 and -90 <= place.latitude <= 90):
        raise UserError(
            f"{where}: a name has 1 to {LONGEST} characters, and a place is on the globe.",
            "Maybe longitude and latitude are swapped.",
        )
    return market, place
