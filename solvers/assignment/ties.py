"""Precedence as a forest, so that tied requests can be priced exactly together (kernels/ties.c)."""

from __future__ import annotations

import numpy as np

from solvers.assignment.instance import Instance
from solvers.kernels.layouts import TIES
from solvers.kernels.library import Struct


def ties_of(instance: Instance) -> Struct:
    """The tied requests and their columns. A pair that closes a cycle is left out: still a bound."""
    tied = np.flatnonzero(np.diff(instance.link_first))
    sizes = np.diff(instance.first)[tied]
    first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    columns = np.repeat(instance.first[tied] - first[:-1], sizes) + np.arange(first[-1])
    stride = instance.capacity.shape[1]
    begin = (instance.cell[columns] % stride).astype(np.int32)
    parent, pair, order = _forest(instance, {int(r): k for k, r in enumerate(tied)})
    return Struct(
        TIES,
        size=len(tied),
        request=tied.astype(np.int32),
        first=first,
        order=order.astype(np.int32),
        parent=parent.astype(np.int32),
        pair=pair.astype(np.int32),
        begin=begin,
        end=begin + instance.span[columns],
        value=np.zeros(len(columns), np.int64),
        alone=np.zeros(len(tied), np.int64),
        pick=np.zeros(len(tied), np.int32),
        message=np.zeros(stride + 2, np.int64),
    )


def _forest(instance: Instance, index: dict[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
