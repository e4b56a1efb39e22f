"""Starts beside the even steps of a window: when a rule begins to allow what it refused just before.

Without them a longer window, tried in wider steps, could have a worse answer than a shorter one in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from solvers.arrays import Ints, counting

Begins = tuple[Ints, Ints]  #: options (indices), and an instant for each
NO_BEGINS: Final[Begins] = (np.zeros(0, np.int64), np.zeros(0, np.int64))
_BITS: Final = 36  # two years in ms: one key holds a row and an instant


@dataclass(frozen=True, eq=False)
class Options:
    """n of (request, vendor, resource), each with its window `[first_ms, last_ms]` for the start."""

    request: Ints
    vendor: Ints
    resource: Ints
    first_ms: Ints
    last_ms: Ints
    least_ms: Ints  #: a unit is taken for no less
    since_ms: int  #: no instant of theirs is earlier

    def among(self, owner: Ints, at_ms: Ints, of: Ints) -> tuple[Ints, Ints]:
        """Options, and for each the index of an instant of owner `of` (n) in its window, after the beginning.

        `owner`, `at_ms`: all instants, sorted by owner and time.
        """
        if not len(of):
            return NO_BEGINS
        near = np.flatnonzero((at_ms > self.first_ms.min()) & (at_ms <= self.last_ms.max()))
        if not len(near):
            return NO_BEGINS
        keys = self.keys(owner[near], at_ms[near])
        low = np.searchsorted(keys, self.keys(of, self.first_ms), side="right")
        count = np.maximum(np.searchsorted(keys, self.keys(of, self.last_ms), side="right") - low, 0)
        option = np.repeat(np.arange(len(of)), count)
        return option, near[low[option] + counting(count)]

    def keys(self, row: Ints, at_ms: Ints) -> Ints:
        """Sorted like (row, instant); instants before `since_ms` count as that."""
        return np.asarray((row << _BITS) + np.maximum(at_ms - self.since_ms, 0))


def sorted_once(options: Options, some: list[Begins]) -> Begins:
    """All of them by option and time, each once, without the beginning of a window."""
    option, at_ms = (np.concatenate([each[axis] for each in some]) for axis in (0, 1))
    keys = np.unique(options.keys(option, at_ms))
    option = keys >> _BITS
    return option, (keys & ((1 << _BITS) - 1)) + options.since_ms
