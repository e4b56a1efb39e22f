"""The tables of docs/tds.md, made from those that the code reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from contracts.webhooks import TELEGRAMS
from dispatcher.interop.tds.meaning import TAKEN
from dispatcher.interop.tds.orders import NUMBERS
from tools.marked_tables import filled, table


def tds_page(before: str) -> str:
    """The page, its tables made anew; the rest is written by hand."""
    return filled(before, TABLES, "docs/tds.md")


def _sent() -> list[str]:
    rows = [
        (f"`{kind}`", f"`{name}`", NUMBERS[name], f"`{form}`")
        for form, said in TELEGRAMS.items()
        for kind, name in said.items()
    ]
    return table(("event", "telegram", "number", "form"), rows)


def _taken() -> list[str]:
    rows = [
        (f"`{name}`", row.number, (row.meaning.__doc__ or "").strip(), f"`{row.answer}`")
        for name, row in TAKEN.items()
    ]
    return table(("telegram", "number", "what it does", "answer"), rows)


TABLES: Mapping[str, Callable[[], list[str]]] = {"sent": _sent, "taken": _taken}
