"""Packs decisions of one market one after the other: what recurs is packed once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from dispatcher.decisions.record import Header, Raw, Seal, name_of, small_bytes, subject
from solvers.arrays import Ints
from solvers.planning import BatchPlan
from solvers.saved import (
    changes_of,
    pack_plan,
    requests_section,
    rest_section,
    supply_section,
    vendors_section,
)
from solvers.screening import Screening

MOST_CHANGED: Final = 0.02  #: of the capacity that is left: beyond, what is shared is taken anew
_KNOWN: Final = 3  #: supplies of different days in view: imminent plans look at fewer


@dataclass(frozen=True, eq=False)
class _Shared:
    name: str
    content: bytes
    left: Ints  #: of a supply; empty for vendors


@dataclass(eq=False)
class Packer:
    """Not for two threads at once."""

    _vendors: dict[str, _Shared] = field(default_factory=dict)
    _supplies: dict[tuple[object, ...], _Shared] = field(default_factory=dict)

    def pack(
        self, header: Header, screening: Screening, plan: BatchPlan, seal: Seal
    ) -> tuple[Raw, list[bytes]]:
        """The parts of a record, and what it shares. Raises NotSaved."""
        vendors, (base, changed) = self._of_vendors(screening), self._of_supply(screening)
        raw = Raw(
            header,
            seal(subject(header.digest), requests_section(screening)),
            changes_of(screening.supply, changed),
            rest_section(screening),
            small_bytes(pack_plan(plan)),
            (vendors.name, base.name),
        )
        return raw, [vendors.content, base.content]

    def _of_vendors(self, screening: Screening) -> _Shared:
        found = self._vendors.get(screening.vendors_digest)
        if found is None:
            content = vendors_section(screening)
            found = _Shared(name_of(content), content, screening.facts.tie[:0])
            self._vendors = {screening.vendors_digest: found}
        return found

    def _of_supply(self, screening: Screening) -> tuple[_Shared, Ints]:
        """What is shared, and where this one differs from it."""
        left = screening.supply.arrays()["left"]
        key = (left.shape, screening.horizon.start_ms)
        found = self._supplies.get(key)
        if found is not None:
            changed = np.flatnonzero(found.left != left)
            if len(changed) <= MOST_CHANGED * left.size:
                return found, changed
        content = supply_section(screening)
        found = _Shared(name_of(content), content, left.copy())
        self._supplies.pop(key, None)
        self._supplies[key] = found
        while len(self._supplies) > _KNOWN:
            self._supplies.pop(next(iter(self._supplies)))
        return found, np.zeros(0, np.int64)
