"""Who loses: what becomes of each level, area, vendor, hour and priority."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solvers.compare.difference import Difference, Kind
from solvers.compare.side import NOBODY, Asked, Side

VENDOR = "vendor"


@dataclass(frozen=True)
class Group:
    """Of one level, area …: how many requests are matched, and how many gain, lose or move."""

    by: str
    name: str
    requests: int
    before: int
    after: int
    gained: int
    lost: int
    moved: int


def groups(asked: Asked, before: Side, after: Side, found: Difference, vendors: Sequence[str]) -> list[Group]:
    """All that changes, by kind of group; of each kind who loses most first."""
    made = [each for by, labels in asked.groups.items() for each in _by(by, labels, before, after, found)]
    made += _of_vendors(before, after, found, vendors)
    changed = [each for each in made if each.gained or each.lost or each.moved]
    return sorted(changed, key=lambda each: (each.by, each.after - each.before, each.name))


def _by(by: str, labels: Sequence[str], before: Side, after: Side, found: Difference) -> list[Group]:
    names, which = np.unique(np.array(labels, np.str_), return_inverse=True)

    def count(flags: object) -> list[int]:
        sums = np.bincount(which, weights=np.asarray(flags, np.float64), minlength=len(names))
        return [int(each) for each in sums]

    columns = [count(np.ones(len(labels))), count(before.matched), count(after.matched)]
    columns += [count(found.kind == kind) for kind in (Kind.GAINED, Kind.LOST, Kind.MOVED)]
    return [Group(by, str(name), *row) for name, *row in zip(names, *columns, strict=True)]


def _of_vendors(before: Side, after: Side, found: Difference, vendors: Sequence[str]) -> list[Group]:
    """A vendor gains what comes to it, from nobody or from another, and loses what leaves it."""
    had, has = Counter(before.vendor.tolist()), Counter(after.vendor.tolist())
    other = before.vendor != after.vendor
    came, left = Counter(after.vendor[other].tolist()), Counter(before.vendor[other].tolist())
    shifted = Counter(after.vendor[~other & found.changed].tolist())
    rows = sorted((had.keys() | has.keys()) - {NOBODY})
    return [
        Group(
            VENDOR, vendors[row], had[row] or has[row], had[row], has[row], came[row], left[row], shifted[row]
        )
        for row in rows
    ]
