"""A tighter bound from what a row (a vendor's pool) really holds, where priced capacity cannot be used up.

At any prices the Lagrangian credits a row with price x capacity. What the row's columns can gain together,
each request once, each bucket within its capacity, is never more, and often less: of three units, those who
need two take only two. CP-SAT proves that gain; the bound rises by the difference, row by row.

A column's gain: by how much it undercuts, capacity free of charge, the least that its request costs at the
prices. A tied request's least belongs to a tree: it gains what it pays for capacity, less its share of what
the tree costs more with it. A tree costs at least the largest such regret more, and so the mean of those of
its columns that are taken.

Rows may be asked together, as a *block*: then each request takes one column in all of them. That pays round a
request that stands much dearer than it could at the prices: most often it has no match, since its few vendors
each have half of a place for it. The block *owns* the requests that no block before it has seen: one that it
leaves out costs what it costs elsewhere, at the prices. Their columns elsewhere gain no more than they pay.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from solvers.arrays import Flags, Ints
from solvers.assignment.deadline import Deadline
from solvers.assignment.dual import Prices
from solvers.assignment.exact import solve_exactly
from solvers.assignment.exactness import COST_LIMIT, HUGE, SCALE
from solvers.assignment.instance import Small
from solvers.assignment.problem import AssignmentProblem

_LEAST: Final = 5e-5  #: of the plan's cost: rows that could raise the bound by less are not asked
_ROW_S: Final = 0.5  #: for one row; what is proven by then counts
_BLOCK_S: Final = 0.3  #: for a block
_ROWS: Final = 4  #: of a block at most: larger ones do not close
_BLOCKS: Final = 20  #: at most


class Packing:
    """All rows at the best prices met, in cents x SCALE."""

    def __init__(self, prices: Prices) -> None:
        self.instance = instance = prices.instance
        self.bound = prices.prove()  #: without packing, cents
        fixed, vendor_fixed = prices.fixed
        stride = instance.capacity.shape[1]
        self._row = instance.cell // stride
        self._request = np.repeat(np.arange(instance.requests), np.diff(instance.first))
        self._paid = instance.units * (fixed[instance.cell + instance.span] - fixed[instance.cell])
        bare = instance.cost * SCALE + vendor_fixed[instance.vendor]
        self._key = bare + self._paid
        self._low = instance.penalty * SCALE
        np.minimum.at(self._low, self._request, self._key)
        self._tied: Flags = np.diff(instance.link_first) > 0
        self._gain: Ints = np.where(self._tied[self._request], self._paid, self._low[self._request] - bare)
        ties = prices.ties
        regret, _ = ties.regrets(self._key[ties.columns])
        self._gain[ties.columns] -= regret // np.repeat(ties.size, np.diff(instance.first)[ties.requests])
        price = np.diff(fixed.reshape(-1, stride), axis=1)
        self._credit: Ints = (price * instance.capacity[:, :-1]).sum(axis=1)
        self._asked = self._small(price)
        self._seen: Flags = np.zeros(instance.requests, np.bool_)  #: by a block

    def prove(self, choice: Ints, cost: int, deadline: Deadline, *, seed: int) -> int:
        """The bound with packing, cents; `choice` (R, columns as given) says which rows are worth asking."""
        more, taken = 0, self.instance.from_given(choice)
        for rows in self._blocks(taken, int(_LEAST * abs(cost) * SCALE)):
            if deadline.over:
                break
            limit = deadline.part(_ROW_S if len(rows) == 1 else _BLOCK_S)
            more += max(0, int(self._credit[rows].sum()) - self._most(rows, limit, seed))
            deadline.work += limit.work + 1
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

    def _blocks(self, taken: Small, least: int) -> Iterator[Ints]:
        """Rows to ask together, no row twice: round requests that stand dear, then each loose row alone."""
        free = self._asked.copy()
        for request in self._dearest(taken, least).tolist():
            rows = self._round(request, taken, free)
            if 1 < len(rows) <= _ROWS:
                free[rows] = False
                yield rows
        for row in self._loosest(taken, least):
            if free[row]:
                yield np.array([row])

    def _dearest(self, taken: Small, least: int) -> Ints:
        """Requests that are not tied and stand so much dearer than at their cheapest; most first."""
        excess = self._standing(taken) - self._low
        excess[self._tied] = 0
        order: Ints = np.argsort(-excess, kind="stable")[:_BLOCKS]
        return order[excess[order] >= max(1, least)]

    def _standing(self, taken: Small) -> Ints:
        """R; what each request costs at the prices where it stands."""
        key: Ints = self.instance.penalty * SCALE
        key[taken >= 0] = self._key[taken[taken >= 0]]
        return key

    def _round(self, request: int, taken: Small, free: Flags) -> Ints:
        """Rows in which a request would stand cheaper, ascending."""
        own = np.arange(self.instance.first[request], self.instance.first[request + 1])
        own = own[self._key[own] < self._standing(taken)[request]]
        rows: Ints = np.unique(self._row[own]).astype(np.int64)
        return rows[free[rows]]

    def _loosest(self, taken: Small, least: int) -> list[int]:
        """Rows credited with at least so much more, cents x SCALE, than the plan gains there; most first."""
        taken = taken[taken >= 0]
        more = self._credit.copy()
        np.subtract.at(more, self._row[taken], self._gain[taken])
        more[~self._asked] = 0
        order = np.argsort(-more, kind="stable")
        return [int(row) for row in order[more[order] >= max(1, least)]]

    def _most(self, rows: Ints, limit: Deadline, seed: int) -> int:
        """The most that the rows' columns can gain together: proven, not necessarily met."""
        inside = np.isin(self._row, rows)
        left_out = self._left_out(inside) if len(rows) > 1 else np.zeros(self.instance.requests, np.int64)
        columns = np.flatnonzero(inside & (self._gain > -left_out[self._request]))
        self._seen[self._request[inside]] = True
        if self._gain[columns].astype(float).clip(0).sum() + left_out.astype(float).sum() > COST_LIMIT:
            return int(self._credit[rows].sum())
        part, certain = self._part(rows, columns, left_out)
        _, bound = solve_exactly(part, np.full(part.requests, -1, np.int64), limit, seed=seed, workers=1)
        return -bound - certain

    def _left_out(self, inside: Flags) -> Ints:
        """R; what a request that the block owns costs more without a column inside; 0 for all others.

        From now on these gain elsewhere what they pay: `inside` has taken into account what they cost there.
        """
        owned = np.zeros(self.instance.requests, np.bool_)
        owned[self._request[inside]] = True
        owned &= ~self._seen & ~self._tied
        elsewhere = ~inside & owned[self._request]
        out = self.instance.penalty * SCALE
        np.minimum.at(out, self._request[elsewhere], self._key[elsewhere])
        self._gain[elsewhere] = self._paid[elsewhere]
        return np.where(owned, out - self._low, 0)

    def _part(self, rows: Ints, columns: Ints, left_out: Ints) -> tuple[AssignmentProblem, int]:
        """The rows alone, columns costing what they gain, below zero; and what those without one cost."""
        instance = self.instance
        requests, request = np.unique(self._request[columns], return_inverse=True)
        zero = np.zeros(len(columns), np.int64)
        part = AssignmentProblem(
            request_penalty=left_out[requests],
            column_request=request,
            column_vendor=np.searchsorted(rows, self._row[columns]),
            column_resource=zero,
            column_start=instance.cell[columns] - self._row[columns] * instance.capacity.shape[1],
            column_duration=instance.span[columns].astype(np.int64),
            column_units=instance.units[columns],
            column_cost=-self._gain[columns],
            capacity=instance.capacity[rows][:, None, :-1],
        )
        return part, int(left_out.sum() - left_out[requests].sum())
