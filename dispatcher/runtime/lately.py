"""What was made lately is made once: for many who ask for the same one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

Made = TypeVar("Made")
KEPT = 4


class Lately(Generic[Made]):
    """A function of values, and its last few answers.

    Unlike `lru_cache` it looks at whether a value is the same object before it looks at what it holds: a
    long tuple that many share is not gone through for each of them.
    """

    def __init__(self, make: Callable[..., Made]) -> None:
        self._make = make
        self._kept: deque[tuple[tuple[Any, ...], Made]] = deque(maxlen=KEPT)

    def __call__(self, *values: Any) -> Made:
        """The answer to these."""
        for known, made in self._kept:
            if known == values:
                return made
        made = self._make(*values)
        self._kept.append((values, made))
        return made
