"""A plan that the kernels improve: candidates at prices, greedy filling, annealing on one thread or two."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np

from solvers.assignment.dual import Prices
from solvers.assignment.instance import Small
from solvers.assignment.validation import Ints
from solvers.kernels.library import Struct, library

#: `Plan` of plan.h.
_LAYOUT: Final = (
    *(
        "first",
        "candidate",
        "choice",
        "free",
        "room",
        "count",
        "row_first",
        "row_size",
        "occupant",
        "slot",
        "least",
    ),
    *("vendor_owner", "request_owner", "mine_0", "mine_1", "mine_size_0", "mine_size_1"),
)
_CANDIDATE: Final = np.dtype(
    [
        ("units", "i8"),
        ("cost", "i8"),
        *((n, "i4") for n in ("cell", "span", "vendor", "row", "column")),
        ("key", "f4"),
    ]
)
_OCCUPANT: Final = np.dtype([(n, "i4") for n in ("request", "begin", "end")])
_SMOOTHING: Final = 6


class Search:
    """One plan and its candidates; `cost` in cents is kept up to date."""

    def __init__(self, prices: Prices, choice: Small, cost: int, *, width: float, most: int) -> None:
        """`choice`: R, feasible, kept column or -1, and its cost; candidates within `width` cents."""
        self.instance, self.cost, self.sides = prices.instance, cost, 1
        instance, kernels = self.instance, library()
        (rows, stride), requests, vendors = instance.capacity.shape, instance.requests, len(instance.cap)
        self.arrays: dict[str, Any] = {
            "first": np.zeros(requests + 1, np.int32),
            **{name: np.zeros(requests, np.int32) for name in ("choice", "slot", "mine_0", "mine_1")},
            "free": np.zeros(rows * stride, np.int64),
            **{name: np.zeros(vendors, np.int64) for name in ("room", "count")},
            "row_first": np.zeros(rows + 1, np.int32),
            "row_size": np.zeros(rows, np.int32),
            "least": np.zeros(requests, np.int64),
            "vendor_owner": np.zeros(vendors, np.int8),
            "request_owner": np.zeros(requests, np.int8),
        }
        self._plan = Struct(_LAYOUT, **self.arrays)
        self._draw(prices, np.ascontiguousarray(choice, np.int32), width, most)
        kernels.plan_reset(instance.struct.address, self._plan.address)
        kernels.plan_share(instance.struct.address, self._plan.address, 0, 1)

    def _draw(self, prices: Prices, keep: Small, width: float, most: int) -> None:
        """Candidates, counted first and then filled in, and room for the lists of who stands where."""
        kernels, here, plan = library(), self.instance.struct.address, self._plan.address
        longest = int(np.diff(self.instance.first).max(initial=0)) + 1
        scratch, spread = np.empty(longest, _CANDIDATE), np.zeros(1)
        at = [a.ctypes.data for a in (prices.prefix, prices.vendor_prefix, keep, scratch, spread)]
        for _ in range(2):
            number = kernels.plan_candidates(here, plan, at[0], at[1], width, most, *at[2:])
            if not self._plan.number("candidate"):
                self._hold("candidate", np.zeros(number, _CANDIDATE))
        self.spread = max(1e-3, float(spread[0]))
        seen = np.zeros(max(1, len(self.arrays["row_size"])), np.int32)
        self._hold("occupant", np.zeros(max(1, kernels.plan_rows(here, plan, seen.ctypes.data)), _OCCUPANT))

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
    def unmatched_share(self) -> float:
        """Requests that have a column and no match, as a share of all."""
        left = (self.choice < 0) & (np.diff(self.instance.first) > 0)
        return float(left.sum()) / max(1, len(left))

    @property
    def columns(self) -> Ints:
        """All kept columns among the candidates, ascending."""
        column: Ints = self.arrays["candidate"]["column"]
        return np.sort(column[column >= 0])

    def fill(self, order: Ints, *, by_price: bool) -> None:
        """Take unmatched requests, in order, to the cheapest (or, by price, first) candidate that fits."""
        order = np.ascontiguousarray(order, np.int32)
        self.cost += library().plan_fill(
            self.instance.struct.address, self._plan.address, order.ctypes.data, len(order), int(by_price)
        )

    def share(self, rng: np.random.Generator, sides: int) -> None:
        """Give each vendor, and the requests that stand there, to one of two threads; all to one for 1.

        The cut is new each time and crosses few requests: vendors that serve the same ones share a side.
        """
        self.sides = sides
        owner = self.arrays["vendor_owner"]
        owner[:] = 0
        if sides == 2:
            value, scratch = rng.standard_normal(len(owner)), np.zeros((2, len(owner)))
            here, plan = self.instance.struct.address, self._plan.address
            library().plan_smooth(
                here, plan, value.ctypes.data, scratch[0].ctypes.data, scratch[1].ctypes.data, _SMOOTHING
            )
            by_value = np.argsort(value, kind="stable")
            load = np.cumsum(self.arrays["count"][by_value] + 1e-3)
            owner[by_value] = load > load[-1] / 2
        toss = int(rng.integers(2**63))
        library().plan_share(self.instance.struct.address, self._plan.address, toss, sides)

    def anneal(self, seeds: list[int], moves: int, hot: float, cold: float, depth: int) -> None:
        """`moves` on each side at once: ctypes frees the GIL, and neither reads what the other writes."""

        def one(side: int) -> int:
            changed: int = library().plan_anneal(
                self.instance.struct.address, self._plan.address, side, seeds[side], moves, hot, cold, depth
            )
            return changed

        if self.sides == 1:
            self.cost += one(0)
        else:
            with ThreadPoolExecutor(1) as pool:
                other = pool.submit(one, 1)
                self.cost += one(0)
                self.cost += other.result()
