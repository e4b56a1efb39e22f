"""What became of R requests under one set of settings, as arrays; request i is the same on every side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from solvers.arrays import Flags, Floats, Ints

NOBODY = -1
# What became of an edge: its later work did not begin; it began in sequence, and one of the two was not done;
# both were done, in sequence or not; it began out of sequence, and one of the two was not done.
NOT_BEGUN, BEGUN, IN_SEQUENCE, OUT_OF_SEQUENCE, BROKEN = range(5)


@dataclass(frozen=True, eq=False)
class Asked:
    """What was asked for. `groups` holds, by name (level, area, hour …), a label for each request."""

    earliest_ms: Ints  #: R
    latest_ms: Ints  #: R
    urgent: Flags  #: R
    groups: dict[str, Sequence[str]]

    def __len__(self) -> int:
        return len(self.earliest_ms)


@dataclass(frozen=True, eq=False)
class Side:
    """One outcome. Vendors are rows of a list that both sides share."""

    vendor: Ints  #: R; `NOBODY` for none
    start_ms: Ints  #: R; 0 where there is none
    price_cents: Ints  #: R; 0 where there is none
    terms: Ints  #: R x T; cents of each cost term, 0 where there is no vendor
    declined: Floats  #: R; offers that were declined or never answered, or so many as are expected to be
    late_min: Ints  #: R; minutes beyond what counts as on time, 0 for who is not late
    why: Sequence[str]  #: R; for who has no vendor: the rule that left none, or that others took the capacity
    posted: Ints  #: V; unit buckets that a vendor has over the time in view
    used: Ints  #: V; of these, taken
    slack: int  #: unit minutes free in the two hours that are looked at
    cost: int = 0  #: what the solver paid, all together
    bound: int = 0  #: what it is proven to pay at the least
    solve_ms: int = 0
    pairs: Floats = field(default_factory=lambda: np.zeros(0))  #: P; see `OUT_OF_SEQUENCE` … of each edge
    calls_min: Floats = field(default_factory=lambda: np.zeros(0))  #: of each will-call that was called

    @property
    def matched(self) -> Flags:
        """R."""
        return np.asarray(self.vendor >= 0)

    @property
    def late(self) -> Flags:
        """R."""
        return np.asarray(self.late_min > 0)

    def outside_min(self, asked: Asked) -> Ints:
        """R; minutes by which the start lies outside of the window that was wished for."""
        before = np.maximum(asked.earliest_ms - self.start_ms, 0)
        after = np.maximum(self.start_ms - asked.latest_ms, 0)
        return np.where(self.matched, (before + after) // 60_000, 0)
