"""From messages to the arrays of a `Screening`. Vendors are encoded once and kept until one changes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.tuning import Number
from contracts.vendors import Vendor
from solvers.horizon import Horizon
from solvers.rules import registry
from solvers.screening import Arrays, OpenRequest, Screening, Supply, facts_of, hash_arrays
from solvers.travel import DetourTravel, TravelTimes


@dataclass(frozen=True, eq=False)
class VendorBook:
    """V vendors, sorted by id, and what each rule encoded of them."""

    vendors: tuple[Vendor, ...]
    index: Mapping[str, int]  #: id to row
    arrays: Mapping[str, Arrays]  #: by rule code
    digest: str  #: of the arrays

    @classmethod
    def of(cls, vendors: Sequence[Vendor]) -> VendorBook:
        """Sorted, so that the same vendors always give the same arrays."""
        held = tuple(sorted(vendors, key=lambda vendor: vendor.id))
        index = {vendor.id: row for row, vendor in enumerate(held)}
        arrays = {rule.code: rule.of_vendors(held) for rule in registry.rules()}
        state = hashlib.blake2b(digest_size=8)
        for code in sorted(arrays):
            hash_arrays(state, arrays[code])
        return cls(held, index, arrays, state.hexdigest())


def encode(
    asked: Sequence[OpenRequest],
    book: VendorBook,
    supply: Supply,
    horizon: Horizon,
    *,
    now_ms: int,
    values: Mapping[str, Number],
    travel: TravelTimes | None = None,
) -> Screening:
    """Everything that screening needs, as arrays; `travel` defaults to `DetourTravel` as tuned."""
    return Screening(
        facts=facts_of(asked),
        supply=supply,
        horizon=horizon,
        travel=travel or DetourTravel.of(values),
        now_ms=now_ms,
        values=dict(values),
        of_requests={rule.code: rule.of_requests(asked, book.index) for rule in registry.rules()},
        of_vendors=book.arrays,
        vendors_digest=book.digest,
        plugins=registry.plugins(),
    )
