"""Capacity prices by a Lagrangian: the bound, and the guide of all that follows (kernels/dual.c)."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from solvers.assignment.deadline import Deadline
from solvers.assignment.exactness import SCALE
from solvers.assignment.instance import Instance
from solvers.assignment.ties import Ties
from solvers.kernels.layouts import DUAL, SEEN
from solvers.kernels.library import Struct, library

_ROUNDS: Final = 20  #: steps between two surveys
_CALL: Final = 5  #: steps in one call into C, so that a wish to stop is honoured soon
_REACH: Final = 0.1  #: how far prices drift between two surveys, of how far they could
_FALL: Final = 1e-4  #: last step length over the first


class Prices:
    """Prices of capacity (rows x stride, cents per unit and bucket) and of vendors (V, cents per request)."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        cells, vendors, requests = instance.capacity.size, len(instance.cap), instance.requests
        self.price, self.vendor_price = np.zeros(cells), np.zeros(vendors)
        self.prefix, self.vendor_prefix = np.zeros(cells, np.float32), np.zeros(vendors, np.float32)
        self.best, self.vendor_best = self.price.copy(), self.vendor_price.copy()
        self.value = -np.inf
        self.spread, self.spreads = 1.0, np.ones(requests)  #: of third candidates, see `Search`
        self.fixed = np.zeros(cells, np.int64), np.zeros(vendors, np.int64)
        self.regret, self.load = _scales(instance)
        self.seen_first = np.zeros(requests + 1, np.int32)
        self.ties = Ties(instance)
        self._dual = Struct(
            DUAL,
            ties=self.ties.struct,
            near=self.ties.near,
            first=self.seen_first,
            seen=np.empty(max(1, len(instance.cost)), SEEN),
            low=np.zeros(requests),
            prefix=self.prefix,
            vendor_prefix=self.vendor_prefix,
            price=self.price,
            vendor_price=self.vendor_price,
            **{name: np.zeros(cells) for name in ("use", "mean", "square")},
            **{name: np.zeros(vendors) for name in ("count", "vendor_mean", "vendor_square")},
        )

    def climb(self, deadline: Deadline, *, rounds: int, share: float, aim: float = np.inf) -> None:
        """At most `rounds` steps, within a share of the deadline, or until they are worth `aim` cents.

        Keeps the best prices met.
        """
        first = 0.2 * self.regret / self.load
        chunks, done, gone = max(2, rounds // _ROUNDS), 0, 0.0
        started = deadline.fraction
        allotted = max(1e-9, share * (1 - started))
        while gone < 1 and not deadline.over:
            rate = first * _FALL**gone
            self._survey(_REACH * _ROUNDS * rate * self.load)
            if self.value > aim - 1 and self.prove() >= aim:  # a bound is rounded up to whole cents
                break
            done += 1
            self._steps(deadline, rate, 0.25 * rate * self.load, _FALL ** (1 / (chunks * _ROUNDS)))
            gone = max(done / chunks, (deadline.fraction - started) / allotted)
        self._survey(0.0)
        self.price[:], self.vendor_price[:] = self.best, self.vendor_best
        self._survey(0.0)

    def _steps(self, deadline: Deadline, rate: float, vendor_rate: float, factor: float) -> None:
        here, dual, done = self.instance.struct.address, self._dual.address, 0
        while done < _ROUNDS and not deadline.stopped:
            fall = factor**done
            library().dual_climb(here, dual, _CALL, rate * fall, vendor_rate * fall, factor)
            done += _CALL
        deadline.work += _ROUNDS * int(self.seen_first[-1]) // 100 + 1

    def prove(self) -> int:
        """The bound at the best prices, cents, in integers only.

        `fixed` are those prices then, cents x SCALE: sums over a row's buckets before each, and the vendors'.
        """
        self.price[:], self.vendor_price[:] = self.best, self.vendor_best
        at = [each.ctypes.data for each in self.fixed]
        bound: int = library().dual_bound(self.instance.struct.address, self._dual.address, *at)
        return bound

    def regrets(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Of tied requests' columns, and of leaving each request unmatched (R), cents; see `Ties`."""
        instance, columns = self.instance, self.ties.columns
        begin, units = instance.cell[columns], instance.units[columns]
        paid = units * (self.prefix[begin + instance.span[columns]].astype(float) - self.prefix[begin])
        priced = instance.cost[columns] + paid + self.vendor_prefix[instance.vendor[columns]]
        regret, unmatched = self.ties.regrets((np.clip(priced, -(2.0**44), 2.0**44) * SCALE).astype(np.int64))
        alone = np.zeros(instance.requests, np.float32)
        alone[self.ties.requests] = unmatched / SCALE
        return (regret / SCALE).astype(np.float32), alone

    def of_cells(self) -> npt.NDArray[np.float64]:
        """V x K x B; the best prices as the problem has its capacity."""
        return self.best.reshape(self.instance.capacity.shape)[:, :-1].reshape(
            self.instance.problem.capacity.shape
        )

    def _survey(self, width: float) -> None:
        value = library().dual_survey(self.instance.struct.address, self._dual.address, width)
        if value > self.value:
            self.value = value
            self.best[:], self.vendor_best[:] = self.price, self.vendor_price


def _scales(instance: Instance) -> tuple[float, float]:
    """Mean of penalty less cheapest cost, cents, and of units x buckets a column takes."""
    columns = len(instance.cost)
    if columns == 0:
        return 1.0, 1.0
    starts = np.minimum(instance.first[:-1], columns - 1)
    cheapest = np.minimum.reduceat(instance.cost, starts)
    some = (np.diff(instance.first) > 0) & (instance.penalty < 2**43)
    regret = float(np.mean(np.maximum(instance.penalty - cheapest, 0)[some])) if some.any() else 1.0
    load = float(np.mean(instance.units.astype(np.float64) * instance.span))
    return max(regret, 1.0), max(load, 1.0)
