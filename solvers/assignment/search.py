"""A plan that the kernels improve: candidates at prices, greedy filling, annealing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from solvers.arrays import Floats, Ints
from solvers.assignment.dual import Prices
from solvers.assignment.instance import Small
from solvers.kernels.layouts import CANDIDATE, OCCUPANT, PLAN
from solvers.kernels.library import Struct, library

_STRIDE: Final = 8_192  #: requests in one call into C, so that a wish to stop is honoured soon
Look = Callable[[], None]  #: raises where the caller asked to stop


def never() -> None:
    """Nobody will ask to stop."""


class Search:
    """One plan and its candidates; `cost` in cents is kept up to date."""

    def __init__(
        self,
        prices: Prices,
        choice: Small,
        cost: int,
        *,
        width: float | Floats,
        most: int,
        look: Look = never,
    ) -> None:
        """`choice`: R, feasible, kept column or -1, and its cost; candidates within `width` cents,
        of all or of each (R).

        `look`: asked between parts of what takes long; may raise.
        """
        self.instance, self.cost, self._look = prices.instance, cost, look
        instance, kernels = self.instance, library()
        (rows, stride), requests, vendors = instance.capacity.shape, instance.requests, len(instance.cap)
        self.arrays: dict[str, Any] = {
            "first": np.zeros(requests + 1, np.int32),
            **{name: np.zeros(requests, np.int32) for name in ("choice", "slot")},
            "free": np.zeros(rows * stride, np.int64),
            **{name: np.zeros(vendors, np.int64) for name in ("room", "count")},
            "row_first": np.zeros(rows + 1, np.int32),
            "row_size": np.zeros(rows, np.int32),
            "least": np.zeros(requests, np.int64),
        }
        self._plan = Struct(PLAN, **self.arrays)
        self._draw(prices, np.ascontiguousarray(choice, np.int32), width, most)
        kernels.plan_reset(instance.struct.address, self._plan.address)

    def _draw(self, prices: Prices, keep: Small, width: float | Floats, most: int) -> None:
        """Candidates, and room for the lists of who stands where."""
        kernels, here, plan = library(), self.instance.struct.address, self._plan.address
        longest = int(np.diff(self.instance.first).max(initial=0)) + 1
        scratch, spreads = np.empty(longest, CANDIDATE), np.zeros(self.instance.requests)
        widths = np.ascontiguousarray(np.broadcast_to(width, spreads.shape), np.float64)
        keys = prices.prefix, prices.vendor_prefix, *prices.regrets()
        at = [a.ctypes.data for a in (*keys, widths, keep, scratch, spreads)]
        largest = np.minimum(np.diff(self.instance.first) + 1, most + 2).sum()
        room = np.empty(largest, CANDIDATE)  # memory that is not written to is not taken
        self._hold("candidate", room)
        for begin, end in _parts(self.instance.requests):
            self._look()
            size = kernels.plan_candidates(here, plan, begin, end, *at[:5], most, *at[5:])
            self._hold("candidate", room[:size])
        self.spreads = spreads  #: R; what a third candidate costs more than the first, cents
        self.spread = max(1e-3, float(spreads.mean())) if len(spreads) else 1e-3
        seen = np.zeros(max(1, len(self.arrays["row_size"])), np.int32)
        self._hold("occupant", np.zeros(max(1, kernels.plan_rows(here, plan, seen.ctypes.data)), OCCUPANT))

    def _hold(self, name: str, array: np.ndarray[Any, Any]) -> None:
        self.arrays[name] = array
        self._plan.set(name, array)

    @property
    def plan_address(self) -> int:
        """Where the kernels find the plan."""
        return self._plan.address

    def stand(self, candidates: Small, cost: int) -> None:
        """Go on from another plan over the same candidates."""
        self.arrays["choice"][:] = candidates
        self.cost = cost
        library().plan_reset(self.instance.struct.address, self._plan.address)

    def columns_of(self, candidates: Small) -> Small:
        """R; kept column or -1 for each candidate."""
        columns: Small = self.arrays["candidate"]["column"][candidates]
        return columns

    @property
    def choice(self) -> Small:
        """R; kept column or -1."""
        return self.columns_of(self.arrays["choice"])

    @property
    def columns(self) -> Ints:
        """All kept columns among the candidates, ascending."""
        column: Ints = self.arrays["candidate"]["column"]
        return np.sort(column[column >= 0])

    def fill(self, order: Ints, *, by_price: bool) -> None:
        """Take unmatched requests, in order, to the cheapest (or, by price, first) candidate that fits."""
        order = np.ascontiguousarray(order, np.int32)
        here, plan = self.instance.struct.address, self._plan.address
        for begin, end in _parts(len(order)):
            self._look()
            part = order[begin:end]
            self.cost += library().plan_fill(here, plan, part.ctypes.data, len(part), int(by_price))

    def anneal(self, seed: int, moves: int, temperature: float, depth: int) -> None:
        """`moves` proposals; the interpreter is free meanwhile. `depth`: requests one move may take along."""
        self.cost += library().plan_anneal(
            self.instance.struct.address, self._plan.address, seed, moves, temperature, depth
        )


def _parts(size: int) -> Iterator[tuple[int, int]]:
    """All of them, `_STRIDE` at a time; at least one part."""
    for begin in range(0, max(1, size), _STRIDE):
        yield begin, min(begin + _STRIDE, size)
