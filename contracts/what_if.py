"""What-if: a change of settings or vendors that is tried and not made, and what it would do."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.base import Id, Wire
from contracts.pools import Pools
from contracts.tuning import Sent
from contracts.vendors import Vendor

LEAST_PERCENT, MOST_PERCENT = -100, 400
MOST_VENDORS = 200


class AddedVendor(Wire):
    """A vendor that is not there; `capacity` is what it would have on each day in view."""

    vendor: Vendor
    capacity: Pools


class WhatIfChange(Wire):
    """What would be otherwise. `values` are laid over the settings in force; the rest stays as it is."""

    values: Annotated[dict[str, Sent], Meta(max_length=200)] = msgspec.field(default_factory=dict)
    rules_off: Annotated[tuple[Id, ...], Meta(max_length=50)] = ()
    pause: Annotated[tuple[Id, ...], Meta(max_length=MOST_VENDORS)] = ()
    resume: Annotated[tuple[Id, ...], Meta(max_length=MOST_VENDORS)] = ()
    add: Annotated[tuple[AddedVendor, ...], Meta(max_length=20)] = ()
    capacity_percent: Annotated[int, Meta(ge=LEAST_PERCENT, le=MOST_PERCENT, description="percent")] = 0

    @property
    def is_none(self) -> bool:
        """Whether all stays as it is."""
        return self == WhatIfChange()
