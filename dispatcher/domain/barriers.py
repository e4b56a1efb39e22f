"""What is kept of a barrier: with its request while that is kept, and as a count of its week beyond."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
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
    summary="Patterns tell no count below this, and others in whole multiples of it; 1: all as they are.",
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


def rows(counts: Mapping[str, int], least: int) -> tuple[PatternRow, ...]:
    """The most frequent first; none so close that a small one could be worked out from the others.

    Whole multiples alone: were the others exact, a hidden count would be what is missing in a sum, or the
    difference of two periods.
    """
    told = {name: count // least * least for name, count in counts.items() if count > 0}
    named = sorted(told, key=lambda name: (-told[name], name))
    return tuple(PatternRow(name=name, count=told[name] or None) for name in named[:MAX_ROWS])


def summed(cells: Mapping[tuple[str, Cell], int], least: int) -> dict[str, tuple[PatternRow, ...]]:
    """Counts by week and cell, in each of the ways in which they are told."""
    ways: dict[str, Counter[str]] = {f"by_{each}": Counter() for each in ("code", "facility", "vendor")}
    ways |= {"by_service_class": Counter(), "by_week": Counter()}
    for (week, cell), count in cells.items():
        for way, name in zip(ways.values(), (*cell, week), strict=True):
            way[name] += count
    return {name: rows(way, least) for name, way in ways.items()}
