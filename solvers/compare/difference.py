"""The diff by request: who would move, gain a vendor or lose one, and what made it so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from solvers.arrays import Flags, Ints
from solvers.compare.side import Asked, Side

OTHERS = "others"  # no term of its own is cheaper: it gave way to others, or their place became free


class Kind(IntEnum):
    """What becomes of one request."""

    SAME = 0
    MOVED = 1  #: to another vendor, or to another start
    GAINED = 2  #: it has a vendor that had none
    LOST = 3


@dataclass(frozen=True, eq=False)
class Difference:
    """All arrays have R rows."""

    kind: Ints
    cents: Ints  #: by how much its price changes, of who has a vendor on both sides
    minutes: Ints  #: by how much its start moves, the same
    reason: Sequence[str]  #: a cost term, a rule, or `OTHERS`; "" for who stays

    @property
    def changed(self) -> Flags:
        """R; whether anything is otherwise."""
        return np.asarray(self.kind != Kind.SAME)

    def count(self, kind: Kind) -> int:
        """How many of one kind."""
        return int((self.kind == kind).sum())


def diff(asked: Asked, before: Side, after: Side, terms: Sequence[str]) -> Difference:
    """From one side to the other; `terms` names the cost terms."""
    both = before.matched & after.matched
    moved = both & ((before.vendor != after.vendor) | (before.start_ms != after.start_ms))
    kind = np.full(len(asked), Kind.SAME, np.int64)
    kind[moved], kind[~before.matched & after.matched] = Kind.MOVED, Kind.GAINED
    kind[before.matched & ~after.matched] = Kind.LOST
    cents = np.where(both, after.price_cents - before.price_cents, 0)
    minutes = np.where(both, (after.start_ms - before.start_ms) // 60_000, 0)
    return Difference(kind, cents, minutes, _reasons(kind, before, after, terms))


def _reasons(kind: Ints, before: Side, after: Side, terms: Sequence[str]) -> list[str]:
    """Of a move, the term that falls most; of a loss, what leaves it nobody; of a gain, what did before."""
    reasons = [""] * len(kind)
    falls = before.terms - after.terms
    for row in np.flatnonzero(kind != Kind.SAME).tolist():
        if kind[row] == Kind.MOVED:
            best = int(falls[row].argmax()) if terms else 0
            reasons[row] = terms[best] if terms and falls[row, best] > 0 else OTHERS
        else:
            reasons[row] = (before if kind[row] == Kind.GAINED else after).why[row] or OTHERS
    return reasons
