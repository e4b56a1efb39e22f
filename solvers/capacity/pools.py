"""Pools as arrays: like units that serve the same classes, counted by the ledger bucket.

All that the solvers know of pools is here; the others ask what `solvers/capacity/supply.py` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from contracts.codes import ServiceClass
from solvers.arrays import Arrays, Flags, Ints
from solvers.horizon import Horizon
from solvers.screening import CLASS_INDEX, CLASSES


@dataclass(frozen=True, eq=False)
class PoolRoom:
    """A pool on one day, for the scalar checks."""

    bits: int  #: bit c is set when the pool serves CLASSES[c] on that day
    left: Ints  #: units left, one per ledger bucket of the horizon
    daily_left: int  #: dispatches left on that day

    def serves(self, service_class: ServiceClass) -> bool:
        """Whether the pool serves the class on that day."""
        return bool(self.bits >> CLASS_INDEX[service_class.value] & 1)

    def has(self, units: int, first: int, end: int, dispatches: int = 1) -> bool:
        """Whether every bucket of [first, end) is in view with units left, and the day with dispatches."""
        left = self.left[first:end]
        return self.daily_left >= dispatches and end - first == len(left) and bool(min(left) >= units)


@dataclass(frozen=True, eq=False)
class PoolSupply:
    """V vendors with K pools each (unused ones serve nothing) over D days of L ledger buckets together."""

    serves: Ints  #: V x K x D; bit c is set when the pool serves CLASSES[c] on that day
    left: Ints  #: V x K x L; units left per ledger bucket
    daily_left: Ints  #: V x K x D; dispatches left

    @classmethod
    def nothing(cls, vendors: int, pools: int, horizon: Horizon) -> PoolSupply:
        """Nobody has posted anything."""
        days = np.zeros((vendors, pools, len(horizon.ordinal)), np.int64)
        return cls(days, np.zeros((vendors, pools, horizon.buckets), np.int64), days.copy())

    def of(self, rows: Sequence[int]) -> PoolSupply:
        """Of these vendors (rows) alone."""
        return PoolSupply(*(each[list(rows)] for each in (self.serves, self.left, self.daily_left)))

    def copy(self) -> PoolSupply:
        """With counts of its own."""
        return PoolSupply(self.serves, self.left.copy(), self.daily_left.copy())

    def first_days(self, horizon: Horizon) -> PoolSupply:
        """Of the days of `horizon` alone, which are the first of those in view; not a copy."""
        days, buckets = len(horizon.ordinal), horizon.buckets
        return PoolSupply(self.serves[:, :, :days], self.left[:, :, :buckets], self.daily_left[:, :, :days])

    @property
    def vendors(self) -> int:
        """V."""
        return len(self.serves)

    @property
    def nbytes(self) -> int:
        """Of memory, about."""
        return self.serves.nbytes + self.left.nbytes + self.daily_left.nbytes

    def classes(self) -> Flags:
        """Classes x V."""
        serves = np.bitwise_or.reduce(self.serves, axis=(1, 2), initial=0)
        return np.asarray(serves[None, :] >> np.arange(len(CLASSES))[:, None] & 1 == 1)

    def resources(self, vendor: Ints, service_class: Ints) -> tuple[Ints, Ints]:
        """Row and pool of each pool that serves the class on some day."""
        serving = np.bitwise_or.reduce(self.serves, axis=2)
        row, pool = np.nonzero(serving[vendor] >> service_class[:, None] & 1)
        return row, pool

    def takes(self, vendor: Ints, resource: Ints, day: Ints, service_class: Ints) -> Flags:
        """n; the pool serves the class on the day, and its cap for that day is not reached."""
        serves = self.serves[vendor, resource, day] >> service_class & 1 == 1
        return np.asarray(serves & (self.daily_left[vendor, resource, day] > 0))

    def least_left(self, vendor: Ints, resource: Ints, first: Ints, end: Ints) -> Ints:
        """n; by minima over 1, 2, 4 … buckets: two of them cover any stretch, however long.

        Of the pools that are asked for alone: of many vendors few are near a few requests.
        """
        least = np.zeros(len(first), np.int64)
        if not len(first):
            return least
        lasts, buckets = end - first, self.left.shape[2]
        row, inside = vendor * self.left.shape[1] + resource, end <= buckets
        begin, stop = int(first.min()), min(int(end.max()), buckets)
        asked = np.zeros(self.left.shape[0] * self.left.shape[1], np.bool_)
        asked[row] = True
        row = (np.cumsum(asked) - 1)[row]
        level = self.left[*np.divmod(np.flatnonzero(asked), self.left.shape[1]), begin:stop]
        first = first - begin
        width, longest = 1, int(lasts[inside].max(initial=0))
        while width <= longest:
            here = np.flatnonzero((lasts >= width) & (lasts < 2 * width) & inside)
            early = level[row[here], first[here]]
            least[here] = np.minimum(early, level[row[here], first[here] + lasts[here] - width])
            width *= 2
            if width <= longest:
                half = width // 2
                level = np.minimum(level[:, : level.shape[1] - half], level[:, half:])
        return least

    def free_runs(self, factor: int, since: int, until: int) -> tuple[Ints, Ints, Ints, Ints]:
        """See `Supply`."""
        units = self.units(since * factor, min(until * factor, self.left.shape[2]), factor)
        free = np.zeros((*units.shape[:2], units.shape[2] + 2), np.bool_)
        np.greater(units, 0, out=free[:, :, 1:-1])
        edges = np.flatnonzero(free.reshape(-1)[1:] != free.reshape(-1)[:-1])  # begin, end, begin, end …
        vendor, resource, first = np.unravel_index(edges[::2], free.shape)
        return vendor, resource, since + first, since + edges[1::2] % free.shape[2]

    def units(self, first: int, end: int, factor: int) -> Ints:
        """V x K x coarse buckets; a bucket that the horizon cuts off counts what is in view."""
        left = np.maximum(self.left[:, :, first:end], 0)
        if factor == 1:
            return left
        short = -left.shape[2] % factor
        padded = np.pad(left, ((0, 0), (0, 0), (0, short)), constant_values=np.iinfo(np.int64).max)
        return np.asarray(padded.reshape(*left.shape[:2], -1, factor).min(axis=3))

    def vendor_caps(self) -> Ints:
        """V; of all pools and days."""
        return np.asarray(self.daily_left.sum(axis=(1, 2)))

    def beyond_caps(self, vendor: Ints, resource: Ints, day: Ints, cents: Ints) -> Ints:
        """The dearest matches of each pool and day beyond its cap; indices."""
        group = np.ravel_multi_index((vendor, resource, day), self.daily_left.shape)
        counts = np.bincount(group, minlength=self.daily_left.size)
        beyond = [np.zeros(0, np.int64)]
        for over in np.flatnonzero(counts > self.daily_left.reshape(-1)).tolist():
            mine = np.flatnonzero(group == over)
            order = mine[np.argsort(cents[mine], kind="stable")]
            beyond.append(order[max(0, self.daily_left.flat[over]) :])
        return np.concatenate(beyond)

    def less(self, vendor: Ints, resource: Ints, day: Ints, first: Ints, end: Ints) -> PoolSupply:
        """A copy in which each of n takes a unit over its buckets and counts for its day's cap."""
        after, taken = self.copy(), np.stack([vendor, resource, first, end], axis=1)
        np.subtract.at(after.daily_left, (vendor, resource, day), 1)
        for v, k, begin, stop in taken.tolist():
            after.left[v, k, begin:stop] -= 1
        return after

    def room(self, vendor: int, resource: int, day: int) -> PoolRoom:
        """The pool on that day."""
        serves, daily = self.serves[vendor, resource, day], self.daily_left[vendor, resource, day]
        return PoolRoom(int(serves), self.left[vendor, resource], int(daily))

    def arrays(self) -> Arrays:
        """All three; units in 32 bits, which hold any count: they are hashed for each imminent request."""
        return {"serves": self.serves, "left": self.left.astype(np.int32), "daily_left": self.daily_left}


def bits_of(serves: Iterable[ServiceClass]) -> int:
    """The classes as `PoolSupply.serves` has them."""
    return sum({1 << CLASS_INDEX[each.value] for each in serves})
