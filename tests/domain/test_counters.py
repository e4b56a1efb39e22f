"""A vendor's counter-offer: what it hears where that may not be."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from contracts.instants import HOUR_MS
from dispatcher.domain.amendments import placed_by
from dispatcher.domain.commands.counter import CounterOffer
from dispatcher.domain.links import Link
from dispatcher.domain.refusals import DoesNotFit
from tests.domain import make


def test_out_of_sequence_its_vendor_hears_no_name_of_what_goes_before() -> None:
    offered = replace(make.offered(make.vendor()), after=(Link("oxygen"),))
    placed = placed_by(make.proposal(offered, make.vendor()))
    later = replace(placed, start_ms=placed.start_ms + HOUR_MS, end_ms=placed.end_ms + HOUR_MS)
    command = CounterOffer(offer_id="r1.1", start_ms=later.start_ms, placed=later)
    with pytest.raises(DoesNotFit, match="sequence") as refused:
        make.decide(offered, command, vendor="v1")
    assert "oxygen" not in str(refused.value)
