"""From messages to the arrays of a `Screening`. Vendors are encoded once and kept until one changes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

from contracts.tuning import Number
from contracts.vendors import Vendor
from solvers.arrays import Arrays, hash_arrays
from solvers.capacity.supply import Supply
from solvers.horizon import Horizon
from solvers.rules import registry
from solvers.rules.base import Rule
from solvers.screening import (
    ALL_OTHERS,
    OpenRequest,
    Screening,
    Standing,
    VendorKnowledge,
    facts_of,
    sequence_of,
)
from solvers.travel import DetourTravel, TravelTimes
from solvers.tuned import in_full

NOTHING_KNOWN: Final[VendorKnowledge] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class VendorBook:
    """V vendors, sorted by id, and what each rule encoded of them."""

    vendors: tuple[Vendor, ...]
    index: Mapping[str, int]  #: id to row
    known: VendorKnowledge  #: of them, beside their documents
    arrays: Mapping[str, Arrays]  #: by rule code
    digest: str  #: of the arrays

    @classmethod
    def of(cls, vendors: Sequence[Vendor], known: VendorKnowledge = NOTHING_KNOWN) -> VendorBook:
        """Sorted, so that the same vendors always give the same arrays."""
        held = tuple(sorted(vendors, key=lambda vendor: vendor.id))
        index = {vendor.id: row for row, vendor in enumerate(held)}
        arrays = {
            rule.code: rule.of_vendors(held) | _of_known(rule, held, known) for rule in registry.rules()
        }
        return cls(held, index, known, arrays, _digest(arrays))

    def knowing(self, known: VendorKnowledge) -> VendorBook:
        """The same vendors when `known` of them changes: only rules that read what changed encode again."""
        readers = [rule for rule in registry.rules() if rule.reads]
        changed = [rule for rule in readers if known.get(rule.reads) != self.known.get(rule.reads)]
        if not changed:
            return self
        fresh = {rule.code: self.arrays[rule.code] | _of_known(rule, self.vendors, known) for rule in changed}
        arrays = {**self.arrays, **fresh}
        return replace(self, known=known, arrays=arrays, digest=_digest(arrays))

    def known_of(self, vendor_id: str) -> Mapping[str, Any]:
        """What is known of one vendor, or taken for known, by subject; under `ALL_OTHERS` that of whoever."""
        found = self._known_of.get(vendor_id)
        if found is None:
            market = {subject: told[ALL_OTHERS] for subject, told in self.known.items() if ALL_OTHERS in told}
            own = {subject: told[vendor_id] for subject, told in self.known.items() if vendor_id in told}
            found = self._known_of[vendor_id] = {ALL_OTHERS: market, **market, **own}
        return found

    @cached_property
    def _known_of(self) -> dict[str, Mapping[str, Any]]:
        return {}


def _of_known(rule: Rule, vendors: Sequence[Vendor], known: VendorKnowledge) -> Arrays:
    return rule.of_known(vendors, known.get(rule.reads, {})) if rule.reads else {}


def _digest(arrays: Mapping[str, Arrays]) -> str:
    state = hashlib.blake2b(digest_size=8)
    for code in sorted(arrays):
        hash_arrays(state, arrays[code])
    return state.hexdigest()


def encode(
    asked: Sequence[OpenRequest],
    book: VendorBook,
    supply: Supply,
    horizon: Horizon,
    *,
    now_ms: int,
    values: Mapping[str, Number],
    travel: TravelTimes | None = None,
    standing: Standing | None = None,
) -> Screening:
    """Everything that screening needs, as arrays; `travel` defaults to `DetourTravel` as tuned."""
    return Screening(
        facts=facts_of(asked),
        supply=supply,
        horizon=horizon,
        travel=travel or DetourTravel.of(values),
        now_ms=now_ms,
        values=in_full(values),
        of_requests={rule.code: rule.of_requests(asked, book.index) for rule in registry.rules()},
        of_vendors=book.arrays,
        vendors_digest=book.digest,
        plugins=registry.plugins(),
        standing=standing,
        sequence=sequence_of(asked),
    )
