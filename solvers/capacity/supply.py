"""What screening, formulation and checks ask of the vendors' capacity, whatever kind it is of.

Arrays of n entries go together: entry i is of vendor `vendor[i]`, its resource `resource[i]` (a pool, say).
Buckets are those of the ledger, counted from the start of the horizon; days count from its first.
"""

from __future__ import annotations

from typing import Protocol

from contracts.codes import ServiceClass
from solvers.arrays import Arrays, Flags, Ints


class Room(Protocol):
    """One resource on one day, for the scalar checks: the same state, read by other code than the arrays."""

    def serves(self, service_class: ServiceClass) -> bool:
        """Whether the resource serves the class on that day."""
        ...

    def has(self, units: int, first: int, end: int, dispatches: int = 1) -> bool:
        """Whether each bucket from `first` up to `end` has the units left, and the day so many dispatches."""
        ...


class Supply(Protocol):
    """V vendors with K resources each, what they serve and what is left of them. Goes to solver processes."""

    @property
    def vendors(self) -> int:
        """V."""
        ...

    @property
    def nbytes(self) -> int:
        """Of memory, about."""
        ...

    def classes(self) -> Flags:
        """Classes x V; whether any resource of the vendor serves the class on any day in view."""
        ...

    def resources(self, vendor: Ints, service_class: Ints) -> tuple[Ints, Ints]:
        """Of n (vendor, class): row and resource of each that serves the class on some day, in order."""
        ...

    def takes(self, vendor: Ints, resource: Ints, day: Ints, service_class: Ints) -> Flags:
        """n; whether the resource serves the class on the day and may take one more dispatch."""
        ...

    def least_left(self, vendor: Ints, resource: Ints, first: Ints, end: Ints) -> Ints:
        """n; fewest units left in the buckets from `first` up to `end`; 0 where they leave the horizon."""
        ...

    def free_runs(self, factor: int, since: int, until: int) -> tuple[Ints, Ints, Ints, Ints]:
        """Where a unit is left: vendor, resource, first and end coarse bucket of `factor` each; sorted.

        Of the coarse buckets from `since` up to `until` alone.
        """
        ...

    def units(self, first: int, end: int, factor: int) -> Ints:
        """V x K x coarse buckets of `factor` ledger buckets each; the least left in each, never below 0."""
        ...

    def vendor_caps(self) -> Ints:
        """V; the most dispatches that the vendor takes on all days in view together."""
        ...

    def beyond_caps(self, vendor: Ints, resource: Ints, day: Ints, cents: Ints) -> Ints:
        """Of n matches, those beyond what a resource takes on a day, the dearest of each; indices."""
        ...

    def less(self, vendor: Ints, resource: Ints, day: Ints, first: Ints, end: Ints) -> Supply:
        """What is left once n pieces of work took a unit each from `first` up to `end`, and a dispatch."""
        ...

    def room(self, vendor: int, resource: int, day: int) -> Room:
        """For the scalar checks."""
        ...

    def arrays(self) -> Arrays:
        """All there is, by name: for the digest of a plan's input."""
        ...
