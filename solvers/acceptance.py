"""How likely a vendor is to take an offer: counts of answers, shrunk towards the vendor and the market.

An answer is counted in a cell: level of service, how far ahead it was asked, and the hour and kind of day at
which the window opens. Nobody has answers enough in every cell. So each begins with what is known of more:
the market on the whole, the market by each of the four, the vendor on the whole, the vendor by each of the
four, and last the vendor's cell itself. Each step takes the mean of a Beta distribution whose prior is what
the steps before expect, worth some answers; it moves the log-odds of all cells that it is about alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from solvers.arrays import Floats, Ints
from solvers.screening import ALL_OTHERS, CLASS_INDEX, CLASSES

HOUR_MS: Final = 3_600_000
LEADS_H: Final = (2, 24)  #: where one band of lead ends and the next begins
HOURS: Final = 6  #: of the clock, in one band
SHAPE: Final = (len(CLASSES), len(LEADS_H) + 1, 24 // HOURS, 2)  #: level, lead, hour, weekend
CELLS: Final = int(np.prod(SHAPE))
SATURDAY: Final = 5
LEAST, MOST = 0.02, 0.995  # nobody is certain
WHOLE: Final = 1000  # told per mille, so that arrays and messages know the same number
_STORED: Final = np.dtype("<i2")
# Over which axes of vendor x level x lead x hour x weekend a step adds up, and how many times `weight` its
# prior is worth: one answer is told of in several steps, and says most of its vendor on the whole.
_STEPS: Final = (
    ((0, 2, 3, 4), 4), ((0, 1, 3, 4), 4), ((0, 1, 2, 4), 4), ((0, 1, 2, 3), 4),
    ((1, 2, 3, 4), 1), ((2, 3, 4), 4), ((1, 3, 4), 4), ((1, 2, 4), 4), ((1, 2, 3), 4), ((), 4),
)  # fmt: skip


class Cell(NamedTuple):
    """Where an answer is counted: a place in each band."""

    level: int
    lead: int
    hour: int
    weekend: int

    @property
    def place(self) -> int:
        """Its number among all cells."""
        _, leads, hours, kinds = SHAPE
        return ((self.level * leads + self.lead) * hours + self.hour) * kinds + self.weekend


def cell_of(level: str, lead_ms: int, hour: int, weekday: int) -> Cell:
    """Of a level of service (or `equipment`), a lead, an hour of the clock and a weekday (0: Monday)."""
    lead = sum(lead_ms >= each * HOUR_MS for each in LEADS_H)
    return Cell(CLASS_INDEX[level], lead, hour // HOURS, int(weekday >= SATURDAY))


def places(level: Ints, lead_ms: Ints, minute_of_day: Ints, weekday: Ints) -> Ints:
    """The same for n of them, as numbers; `level`: index into `CLASSES`."""
    _, leads, hours, kinds = SHAPE
    lead = np.searchsorted(np.array(LEADS_H, np.int64) * HOUR_MS, lead_ms, side="right")
    band = minute_of_day // (60 * HOURS)
    return np.asarray(((level * leads + lead) * hours + band) * kinds + (weekday >= SATURDAY), np.int64)


def tables(
    yes: Mapping[str, Floats],
    asked: Mapping[str, Floats],
    *,
    unknown: float,
    weight: float,
    sure: Floats | None = None,
) -> dict[str, bytes]:
    """What is expected in each cell, by vendor; under `ALL_OTHERS` of one of whom nothing is known.

    `yes`, `asked`: of each vendor how often, by cell (`CELLS`), with what is old counting less. `unknown`:
    expected where nobody has answered yet. `weight`: of how many answers a vendor needs to be half believed.
    `sure`: V x classes, by name of the vendor; how far it costs more to be less likely than others, 0..1.
    Each table has CELLS shares that are expected, and CELLS for which a vendor is taken by what it costs.
    """
    names, none = [ALL_OTHERS, *sorted(asked)], np.zeros(CELLS)
    said, of = (
        np.array([counts.get(each, none) for each in names]).reshape(-1, *SHAPE) for counts in (yes, asked)
    )
    found = np.clip(_shrunk(said, of, unknown, weight), LEAST, MOST)
    taken = found if sure is None else _with_doubt(found, sure)
    told = np.rint(np.stack([found, taken], axis=1) * WHOLE).astype(_STORED)
    return {name: row.tobytes() for name, row in zip(names, told, strict=True)}


def _with_doubt(share: Floats, sure: Floats) -> Floats:
    """(1 + V) x the shape of the cells; the first are all others."""
    vain = 1.0 / share - 1.0
    more = np.maximum(vain[1:] - vain[0], 0.0) * (1.0 - sure.reshape(*sure.shape, 1, 1, 1))
    return np.asarray(1.0 / (1.0 + np.concatenate([vain[:1], vain[1:] - more])))


def _shrunk(yes: Floats, asked: Floats, unknown: float, weight: float) -> Floats:
    """V x the shape of the cells."""
    odds = np.full(asked.shape, _log_odds(np.array((yes.sum() + weight * unknown) / (asked.sum() + weight))))
    for axes, times in _STEPS:
        share, number = _share(odds), asked.sum(axes, keepdims=True)
        before = (asked * share).sum(axes, keepdims=True) / np.where(number > 0, number, 1.0)
        prior = times * weight
        after = (yes.sum(axes, keepdims=True) + prior * before) / (number + prior)
        odds += np.where(number > 0, _log_odds(after) - _log_odds(before), 0.0)
    return _share(odds)


def _share(odds: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-odds)))


def _log_odds(share: Floats) -> Floats:
    held = np.clip(share, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(held / (1.0 - held)))


def as_array(tables: Mapping[str, bytes], vendors: list[str]) -> npt.NDArray[np.int16]:
    """V x CELLS, per mille; for what each is taken by what it costs, -1 where nothing is known of anybody."""
    nothing = np.full(2 * CELLS, -1, _STORED).tobytes()
    rest = tables.get(ALL_OTHERS, nothing)
    rows = b"".join(tables.get(name, rest) for name in vendors)
    return np.frombuffer(rows, _STORED).reshape(-1, 2, CELLS)[:, 1].astype(np.int16)


def expected(tables: Mapping[str, bytes], vendor: str, cell: Cell) -> float | None:
    """How likely that vendor is to take it, 0..1; None where nothing is known, of anybody."""
    told = tables.get(vendor) or tables.get(ALL_OTHERS)
    return None if told is None else share_in(told, cell)


def share_in(table: bytes, cell: Cell) -> float:
    """What a vendor's table expects in a cell."""
    return _told(table, cell.place)


def taken_in(table: bytes, cell: Cell) -> float:
    """For what it is taken there by what it costs: who is hardly asked has the benefit of the doubt."""
    return _told(table, CELLS + cell.place)


def _told(table: bytes, place: int) -> float:
    at = _STORED.itemsize * place
    return int.from_bytes(table[at : at + _STORED.itemsize], "little", signed=True) / WHOLE


def in_vain(share: float) -> float:
    """How many offers come to nothing for one that is taken, on average, if all are as likely."""
    return 1.0 / share - 1.0
