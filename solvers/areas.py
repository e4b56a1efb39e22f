"""A market's vendors in areas of about the same work, cut where the fewest requests could go either way.

Vendors are alike as far as they are near the best for the same requests; areas are made by halving that graph
along its second eigenvector (Fiedler), again and again. Sums run in one order: the same areas on any machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from solvers.arrays import Flags, Floats, Ints

NEAREST: Final = 6  #: vendors of a request that count
_STEPS: Final = 400  #: of the power method
_PLAY: Final = 0.15  #: of a half's work that it may be larger or smaller, for a better cut


class Graph(NamedTuple):
    """E edges, each once: two vendors, and for how many requests both are among the best."""

    one: Ints
    other: Ints
    weight: Ints


@dataclass(frozen=True)
class _Some:
    """Some vendors (n of V) and the edges between them; `one` and `other` count among them."""

    vendors: Ints
    work: Ints
    graph: Graph


def areas(graph: Graph, work: Ints, number: int) -> Ints:
    """V; the area of each vendor, 0 to `number` - 1. `work` (V): how many requests it is the best for."""
    of = np.zeros(len(work), np.int64)
    todo = [(np.arange(len(work)), 0, min(number, max(1, len(work))))]
    while todo:
        vendors, first, parts = todo.pop()
        of[vendors] = first
        if parts > 1:
            left = parts // 2
            inside = _halved(
                _among(graph, work, vendors), left / parts, least=left, most=len(vendors) - parts + left
            )
            todo += [(vendors[inside], first, left), (vendors[~inside], first + left, parts - left)]
    return of


def best_together(request: Ints, vendor: Ints, vendors: int) -> Graph:
    """The graph of n (request, vendor): each request's nearest vendors, best first; requests ascending."""
    edges = [np.zeros(0, np.int64)]
    for apart in range(1, min(NEAREST, len(request))):
        same = request[apart:] == request[: len(request) - apart]
        pair = np.sort(np.stack([vendor[apart:][same], vendor[: len(vendor) - apart][same]]), axis=0)
        edges.append(pair[0] * vendors + pair[1])
    key, weight = np.unique(np.concatenate(edges), return_counts=True)
    return Graph(*np.divmod(key, vendors), weight)


def _among(graph: Graph, work: Ints, vendors: Ints) -> _Some:
    index = np.full(len(work), -1)
    index[vendors] = np.arange(len(vendors))
    one, other = index[graph.one], index[graph.other]
    both = (one >= 0) & (other >= 0)
    return _Some(vendors, work[vendors], Graph(one[both], other[both], graph.weight[both]))


def _halved(some: _Some, share: float, *, least: int, most: int) -> Flags:
    """n; whether a vendor is in the first half: about `share` of the work, `least` to `most` vendors."""
    order = np.argsort(_second(some), kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    early, late = np.sort(np.stack([place[some.graph.one], place[some.graph.other]]), axis=0)
    crossing = np.zeros(len(order) + 1, np.int64)
    np.add.at(crossing, early + 1, some.graph.weight)
    np.subtract.at(crossing, late + 1, some.graph.weight)
    done = np.cumsum(some.work[order]) / max(1, int(some.work.sum()))
    size = np.arange(1, len(order) + 1)
    off = np.abs(done - share) / share
    off[(size < least) | (size > most)] = np.inf
    near = off <= max(_PLAY, float(off.min()))
    cut = np.flatnonzero(near)[np.argmin(np.cumsum(crossing)[1:][near])]
    return np.asarray(place <= cut)


def _second(some: _Some) -> Floats:
    """n; the second eigenvector of the graph, from its degrees away: who is alike is near each other."""
    one, other, weight = some.graph
    n = len(some.vendors)
    degree = np.bincount(one, weight, n) + np.bincount(other, weight, n) + 1e-9
    root = np.sqrt(degree)
    scaled = weight / (root[one] * root[other])
    first = root / _length(root)
    found = np.cos(np.arange(n) * 2.399963)  # any start that is not the first eigenvector
    for _ in range(_STEPS):
        found = found - first * (found * first).cumsum()[-1]
        found = found / max(1e-300, _length(found))
        found = (
            found + np.bincount(one, scaled * found[other], n) + np.bincount(other, scaled * found[one], n)
        )
    return np.asarray(found / root)


def _length(vector: Floats) -> float:
    return float(np.sqrt((vector * vector).cumsum()[-1]))
