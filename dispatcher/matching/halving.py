"""Which of many items make work on them fail, by halving: work that can be repeated and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def failing(items: Sequence[Item], works: Callable[[Sequence[Item]], bool], most: int) -> list[Item]:
    """Of items that fail together, those that make it fail by themselves; `most` + 1 are looked for at most.

    For one of n that takes 2 log2(n) tries with 2 n items. None where items fail only together: that is no
    item's fault.
    """
    found, middle = list[Item](), len(items) // 2
    for half in (items[:middle], items[middle:]):
        _look(half, works, most, found)
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
    if not items or len(found) > most or works(items):
        return
    if len(items) == 1:
        found.extend(items)
        return
    middle = len(items) // 2
    _look(items[:middle], works, most, found)
    _look(items[middle:], works, most, found)
