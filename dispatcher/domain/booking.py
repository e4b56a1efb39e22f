"""What a match takes of a vendor's capacity: one type a kind of capacity; `Booking` is their union."""

from __future__ import annotations

from dispatcher.domain.compact import Compact


class PoolBooking(Compact, frozen=True):
    """Units of one pool on one day: `count` ledger buckets from `first`, and one of the daily cap.

    `day` is ISO yyyy-mm-dd in the market's zone; buckets are LEDGER_BUCKET_MINUTES since local midnight.
    """

    vendor_id: str
    pool_id: str
    day: str
    first: int
    count: int
    units: int
    daily: int = 1  # what it takes of the daily cap: 1, or 0 for the tail of work that crosses midnight


Booking = PoolBooking  # a union later: PoolBooking | VehicleBooking
