"""Requests that compete for the same capacity: what is solved again together, and where that may pay.

A plan costs more than its prices prove in two ways: a request stands dearer than it could, or capacity that
has a price is left free; there a request without a match is the likeliest to gain.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from solvers.arrays import Flags, Floats, Ints
from solvers.assignment.dual import Prices
from solvers.assignment.instance import Instance, Small
from solvers.assignment.search import Search

_REACH: Final = 3  #: candidates of a request that are followed to who stands in their way
_CLAIMS: Final = 3  #: unmatched requests that are followed because they would take a request's place
_CURIOSITY: Final = 0.1  #: spreads of regret that every request is taken to have


class Neighbourhoods:
    """Grows sets of requests around a seed, which is likelier the more it could save at the prices."""

    def __init__(self, prices: Prices, search: Search) -> None:
        """`search`: gives each request's candidates, cheapest first at the prices."""
        instance = self.instance = prices.instance
        candidate = search.arrays["candidate"]
        self.first: Small = search.arrays["first"]
        self.column: Small = np.ascontiguousarray(candidate["column"])
        self._begin, self._end = instance.cell, instance.cell + instance.span
        prefix = prices.prefix
        self._key = (
            instance.cost
            + instance.units * (prefix[self._end] - prefix[self._begin])
            + prices.vendor_prefix[instance.vendor]
        )
        self._low = np.minimum(candidate["key"][self.first[:-1]], instance.penalty)
        self._unmatched = instance.penalty.astype(float)
        self._by_tree(prices)
        self._price = prices.best
        self._least = _CURIOSITY * prices.spread
        self._tries = np.zeros(instance.requests)
        self._fixed = _fixed(instance)
        self.none = bool(self._fixed.all())  #: whether nothing may move

    def _by_tree(self, prices: Prices) -> None:
        """Who is tied is judged with all that it is tied to."""
        ties, (regret, alone) = prices.ties, prices.regrets()
        self._key[ties.columns], self._unmatched[ties.requests] = regret, alone[ties.requests]
        self._low[ties.requests] = 0

    def seed(self, standing: Small, rng: np.random.Generator) -> int:
        """A request to begin at; `standing`: R, kept column or -1."""
        if not len(self._key):
            return int(rng.integers(self.instance.requests))
        key = np.where(standing >= 0, self._key[np.maximum(standing, 0)], self._unmatched)
        saved = np.maximum(key - self._low, 0) + self._least
        np.maximum.at(saved, *self._left_over(standing))
        weight = saved / (1 + self._tries)
        weight[self._fixed] = 0
        at = np.searchsorted(np.cumsum(weight), rng.random() * weight.sum())
        return min(int(at), self.instance.requests - 1)

    def _left_over(self, standing: Small) -> tuple[Ints, Floats]:
        """Each candidate of those without a match: whose it is, and what the free capacity there is worth."""
        who, wished = self._wishes_of(np.flatnonzero(standing < 0), most=len(self.column))
        units = self.instance.units
        change = np.zeros(len(self._price) + 1, np.int64)
        taken = standing[standing >= 0]
        np.add.at(change, self._begin[taken], units[taken])
        np.subtract.at(change, self._end[taken], units[taken])
        free = self.instance.capacity.reshape(-1) - change.cumsum()[:-1]
        worth = np.concatenate([[0.0], np.cumsum(self._price * free)])
        return who, worth[self._end[wished]] - worth[self._begin[wished]]

    def tried(self, inside: Ints, *, gained: bool) -> None:
        """These were solved together: less likely seeds from now on, or, if that moved them, new ones."""
        self._tries[inside] = 0 if gained else self._tries[inside] + 1

    def grow(self, standing: Small, seed: int, size: int, rng: np.random.Generator) -> Ints:
        """About `size` requests, ascending: the seed, its rivals, theirs and so on, and who is tied."""
        inside: dict[int, None] = {}
        waiting, held, wished = self._join(inside, seed), self._held(standing), self._wished(standing)
        while waiting and len(inside) < size:
            request = waiting.pop(int(rng.integers(1 + len(waiting) // 4)))
            rivals = [held.across(column) for column in rng.permutation(self._wishes(request))]
            if standing[request] >= 0:
                rivals.append(rng.permutation(wished.across(standing[request]))[:_CLAIMS])
            for other in np.concatenate(rivals).tolist() if rivals else ():
                if len(inside) < size:
                    waiting += self._join(inside, other)
        return np.array(sorted(inside), np.int64)

    def _held(self, standing: Small) -> _Claims:
        matched = np.flatnonzero(standing >= 0)
        return _Claims(self._begin, self._end, standing[matched], matched)

    def _wished(self, standing: Small) -> _Claims:
        """What those without a match would take."""
        who, wished = self._wishes_of(np.flatnonzero(standing < 0), most=_REACH)
        return _Claims(self._begin, self._end, wished, who)

    def _wishes_of(self, requests: Ints, *, most: int) -> tuple[Ints, Small]:
        """Each request's `most` cheapest candidates, kept columns, beside the request."""
        size = np.minimum(self.first[requests + 1] - self.first[requests], most)
        step = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
        who, wished = np.repeat(requests, size), self.column[np.repeat(self.first[requests], size) + step]
        return who[wished >= 0], wished[wished >= 0]

    def _wishes(self, request: int) -> Small:
        return self._wishes_of(np.array([request]), most=_REACH)[1]

    def _join(self, inside: dict[int, None], request: int) -> list[int]:
        """Take a request in, and those it is tied to; returns the new ones."""
        instance, joined, asked = self.instance, list[int](), [request]
        for member in asked:
            if member not in inside and not self._fixed[member]:
                inside[member] = None
                joined.append(member)
                pairs = instance.link[instance.link_first[member] : instance.link_first[member + 1]]
                asked += instance.before[pairs].tolist() + instance.after[pairs].tolist()
        return joined

    def columns(self, inside: Ints) -> Ints:
        """The candidates of some requests, kept columns, ascending."""
        own = [self.column[self.first[r] : self.first[r + 1]] for r in inside.tolist()]
        every = np.concatenate(own) if own else np.zeros(0, np.int32)
        return np.sort(every[every >= 0]).astype(np.int64)


class _Claims:
    """Who has, or wants, which cells, in order of where they begin."""

    def __init__(self, begin: Small, end: Small, columns: Small, who: Ints) -> None:
        """`begin`, `end`: N, of every column; `columns`: those claimed, and by `who`."""
        order = np.argsort(begin[columns], kind="stable")
        self._column_begin, self._column_end = begin, end
        self._begin, self._end, self._who = begin[columns][order], end[columns][order], who[order]
        self._longest = int((self._end - self._begin).max(initial=1))

    def across(self, column: int) -> Ints:
        """Those whose cells the column shares."""
        begin, end = self._column_begin[column], self._column_end[column]
        lo, hi = np.searchsorted(self._begin, (begin - self._longest + 1, end))
        found: Ints = self._who[lo:hi][self._end[lo:hi] > begin]
        return found


def closed(instance: Instance, requests: Ints) -> Ints:
    """Those that may move of some requests and all that they are tied to, ascending."""
    return np.flatnonzero(_with_ties(instance, requests) & ~_fixed(instance))


def _fixed(instance: Instance) -> Flags:
    """R; pinned, or tied to a pinned request."""
    return _with_ties(instance, instance.problem.column_request[instance.problem.pinned])


def _with_ties(instance: Instance, requests: Ints) -> Flags:
    """R; these, and who is tied to them, be it through others."""
    inside: Flags = np.zeros(instance.requests, np.bool_)
    inside[requests] = True
    before, after, known = instance.before, instance.after, -1
    while known != (known := int(inside.sum())):
        inside[after[inside[before]]] = True
        inside[before[inside[after]]] = True
    return inside
