"""What serving each request is worth, by a Lagrangian with one knapsack per row (kernels/knapsack.c), for one
bucket: a tighter bound than capacity prices give, and the guide of branching.py."""

from __future__ import annotations

from typing import Final

import numpy as np

from solvers.assignment.deadline import Deadline
from solvers.assignment.dual import Prices
from solvers.assignment.exactness import COST_LIMIT, most_value
from solvers.assignment.instance import Instance
from solvers.kernels.layouts import KNAPSACKS
from solvers.kernels.library import Struct, library

_ROOM: Final = 1 << 22  #: entries of the largest table, 16 MB
_MOST_CELLS: Final = 100_000_000  #: of all tables together: about 0.1 s a step
_CALL_CELLS: Final = 20_000_000  #: in one call into C, so that a wish to stop is honoured soon
_RATE: Final = 0.5  #: first step, in spreads
_FALL: Final = 1e-3  #: last step length over the first
_CELLS_PER_WORK: Final = 1_500


class Knapsacks:
    """Values of requests (R, cents), started at the capacity prices."""

    def __init__(self, prices: Prices) -> None:
        self.instance, self.prices = prices.instance, prices
        instance = self.instance
        row = instance.cell // instance.capacity.shape[1]
        order = np.argsort(row, kind="stable")
        first = np.searchsorted(row[order], np.arange(len(instance.capacity) + 1)).astype(np.int32)
        request = np.repeat(np.arange(instance.requests), np.diff(instance.first))
        priced = instance.cost + instance.units * prices.best.reshape(instance.capacity.shape)[row, 0]
        value = instance.penalty.astype(np.float64)
        np.minimum.at(value, request, priced)
        self.best, self.bound = value.copy(), np.array([-np.inf])
        self._width, longest = int(instance.capacity.max()) + 1, int(np.diff(first).max())
        self._cells = _cells(instance)
        self._struct = Struct(
            KNAPSACKS,
            first=first,
            column=order.astype(np.int32),
            request=request[order].astype(np.int32),
            value=value,
            best=self.best,
            **{name: np.zeros(instance.requests) for name in ("mean", "square")},
            taken=np.zeros(instance.requests, np.int32),
            item=np.zeros(longest, np.int32),
            table=np.zeros((longest + 1) * self._width, np.float32),
        )

    def climb(self, deadline: Deadline, *, steps: int, share: float) -> None:
        """At most `steps`, within a share of the deadline; keeps the best values met."""
        started, done, gone = deadline.fraction, 0, 0.0
        allotted, each = max(1e-9, share * (1 - started)), max(1, min(5, _CALL_CELLS // self._cells))
        while gone < 1 and not deadline.over:
            rate = _RATE * self.prices.spread * _FALL**gone
            here = (self.instance.struct.address, self._struct.address)
            library().knapsacks_climb(*here, each, rate, _FALL ** (1 / steps), self.bound.ctypes.data)
            done += each
            deadline.work += each * self._cells // _CELLS_PER_WORK + 1
            gone = max(done / steps, (deadline.fraction - started) / allotted)

    def prove(self) -> int:
        """The bound at the best values, cents, in integers only."""
        table = np.zeros(self._width, np.int64)
        here, most = self.instance.struct.address, float(min(_most_value(self.instance), COST_LIMIT))
        bound: int = library().knapsacks_bound(here, self._struct.address, most, table.ctypes.data)
        return bound


def _most_value(instance: Instance) -> int:
    """Cents that a request's value may have for a row's sums to be exact; 0: none, do without."""
    longest = int(np.bincount(instance.cell // instance.capacity.shape[1]).max(initial=0))
    return most_value(instance.cost, longest)


def _cells(instance: Instance) -> int:
    """Entries of all rows' tables: columns x units."""
    rows, stride = instance.capacity.shape
    columns = np.bincount(instance.cell // stride, minlength=rows)
    return int((columns * (instance.capacity[:, 0] + 1)).sum())


def is_knapsacks(instance: Instance) -> bool:
    """Whether rows are all that ties requests together, and their tables fit into memory and time."""
    rows, stride = instance.capacity.shape
    if stride != 2 or not len(instance.cost) or len(instance.lag):
        return False
    if instance.problem.shortfall_cost and instance.target.any():
        return False
    in_two_rows = 2 * instance.requests / rows + 2
    width = int(instance.capacity.max()) + 1
    longest = int(np.bincount(instance.cell // stride).max())
    return bool(
        instance.cap.min() >= instance.requests
        and _cells(instance) <= _MOST_CELLS
        and max(2 * width * in_two_rows, width * (longest + 1)) <= _ROOM
        and instance.penalty.max() <= COST_LIMIT
        and _most_value(instance) >= 2 * max(np.abs(instance.cost).max(), np.abs(instance.penalty).max())
    )
