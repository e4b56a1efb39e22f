"""Capacity as pools: like units that serve the same classes, a number of them in each bucket of a day."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from contracts.base import Count, Id, Kilograms, Wire
from contracts.codes import ServiceClass
from contracts.ledger import LEDGER_BUCKET_MINUTES, LEDGER_BUCKETS, MAX_UNITS

LIMITS = ("max_oxygen_l_min", "max_stairs", "max_weight_kg", "max_attendants")  # a vendor's, and a pool's


class Pool(Wire):
    """Like units that serve the same classes; `units` has one entry per bucket from local midnight."""

    id: Id
    serves: Annotated[tuple[ServiceClass, ...], Meta(min_length=1, max_length=16)]
    units: Annotated[tuple[Count, ...], Meta(min_length=1, max_length=LEDGER_BUCKETS)]
    daily_cap: Count = MAX_UNITS  # most dispatches on that day
    # What its vehicles and crews can carry, where that is less than what the vendor says of all of them:
    max_oxygen_l_min: Annotated[float, Meta(ge=0, le=15)] | None = None
    max_stairs: Annotated[int, Meta(ge=0, le=100)] | None = None
    max_weight_kg: Kilograms | None = None
    max_attendants: Annotated[int, Meta(ge=0, le=4)] | None = None


class Pools(Wire, tag="pools", tag_field="kind"):
    """Units of a resource per time bucket. A bucket length is inferred: 1440 / len(units) minutes."""

    pools: Annotated[tuple[Pool, ...], Meta(min_length=1, max_length=16)]

    def __post_init__(self) -> None:
        """Refuse two pools of one id, and bucket counts that do not divide the day."""
        ids = [pool.id for pool in self.pools]
        if len(set(ids)) != len(ids):
            raise ValueError(f"pool ids repeat: {ids}\nMaybe give each pool of a vendor its own id.")
        for pool in self.pools:
            if LEDGER_BUCKETS % len(pool.units):
                raise ValueError(
                    f"pool {pool.id} has {len(pool.units)} buckets, which do not divide "
                    f"{LEDGER_BUCKETS} buckets of {LEDGER_BUCKET_MINUTES} minutes\n"
                    "Maybe use 1, 24, 48, 96 or 288 buckets a day."
                )
