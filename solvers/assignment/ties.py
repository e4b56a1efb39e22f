"""Precedence and bundles as a forest: tied requests are priced exactly together (kernels/ties.c)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from solvers.arrays import Ints
from solvers.assignment.instance import Instance
from solvers.kernels.layouts import TIES
from solvers.kernels.library import Struct


def ties_of(instance: Instance) -> Struct:
    """The tied requests and their columns. A pair that closes a cycle is left out: still a bound."""
    tied = np.flatnonzero(np.diff(instance.link_first))
    sizes = np.diff(instance.first)[tied]
    first = np.concatenate([[0], np.cumsum(sizes)])
    parent, pair, order = _forest(instance, {int(r): k for k, r in enumerate(tied)})
    reach = _reach(instance, first, tied, parent, pair)
    longest = int(sizes.max(initial=1))
    return Struct(
        TIES,
        size=len(tied),
        request=tied.astype(np.int32),
        first=first.astype(np.int32),
        order=order.astype(np.int32),
        parent=parent.astype(np.int32),
        pair=pair.astype(np.int32),
        **{name: array.astype(np.int32) for name, array in reach._asdict().items()},
        value=np.zeros(first[-1], np.int64),
        alone=np.zeros(len(tied), np.int64),
        pick=np.zeros(len(tied), np.int32),
        least=np.zeros(longest * longest.bit_length(), np.int64),
        width=longest,
    )


def _forest(instance: Instance, index: dict[int, int]) -> tuple[Ints, Ints, Ints]:
    """Parent and pair of each tied request, and an order with parents before children."""
    near: list[list[tuple[int, int]]] = [[] for _ in index]
    for pair, (a, b) in enumerate(zip(instance.before.tolist(), instance.after.tolist(), strict=True)):
        near[index[a]].append((index[b], pair))
        near[index[b]].append((index[a], pair))
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
