"""Precedence and bundles as a forest: tied requests are priced exactly together (kernels/ties.c)."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from solvers.arrays import Ints
from solvers.assignment.exactness import SCALE
from solvers.assignment.instance import Instance
from solvers.kernels.layouts import TIES
from solvers.kernels.library import Struct, library

CEILING: Final = 2**56  #: as in kernels/dual.h
_OF_COLUMNS: Final = ("first", "sorted", "place", "reach", "low", "high", "value")


class Ties:
    """The tied requests and their columns. A pair that closes a cycle is left out: still a bound."""

    def __init__(self, instance: Instance) -> None:
        self._instance, self.requests = instance, np.flatnonzero(np.diff(instance.link_first))
        sizes = np.diff(instance.first)[self.requests]
        step = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        self.columns: Ints = np.repeat(instance.first[self.requests], sizes) + step  #: kept ones, ascending
        self._value, self._alone = np.zeros(len(step), np.int64), np.zeros(len(sizes), np.int64)
        fields, self.size = _fields_of(instance, self._value, self._alone)
        self.struct = Struct(TIES, **fields)
        #: the same with some of the columns, which the kernels choose
        self.near = Struct(TIES, **fields | {name: np.zeros_like(fields[name]) for name in _OF_COLUMNS})

    def regrets(self, priced: Ints) -> tuple[Ints, Ints]:
        """How much more than at its cheapest a tree costs with each column at the least, and unmatched.

        `priced`: what the columns cost at the prices, x SCALE, as are the regrets.
        """
        self._value[:] = np.minimum(priced, CEILING)
        self._alone[:] = self._instance.penalty[self.requests] * SCALE
        library().ties_regrets(self._instance.struct.address, self.struct.address)
        return self._value, self._alone


def _fields_of(instance: Instance, value: Ints, alone: Ints) -> tuple[dict[str, Any], Ints]:
    """What the kernels read, and how many requests are in the tree of each."""
    tied = np.flatnonzero(np.diff(instance.link_first))
    sizes = np.diff(instance.first)[tied]
    first = np.concatenate([[0], np.cumsum(sizes)])
    parent, pair, order = _forest(instance, {int(r): k for k, r in enumerate(tied)})
    reach = _reach(instance, first, tied, parent, pair)
    longest = int(sizes.max(initial=1))
    tree = np.cumsum(parent[order] < 0)[np.argsort(order)] - 1
    fields = dict(
        size=len(tied),
        request=tied.astype(np.int32),
        first=first.astype(np.int32),
        order=order.astype(np.int32),
        parent=parent.astype(np.int32),
        pair=pair.astype(np.int32),
        **{name: array.astype(np.int32) for name, array in reach._asdict().items()},
        value=value,
        alone=alone,
        pick=np.zeros(len(tied), np.int32),
        least=np.zeros(longest * longest.bit_length(), np.int64),
        rest=np.zeros(longest, np.int64),
        rank=np.zeros(first[-1], np.int32),
        passed=np.zeros(longest + 1, np.int32),
        width=longest,
    )
    return fields, np.bincount(tree, minlength=1)[tree]


def _forest(instance: Instance, index: dict[int, int]) -> tuple[Ints, Ints, Ints]:
    """Parent and pair of each tied request, and an order with parents before children."""
    near: list[list[tuple[int, int]]] = [[] for _ in index]
    top = list(range(len(index)))
    for pair, (one, two) in enumerate(zip(instance.before.tolist(), instance.after.tolist(), strict=True)):
        a, b = index[one], index[two]
        above, below = _top(top, a), _top(top, b)
        if above != below:  # in order: what a bundle adds to its sequence comes last
            top[below] = above
            near[a].append((b, pair))
            near[b].append((a, pair))
    parent, by, order, seen = np.full(len(index), -1), np.full(len(index), -1), [], [False] * len(index)
    for root in range(len(index)):
        stack = [] if seen[root] else [root]
        seen[root] = True
        while stack:
            k = stack.pop()
            order.append(k)
            for other, pair in near[k]:
                if not seen[other]:
                    seen[other] = True
                    parent[other], by[other] = k, pair
                    stack.append(other)
    return parent, by, np.array(order, np.int64)


def _top(top: list[int], k: int) -> int:
    """Who stands for all that k is joined to so far."""
    while top[k] != k:
        top[k] = k = top[top[k]]
    return k


class _Reach(NamedTuple):
    """Which columns of a child go with each of its parent's: a stretch of the child's, sorted by time."""

    sorted: Ints  #: columns; within the request, in order of when they begin or end
    place: Ints  #: columns; the other way
    reach: Ints  #: size; where the child's stretches begin, one for each column of its parent
    low: Ints
    high: Ints


def _reach(instance: Instance, first: Ints, tied: Ints, parent: Ints, pair: Ints) -> _Reach:
    begin, end, edge = instance.begin, instance.end, first.tolist()
    ordered, place = np.zeros(first[-1], np.int64), np.zeros(first[-1], np.int64)
    at, low, high = np.zeros(len(tied), np.int64), [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    done = 0
    for k, (up, by) in enumerate(zip(parent.tolist(), pair.tolist(), strict=True)):
        if up < 0:
            continue
        own, others = slice(edge[k], edge[k + 1]), slice(edge[up], edge[up + 1])
        least, most = int(instance.lag[by]), int(instance.most[by])
        since = begin if instance.from_start[by] else end
        if instance.after[by] == tied[k]:
            times, earliest, latest = begin[own], since[others] + least, since[others] + most
        else:
            times, earliest, latest = since[own], begin[others] - most, begin[others] - least
        order = ordered[own] = np.argsort(times, kind="stable")
        place[own][order] = np.arange(len(order))
        low.append(np.searchsorted(times[order], earliest, side="left"))
        high.append(np.searchsorted(times[order], latest, side="right"))
        at[k], done = done, done + len(earliest)
    return _Reach(ordered, place, at, np.concatenate(low), np.concatenate(high))
