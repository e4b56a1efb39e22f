"""A tighter bound from what a row (a vendor's pool) really holds, where priced capacity cannot be used up.

At any prices the Lagrangian credits a row with price x capacity. What the row's columns can gain together,
each request once, each bucket within its capacity, is never more, and often less: of three units, those who
need two take only two. CP-SAT proves that gain; the bound rises by the difference, row by row.

A column's gain: by how much it undercuts, capacity free of charge, the least that its request costs at the
prices. That is what it pays for capacity, less by how much it is dearer than the cheapest. A tied request's
least belongs to a tree: its columns, and leaving it out, are dearer by their share of what the tree costs
more with them. A tree costs at least the largest such regret more, and so the mean of those of what is taken.

Rows may be asked together, as a *block*: then each request takes one column in all of them. That pays round a
request that stands much dearer than it could at the prices: most often it has no match, since its few vendors
each have half of a place for it. The block *owns* the requests that no block before it has seen: one that it
leaves out costs what it costs elsewhere, at the prices. Their columns elsewhere gain no more than they pay.
A block grows over rows where its requests stand nearly as cheaply; the first may become a whole market.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from solvers.arrays import Flags, Ints
from solvers.assignment.dual import Prices
from solvers.assignment.exactness import COST_LIMIT, HUGE, SCALE
from solvers.assignment.instance import Small
from solvers.assignment.problem import AssignmentProblem

_LEAST: Final = 5e-5  #: of the plan's cost: rows that could raise the bound by less are not asked
_COLUMNS: Final = 3_000  #: of the others: larger ones seldom close
_BLOCKS: Final = 20  #: at most
_NONE: Final = np.zeros(0, np.int64)
_NEARER: Final = 2**32  #: a request that stands nearly as cheaply in two rows, against any number that do not


@dataclass(eq=False)
class Block:
    """Some rows as a problem of their own: columns cost what they gain, below zero; cents x SCALE."""

    rows: Ints
    requests: Ints  #: that may gain there, ascending
    columns: Ints  #: of the instance, that they may take there, ascending
    problem: AssignmentProblem
    certain: int  #: what those cost that gain nothing there
    credit: int  #: what prices credit the rows with
    bound: int = -HUGE  #: what `problem` costs at the least, as far as it is proven

    def standing(self, taken: Small) -> Ints:
        """How they stand there, a choice of `problem`; `taken`: R of the instance, kept column or -1."""
        start = np.full(len(self.requests), -1, np.int64)
        stands = np.flatnonzero(np.isin(self.columns, taken[self.requests]))
        start[self.problem.column_request[stands]] = stands
        return start

    def over(self, cost: int) -> int:
        """What they cost there more than the prices prove, by what `problem` says that they do."""
        return self.credit + self.certain + cost


class _Rivals:
    """Which requests have columns in which rows, and in which of them they are nearly their cheapest."""

    def __init__(self, request: Ints, row: Ints, near: Flags) -> None:
        """Of each column."""
        rows = int(row.max(initial=0)) + 1
        pairs = np.unique(request * rows + row)
        self._request, self._row = np.divmod(pairs, rows)
        self._near = np.isin(pairs, (request * rows + row)[near])
        self._first = np.searchsorted(self._request, np.arange(int(request.max(initial=-1)) + 2))
        self._by_row = np.argsort(self._row, kind="stable")
        self._row_first = np.searchsorted(self._row[self._by_row], np.arange(rows + 1))

    def share(self, row: int, shared: Ints) -> None:
        """Adds to each row how many requests it shares with one."""
        here = self._by_row[self._row_first[row] : self._row_first[row + 1]]
        who = self._request[here]
        first, size = self._first[who], self._first[who + 1] - self._first[who]
        pairs = np.repeat(first - np.cumsum(size) + size, size) + np.arange(size.sum())
        nearer = np.repeat(self._near[here], size) & self._near[pairs]
        np.add.at(shared, self._row[pairs], 1 + _NEARER * nearer)


class Packing:
    """All rows at the best prices met, in cents x SCALE."""

    def __init__(self, prices: Prices) -> None:
        self.instance = instance = prices.instance
        self.bound = prices.prove()  #: without packing, cents
        fixed, vendor_fixed = prices.fixed
        stride = instance.capacity.shape[1]
        self.row = instance.cell // stride  #: of each kept column
        self.request = np.repeat(np.arange(instance.requests), np.diff(instance.first))
        self._paid = instance.units * (fixed[instance.cell + instance.span] - fixed[instance.cell])
        key = instance.cost * SCALE + vendor_fixed[instance.vendor] + self._paid
        low = instance.penalty * SCALE
        np.minimum.at(low, self.request, key)
        self._dearer, self._alone = key - low[self.request], instance.penalty * SCALE - low
        ties = prices.ties
        regret, alone = ties.regrets(key[ties.columns])
        self._dearer[ties.columns] = regret // np.repeat(ties.size, np.diff(instance.first)[ties.requests])
        self._alone[ties.requests] = alone // ties.size
        self._gain: Ints = self._paid - self._dearer
        price = np.diff(fixed.reshape(-1, stride), axis=1)
        self._credit: Ints = (price * instance.capacity[:, :-1]).sum(axis=1)
        self._asked = self._small(price)
        self._columns = np.bincount(self.row, minlength=len(self._credit))  #: of each row
        self._rivals = _Rivals(self.request, self.row, self._dearer <= int(prices.spread * SCALE))
        self._seen: Flags = np.zeros(instance.requests, np.bool_)  #: by a block

    def blocks(self, taken: Callable[[], Small], cost: int, *, most: int) -> Iterator[Block]:
        """What to ask; `taken` (R, kept column or -1) says where that may pay, again after the first.

        `cost`: of a plan, about; `most`: columns of the first, which may be a whole market.
        """
        for rows in self._rows(taken, int(_LEAST * abs(cost) * SCALE), most):
            block = self._block(rows)
            if block is not None:
                yield block

    def _small(self, price: Ints) -> Flags:
        """Rows whose sums are exact in 64 bits, and whose gains together a problem may hold as costs.

        Judged in floats, which do not wrap around. One column that pays too much spoils what its request
        costs at the least, and with it every row: then there are none.
        """
        instance = self.instance
        paid = instance.units.astype(float) * price.astype(float).sum(axis=1)[self.row]
        credit = (price.astype(float) * instance.capacity[:, :-1]).sum(axis=1)
        gains = np.zeros(len(credit))
        np.add.at(gains, self.row, np.maximum(self._gain.astype(float), 0))
        return np.asarray((paid.max(initial=0) < HUGE / 2) & (credit < HUGE) & (gains <= COST_LIMIT))

    def _rows(self, plan: Callable[[], Small], least: int, most: int) -> Iterator[Ints]:
        """Rows to ask together, no row twice: a market, round requests that stand dear, each loose row."""
        free, taken = self._asked.copy(), plan()
        markets = self._markets(self._dearest(taken, least).tolist(), taken, most)
        rows = max(markets, key=lambda rows: self._loss(rows, taken), default=_NONE)
        if len(rows) > 1:
            free[rows] = False
            yield rows
        taken = plan()
        for request in self._dearest(taken, least).tolist():
            rows = self._grown(self._round(request, taken, free), free, _COLUMNS)
            if len(rows) > 1:
                free[rows] = False
                yield rows
        for row in self._loosest(taken, least):
            if free[row]:
                yield np.array([row])

    def _markets(self, dearest: list[int], taken: Small, most: int) -> Iterator[Ints]:
        """Large blocks, each round the dearest request that stands in none before it."""
        apart = self._asked.copy()
        for request in dearest:
            begin = self._round(request, taken, self._asked)
            if apart[begin].all():
                rows = self._grown(begin, self._asked, most)
                apart[rows] = False
                yield rows

    def _loss(self, rows: Ints, taken: Small) -> int:
        """How much the plan lies above the prices' bound in some rows, with those who are left out there."""
        inside = np.zeros(self.instance.requests, np.bool_)
        inside[self.request[np.isin(self.row, rows)]] = True
        out = inside & (taken < 0)
        return int(self._loose(taken)[rows].sum() + self._alone[out].sum())

    def _dearest(self, taken: Small, least: int) -> Ints:
        """Requests that stand at least so much dearer than at their cheapest, cents x SCALE; most first."""
        excess = self._standing(taken)
        order: Ints = np.argsort(-excess, kind="stable")[:_BLOCKS]
        return order[excess[order] >= max(1, least)]

    def _standing(self, taken: Small) -> Ints:
        """R; how much dearer than at its cheapest each request stands."""
        dearer = self._alone.copy()
        dearer[taken >= 0] = self._dearer[taken[taken >= 0]]
        return dearer

    def _round(self, request: int, taken: Small, free: Flags) -> Ints:
        """Rows in which a request would stand cheaper, ascending."""
        own = np.arange(self.instance.first[request], self.instance.first[request + 1])
        own = own[self._dearer[own] < self._standing(taken)[request]]
        rows: Ints = np.unique(self.row[own]).astype(np.int64)
        return rows[free[rows]]

    def _grown(self, rows: Ints, free: Flags, most: int) -> Ints:
        """With rows that share most requests with them, where these stand nearly as cheaply first.

        None where that is too many columns to begin with; a market to its end where it has no more of them.
        """
        inside, added, shared = rows.tolist(), rows.tolist(), np.zeros(len(free), np.int64)
        while self._columns[inside].sum() <= most:
            for row in added:
                self._rivals.share(row, shared)
            shared[inside] = 0
            added = [int(np.argmax(shared * free))]
            if not (shared * free)[added] or self._columns[[*inside, *added]].sum() > most:
                return np.sort(np.array(inside, np.int64))
            inside += added
        return _NONE

    def _loosest(self, taken: Small, least: int) -> list[int]:
        """Rows credited with at least so much more, cents x SCALE, than the plan gains there; most first."""
        more = self._loose(taken)
        order = np.argsort(-more, kind="stable")
        return [int(row) for row in order[more[order] >= max(1, least)]]

    def _loose(self, taken: Small) -> Ints:
        """Rows: what each is credited with beyond what the plan gains there; 0 where nothing may be asked."""
        taken = taken[taken >= 0]
        more = self._credit.copy()
        np.subtract.at(more, self.row[taken], self._gain[taken])
        more[~self._asked] = 0
        return more

    def _block(self, rows: Ints) -> Block | None:
        """The rows' columns; None where their sums would not be exact."""
        inside = np.isin(self.row, rows)
        left_out = self._left_out(inside) if len(rows) > 1 else np.zeros(self.instance.requests, np.int64)
        columns = np.flatnonzero(inside & (self._gain > -left_out[self.request]))
        self._seen[self.request[inside]] = True
        if self._gain[columns].astype(float).clip(0).sum() + left_out.astype(float).sum() > COST_LIMIT:
            return None
        return self._posed(rows, columns, left_out)

    def _left_out(self, inside: Flags) -> Ints:
        """R; what a request that the block owns costs more without a column inside; 0 for all others.

        From now on these gain elsewhere what they pay: `inside` has taken into account what they cost there.
        """
        owned = np.zeros(self.instance.requests, np.bool_)
        owned[self.request[inside]] = True
        owned &= ~self._seen
        elsewhere = ~inside & owned[self.request]
        out = self._alone.copy()
        np.minimum.at(out, self.request[elsewhere], self._dearer[elsewhere])
        self._gain[elsewhere] = self._paid[elsewhere]
        return np.where(owned, out, 0)

    def _posed(self, rows: Ints, columns: Ints, left_out: Ints) -> Block:
        instance = self.instance
        requests, request = np.unique(self.request[columns], return_inverse=True)
        zero = np.zeros(len(columns), np.int64)
        problem = AssignmentProblem(
            request_penalty=left_out[requests],
            column_request=request,
            column_vendor=np.searchsorted(rows, self.row[columns]),
            column_resource=zero,
            column_start=instance.cell[columns] - self.row[columns] * instance.capacity.shape[1],
            column_duration=instance.span[columns].astype(np.int64),
            column_units=instance.units[columns],
            column_cost=-self._gain[columns],
            capacity=instance.capacity[rows][:, None, :-1],
        )
        certain, credit = int(left_out.sum() - left_out[requests].sum()), int(self._credit[rows].sum())
        return Block(rows, requests, columns, problem, certain, credit)
