"""Tables of a page that is written by hand, each between two comments that name it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

BEGINS, ENDS = "<!-- table: {} -->", "<!-- end of table -->"


def filled(before: str, tables: Mapping[str, Callable[[], list[str]]], page: str) -> str:
    """The page, its tables made anew. Raises ValueError where one has no place, or several."""
    for name, make in tables.items():
        begins = BEGINS.format(name)
        pattern = re.compile(f"{re.escape(begins)}.*?{ENDS}", re.DOTALL)
        made = "\n".join([begins, *make(), ENDS])
        before, count = pattern.subn(lambda _, made=made: made, before)
        if count != 1:
            raise ValueError(f"{page} has {count} tables {name}\nMaybe one of its comments is missing.")
    return before


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Its lines."""
    names = list(head)
    lines = [names, ["---"] * len(names), *map(list, rows)]
    return [f"| {' | '.join(each)} |" for each in lines]
