"""A tighter bound from what a row (a vendor's pool) really holds, where priced capacity cannot be used up.

At any prices the Lagrangian credits a row with price x capacity. What the row's columns can gain together,
each request once, each bucket within its capacity, is never more, and often less: of three units, those who
need two take only two. CP-SAT proves that gain; the bound rises by the difference, row by row.

A column's gain: by how much it undercuts, capacity free of charge, the least that its request costs at the
prices. A tied request's least belongs to a tree: it gains what it pays for capacity, less its share of what
the tree costs more with it. A tree costs at least the largest such regret more, and so the mean of those of
its columns that are taken.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from solvers.arrays import Flags, Ints
from solvers.assignment.deadline import Deadline
from solvers.assignment.dual import Prices
from solvers.assignment.exact import solve_exactly
from solvers.assignment.exactness import COST_LIMIT, HUGE, SCALE
from solvers.assignment.problem import AssignmentProblem

_LEAST: Final = 5e-5  #: of the plan's cost: a row that could raise the bound by less is not asked
_ROW_S: Final = 0.5  #: for one row; what is proven by then counts


class Packing:
    """All rows at the best prices met, in cents x SCALE."""

    def __init__(self, prices: Prices) -> None:
        self.instance = instance = prices.instance
        self.bound = prices.prove()  #: without packing, cents
        fixed, vendor_fixed = prices.fixed
        stride = instance.capacity.shape[1]
        self._row = instance.cell // stride
        self._request = np.repeat(np.arange(instance.requests), np.diff(instance.first))
        paid = instance.units * (fixed[instance.cell + instance.span] - fixed[instance.cell])
        bare = instance.cost * SCALE + vendor_fixed[instance.vendor]
        least = instance.penalty * SCALE
        np.minimum.at(least, self._request, bare + paid)
        tied = np.diff(instance.link_first) > 0
        self._gain: Ints = np.where(tied[self._request], paid, least[self._request] - bare)
        ties = prices.ties
        regret, _ = ties.regrets((bare + paid)[ties.columns])
        self._gain[ties.columns] -= regret // np.repeat(ties.size, np.diff(instance.first)[ties.requests])
        price = np.diff(fixed.reshape(-1, stride), axis=1)
        self._credit: Ints = (price * instance.capacity[:, :-1]).sum(axis=1)
        self._asked = self._small(price)

    def prove(self, choice: Ints, cost: int, deadline: Deadline, *, seed: int) -> int:
        """The bound with packing, cents; `choice` (R, columns as given) says which rows are worth asking."""
        more = 0
        for row in self._loosest(choice, int(_LEAST * abs(cost) * SCALE)).tolist():
            if deadline.over:
                break
            more += max(0, int(self._credit[row]) - self._most(row, deadline, seed))
        return self.bound + more // SCALE  # what was rounded up to it is above SCALE x (bound - 1)

    def _small(self, price: Ints) -> Flags:
        """Rows whose sums are exact in 64 bits, and whose gains together a problem may hold as costs.

        Judged in floats, which do not wrap around. One column that pays too much spoils what its request
        costs at the least, and with it every row: then there are none.
        """
        instance = self.instance
        paid = instance.units.astype(float) * price.astype(float).sum(axis=1)[self._row]
        credit = (price.astype(float) * instance.capacity[:, :-1]).sum(axis=1)
        gains = np.zeros(len(credit))
        np.add.at(gains, self._row, np.maximum(self._gain.astype(float), 0))
        return np.asarray((paid.max(initial=0) < HUGE / 2) & (credit < HUGE) & (gains <= COST_LIMIT))

    def _loosest(self, choice: Ints, least: int) -> Ints:
        """Rows credited with at least so much more, cents x SCALE, than the plan gains there; most first."""
        taken = self.instance.from_given(choice)
        taken = taken[taken >= 0]
        more = self._credit.copy()
        np.subtract.at(more, self._row[taken], self._gain[taken])
        more[~self._asked] = 0
        order: Ints = np.argsort(-more, kind="stable")
        loose: Ints = order[more[order] >= max(1, least)]
        return loose

    def _most(self, row: int, deadline: Deadline, seed: int) -> int:
        """The most that the row's columns can gain together: proven, not necessarily met."""
        columns = np.flatnonzero((self._row == row) & (self._gain > 0))
        part = self._part(row, columns)
        limit = deadline.part(_ROW_S)
        _, bound = solve_exactly(part, np.full(part.requests, -1, np.int64), limit, seed=seed, workers=1)
        deadline.work += limit.work + 1
        return -bound

    def _part(self, row: int, columns: Ints) -> AssignmentProblem:
        """The row alone, as a problem: requests cost nothing, columns what they gain, below zero."""
        instance = self.instance
        _, request = np.unique(self._request[columns], return_inverse=True)
        zero = np.zeros(len(columns), np.int64)
        return AssignmentProblem(
            request_penalty=np.zeros(request.max(initial=-1) + 1, np.int64),
            column_request=request,
            column_vendor=zero,
            column_resource=zero,
            column_start=instance.cell[columns] - row * instance.capacity.shape[1],
            column_duration=instance.span[columns].astype(np.int64),
            column_units=instance.units[columns],
            column_cost=-self._gain[columns],
            capacity=instance.capacity[None, None, row, :-1],
        )
