"""Which of many items make work on them fail, by halving: work that can be repeated and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def failing(items: Sequence[Item], works: Callable[[Sequence[Item]], bool], most: int) -> list[Item]:
    """Those that make it fail each by itself, in their order; no more than `most` + 1 are looked for.

    For k of n that takes about 2 k log2(n / k) tries, most of them of few items. None where items fail only
    together: that is no item's fault.
    """
    found = list[Item]()
    _look(items, works, most, found)
    return found


def faulty(items: Sequence[Item], works: Callable[[Sequence[Item]], bool], most: int) -> list[Item]:
    """The same, and without them the others work; else none: they are more than `most`, or not all of it."""
    found = failing(items, works, most)
    if not found or len(found) > most:
        return []
    return found if works([each for each in items if each not in found]) else []


def _look(
    items: Sequence[Item], works: Callable[[Sequence[Item]], bool], most: int, found: list[Item]
) -> None:
    if len(found) > most or works(items):
        return
    if len(items) == 1:
        found.extend(items)
    elif items:
        middle = len(items) // 2
        _look(items[:middle], works, most, found)
        _look(items[middle:], works, most, found)
