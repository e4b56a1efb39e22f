"""What the matcher asks of the vendors' capacity, and which kinds of it there are: pools, so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from contracts.capacity import Capacity
from dispatcher.domain.booking import Booking
from dispatcher.matching import pools
from dispatcher.store.ledger import Ledger, LedgerKey
from solvers.capacity.supply import Supply
from solvers.horizon import Horizon

Postings = Mapping[tuple[str, str], Capacity]  #: by vendor and ISO day


class CapacityBook(Protocol):
    """The capacity of V vendors over the days in view, and what is left of it."""

    @property
    def supply(self) -> Supply:
        """As the solvers read it."""
        ...

    @property
    def horizon(self) -> Horizon:
        """The days in view."""
        ...

    def resource_id(self, vendor: int, resource: int) -> str:
        """The id of a resource by its place in the arrays."""
        ...

    def bookings(self, vendor_id: str, resource: int, start_ms: int, free_ms: int) -> tuple[Booking, ...]:
        """What work from start until the unit is free again takes of the ledgers."""
        ...

    def take(self, bookings: Sequence[Booking]) -> None:
        """Count these against what is left; what is not in view is passed over."""
        ...

    def give_back(self, bookings: Sequence[Booking]) -> None:
        """The opposite."""
        ...

    def holds(self, bookings: Sequence[Booking]) -> bool:
        """Whether there is room for all of them, each by itself; what is not in view is passed over."""
        ...

    def place_of(self, bookings: Sequence[Booking]) -> tuple[int, int, int, int] | None:
        """Of work booked so: rows of vendor and resource, first and end bucket; None: not in view."""
        ...

    def renewed(
        self, vendor_id: str, postings: Postings, ledgers: Mapping[LedgerKey, Ledger]
    ) -> CapacityBook | None:
        """With what one vendor posts, and has booked, now; None: its resources are others than before.

        What was left before is written over: this book is not to be used any more, copies of it are.
        """
        ...

    def among(self, vendor_ids: Sequence[str]) -> CapacityBook:
        """Of these vendors alone, in this order."""
        ...

    def copy(self) -> CapacityBook:
        """With counts of its own."""
        ...

    def until(self, ms: int) -> CapacityBook:
        """Up to the day after that of an instant: what starts by then may end on it. Not a copy."""
        ...


def ledger_keys(postings: Postings) -> list[LedgerKey]:
    """The ledgers that these postings are booked in."""
    return pools.ledger_keys(postings)


def limits_of(postings: Postings) -> Mapping[str, Sequence[object]]:
    """What is known of the vendors' resources, by vendor, for the rule `pool_limits`."""
    return pools.limits_of(postings)


def capacity_book(
    vendors: Mapping[str, int],
    postings: Postings,
    ledgers: Mapping[LedgerKey, Ledger],
    horizon: Horizon,
) -> CapacityBook:
    """From what is posted and booked; `vendors` maps ids to rows."""
    return pools.PoolBook.of(vendors, postings, ledgers, horizon)
