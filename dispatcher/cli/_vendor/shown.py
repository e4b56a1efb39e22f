"""For people: tables, money, local times; what others wrote cannot move the cursor or turn text around."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from contracts.geo import Position
from contracts.needs import PassengerNeeds
from contracts.offers import Offer

NOTHING = "–"


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> list[str]:
    """Aligned columns below their heads; `empty` where there is no row."""
    cells = [[clean(str(each)) for each in row] for row in rows]
    if not cells:
        return [empty]
    widths = [max(len(row[place]) for row in (heads, *cells)) for place in range(len(heads))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in (heads, *cells)
    ]


def facts(pairs: Iterable[tuple[str, Any]]) -> list[str]:
    """A line for each that is said."""
    said = [(name, clean(str(value))) for name, value in pairs if value not in (None, "")]
    width = max((len(name) for name, _ in said), default=0)
    return [f"{name.ljust(width)}  {value}" for name, value in said]


def clean(text: str) -> str:
    """What cannot be printed is told by its code."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text
    )


def when(at: datetime | None) -> str:
    """By the clock of this machine, with its zone."""
    return NOTHING if at is None else at.astimezone().strftime("%a %d %b %H:%M %Z")


def money(cents: int | None) -> str:
    """US dollars."""
    return NOTHING if cents is None else f"{'-' if cents < 0 else ''}${abs(cents) / 100:,.2f}"


def place(position: Position | None) -> str:
    """Latitude first, as maps are searched."""
    return NOTHING if position is None else f"{position[1]:.5f}, {position[0]:.5f}"


def what(offer: Offer) -> str:
    """The service, and what it needs."""
    if offer.lines:
        return ", ".join(f"{each.quantity} {each.hcpcs}" for each in offer.lines)
    said = [str(offer.level_of_service or offer.kind), *(_needs(offer.needs) if offer.needs else ())]
    return ", ".join(said)


def _needs(needs: PassengerNeeds) -> Iterable[str]:
    if needs.oxygen_l_min:
        yield f"oxygen {needs.oxygen_l_min:g} l/min"
    if needs.stairs:
        yield f"{needs.stairs} stairs"
    if needs.weight_kg:
        yield f"{needs.weight_kg} kg"
    if needs.escorts:
        yield f"{needs.escorts} along"
