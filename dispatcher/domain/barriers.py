"""What is kept of a barrier: with its request while that is kept, and as a count of its week beyond."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from contracts.barriers import MAX_ROWS, BarrierCode, BarrierView, PatternQuery, PatternRow
from contracts.instants import to_instant
from contracts.tuning import Parameter
from dispatcher.domain.compact import Compact

LEAST = Parameter(
    name="patterns_least",
    default=5,
    minimum=1,
    maximum=100,
    unit="requests",
    summary="Patterns tell counts in whole multiples of this, by a draw up or down; 1: all as they are.",
    scope="domain.barriers",
)
KEPT = Parameter(
    name="patterns_retention_days",
    default=400,
    minimum=7,
    maximum=1_830,
    unit="days",
    summary="A week's counts of barriers go this long after the last of them changed.",
    scope="domain.barriers",
)
PARAMETERS = (LEAST, KEPT)


class Barrier(Compact, frozen=True):
    """Why a request ended without its service. `sealed`: a note, encrypted, for it may name a patient."""

    code: BarrierCode
    at_ms: int
    by: str = ""
    subject: str = ""
    suggested: bool = False  # it follows from how the request ended; nobody has said it
    sealed: bytes = b""


class Cell(NamedTuple):
    """What is counted of one barrier beside its week; nothing of a patient, no request's id."""

    code: str
    facility: str
    vendor_id: str
    service_class: str


Parts = Mapping[tuple[str, Cell], int]  # counts by week and cell
Draw = Callable[[bytes], int]  # a number that follows from these bytes, and that nobody else can work out
WAYS = ("code", "facility", "vendor", "service_class", "week")  # the fields of a cell, and its week


class PatternCount(msgspec.Struct, frozen=True):
    """One more, or one less, of a cell in a week (`2026-W10`, UTC); `kept_ms`: for how long from now."""

    week: str
    cell: Cell
    by: int
    kept_ms: int


def week_of(at_ms: int) -> str:
    """The ISO week of a moment, UTC."""
    return f"{to_instant(at_ms):%G-W%V}"


def barrier_view(barrier: Barrier, note: str = "") -> BarrierView:
    """As people read it."""
    return BarrierView(
        code=barrier.code,
        at=to_instant(barrier.at_ms),
        suggested=barrier.suggested,
        by=barrier.by,
        subject=barrier.subject,
        note=note,
    )


def matches(cell: Cell, query: PatternQuery) -> bool:
    """Whether all that is asked for holds of it."""
    wanted = (query.code, query.facility, query.vendor_id, query.service_class)
    return all(each is None or each == has for each, has in zip(wanted, cell, strict=True))


def rows(counts: Mapping[str, Parts], least: int, draw: Draw) -> tuple[PatternRow, ...]:
    """The most frequent first; none so close that a small one could be worked out from others.

    To one of the two whole multiples beside it, the nearer the likelier, by a draw: what is told as 0 is not
    told. Rounded down, what is hidden could be worked out: four weeks of which each has some and all together
    fewer than five have one each.
    """
    told = {name: _rounded(parts, least, draw) for name, parts in counts.items()}
    named = sorted((name for name in told if told[name]), key=lambda name: (-told[name], name))
    return tuple(PatternRow(name=name, count=told[name]) for name in named[:MAX_ROWS])


def _rounded(parts: Parts, least: int, draw: Draw) -> int:
    """The same counts are told alike whichever question finds them: asked often, no average tells more."""
    count = sum(parts.values())
    if count <= 0 or least == 1:
        return max(count, 0)
    said = "\n".join(":".join((week, *cell, str(number))) for (week, cell), number in sorted(parts.items()))
    return (count + draw(said.encode()) % least) // least * least


def summed(cells: Parts, least: int, draw: Draw) -> dict[str, tuple[PatternRow, ...]]:
    """Counts by week and cell, in each of the ways in which they are told."""
    ways: dict[str, dict[str, dict[tuple[str, Cell], int]]] = {f"by_{each}": {} for each in WAYS}
    for (week, cell), count in cells.items():
        for way, name in zip(ways.values(), (*cell, week), strict=True):
            way.setdefault(name, {})[week, cell] = count
    return {name: rows(way, least, draw) for name, way in ways.items()}
