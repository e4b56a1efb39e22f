"""A standing plan: what is booked and what is left, kept up to date change by change.

`solvers/room.py` makes one of the offers that may move. Only `apply`, `release` and their like change it,
each refuses to go below zero anywhere, and each raises `version`, so that an `Insertion` found on an older
state is refused instead of applied.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from solvers.arrays import Ints
from solvers.assignment.problem import AssignmentProblem
from solvers.insertion.columns import FIELDS, VENDOR, Columns, Entry, Insertion, all_columns


class StalePlan(RuntimeError):
    """The plan changed between finding an insertion and applying it; find it again."""


class NoRoom(ValueError):
    """A change would take more than is left."""


@dataclass(frozen=True, slots=True)
class Booking:
    """An entry and the column it holds, spelled out: vendor, resource, start, duration, units, cost."""

    entry: Entry
    column: int
    taken: tuple[int, int, int, int, int, int]

    @classmethod
    def at(cls, entry: Entry, column: int) -> Booking:
        """Book one of the entry's columns."""
        vendor, resource, start, duration, units, cost = entry.columns.table[:, column].tolist()
        return cls(entry, column, (vendor, resource, start, duration, units, cost))


@dataclass(frozen=True, slots=True, eq=False)
class Movable:
    """A vendor's bookings that may step aside, and what they hold: 6 x m."""

    bookings: tuple[Booking, ...]
    taken: Ints


class StandingPlan:
    """Remaining capacity V x K x B, vendors' room, and the bookings.

    `wanted`: V, requests each vendor is still short of its fair share; each filled saves `shortfall_cents`.
    """

    def __init__(
        self,
        capacity: npt.ArrayLike,
        vendor_room: npt.ArrayLike,
        *,
        wanted: npt.ArrayLike | None = None,
        shortfall_cents: int = 0,
    ) -> None:
        self.left: Ints = np.array(capacity, dtype=np.int64, order="C")
        self.vendor_room: Ints = np.array(vendor_room, dtype=np.int64)
        vendors, resources, buckets = self.left.shape
        self.rows: Ints = self.left.reshape(
            vendors * resources, buckets
        )  # a view: one row per (vendor, resource)
        self.wanted: Ints = np.array(np.zeros(vendors) if wanted is None else wanted, dtype=np.int64)
        self.shortfall_cents = shortfall_cents
        self.version = 0
        self._bookings: dict[Hashable, Booking] = {}
        self._of_vendor: list[dict[Hashable, Booking]] = [{} for _ in range(vendors)]
        self._movable: dict[int, Movable] = {}  # kept until the vendor's bookings change

    @classmethod
    def of(
        cls,
        problem: AssignmentProblem,
        choice: npt.ArrayLike,
        *,
        move_cents: int = 0,
    ) -> StandingPlan:
        """The plan that `choice` (R; column or -1) is; the index of a request is its key.

        Pinned requests and those in pairs or bundles are not movable. Raises `NoRoom` if the plan over-books.
        """
        plan = cls(
            problem.capacity, problem.vendor_cap,
            wanted=problem.vendor_target, shortfall_cents=problem.shortfall_cost,
        )  # fmt: skip
        chosen = np.asarray(choice, dtype=np.int64)
        fixed = {
            *problem.column_request[problem.pinned].tolist(),
            *problem.precedence.reshape(-1).tolist(),
            *np.flatnonzero(problem.bundle >= 0).tolist(),
        }
        table, first = (
            all_columns(problem),
            np.searchsorted(problem.column_request, np.arange(problem.requests + 1)),
        )
        for request in np.flatnonzero(chosen >= 0).tolist():
            columns = Columns(table[:, first[request] : first[request + 1]])
            entry = Entry(
                request, columns, int(problem.request_penalty[request]),
                movable=request not in fixed, move_cents=move_cents,
            )  # fmt: skip
            plan.add(entry, int(chosen[request] - first[request]))
        return plan

    def __len__(self) -> int:
        return len(self._bookings)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._bookings

    def __getitem__(self, key: Hashable) -> Booking:
        return self._bookings[key]

    def bookings(self) -> list[Booking]:
        """All bookings, in the order they came."""
        return list(self._bookings.values())

    def of_vendor(self, vendor: int) -> list[Booking]:
        """What the vendor holds, in the order it came."""
        return list(self._of_vendor[vendor].values())

    def movable(self, vendor: int) -> Movable:
        """The vendor's bookings that may step aside, in the order they came."""
        known = self._movable.get(vendor)
        if known is None:
            some = tuple(each for each in self._of_vendor[vendor].values() if each.entry.movable)
            held = np.array([each.taken for each in some], dtype=np.int64).reshape(-1, len(FIELDS))
            known = self._movable[vendor] = Movable(some, np.ascontiguousarray(held.T))
        return known

    def add(self, entry: Entry, column: int) -> None:
        """Book a column as it is; `NoRoom` if it does not fit, ValueError if the key is there already."""
        if entry.key in self._bookings:
            raise ValueError(f"request {entry.key!r} is in the plan already\nMaybe release it first.")
        booking = Booking.at(entry, column)
        vendor, resource, start, duration, units, _ = booking.taken
        if self.vendor_room[vendor] < 1:
            raise NoRoom(f"vendor {vendor} has room for {self.vendor_room[vendor]} more requests, not 1")
        self._take(vendor, resource, start, duration, units)
        self._count(booking, 1)

    def release(self, key: Hashable) -> Booking:
        """Give back what the request holds: it was cancelled, declined, or its offer expired."""
        booking = self._bookings[key]
        vendor, resource, start, duration, units, _ = booking.taken
        self.left[vendor, resource, start : start + duration] += units
        self._count(booking, -1)
        return booking

    def settle(self, key: Hashable) -> None:
        """The vendor accepted: from now on the request stays where it is."""
        booking = self._bookings[key]
        settled = replace(booking, entry=replace(booking.entry, movable=False))
        self._bookings[key] = self._of_vendor[booking.taken[VENDOR]][key] = settled
        self._movable.pop(booking.taken[VENDOR], None)
        self.version += 1

    def apply(self, insertion: Insertion) -> None:
        """Make the moves, then book the new request: all of it or, on `NoRoom`, nothing."""
        if insertion.version != self.version:
            raise StalePlan(f"the insertion is of version {insertion.version}, the plan of {self.version}")
        released = [self.release(move.key) for move in insertion.moves]
        added: list[Hashable] = []
        try:
            self.add(insertion.entry, insertion.column)
            added.append(insertion.entry.key)
            for booking, move in zip(released, insertion.moves, strict=True):
                self.add(booking.entry, move.after)
                added.append(move.key)
        except ValueError:
            for key in added:
                self.release(key)
            for booking in released:
                self.add(booking.entry, booking.column)
            raise

    def supposing(self, leaves: Hashable, taken: Sequence[int]) -> StandingPlan:
        """What would be left if a request left its place to a column of the same vendor. Only to be read."""
        booking, supposed = self._bookings[leaves], copy(self)
        supposed.left = self.left.copy()
        supposed.rows = supposed.left.reshape(self.rows.shape)
        for (vendor, resource, start, duration, units, _), sign in ((booking.taken, 1), (taken, -1)):
            supposed.left[vendor, resource, start : start + duration] += sign * units
        vendor = booking.taken[VENDOR]
        supposed._of_vendor = list(self._of_vendor)
        supposed._movable = {k: v for k, v in self._movable.items() if k != vendor}
        supposed._of_vendor[vendor] = {k: v for k, v in self._of_vendor[vendor].items() if k != leaves}
        return supposed

    def _window(self, vendor: int, resource: int, start: int, duration: int) -> Ints:
        window = self.left[vendor, resource, max(start, 0) : start + duration]
        if start < 0 or duration < 1 or len(window) < duration:
            raise NoRoom(
                f"buckets {start} to {start + duration - 1} do not lie in the plan's {self.left.shape[2]}"
            )
        return window

    def _take(self, vendor: int, resource: int, start: int, duration: int, units: int) -> None:
        window = self._window(vendor, resource, start, duration)
        if int(window.min()) < units:
            bucket = start + int(window.argmin())
            raise NoRoom(
                f"vendor {vendor}, resource {resource} has {window.min()} units left "
                f"in bucket {bucket}, not {units}"
            )
        window -= units

    def _count(self, booking: Booking, by: int) -> None:
        key, vendor = booking.entry.key, booking.taken[VENDOR]
        if by > 0:
            self._bookings[key] = self._of_vendor[vendor][key] = booking
        else:
            del self._bookings[key], self._of_vendor[vendor][key]
        self._movable.pop(vendor, None)
        self.vendor_room[vendor] -= by
        self.wanted[vendor] -= by
        self.version += 1
