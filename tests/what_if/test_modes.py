"""A played day asks vendors as the service does, in each mode; and knows how they have answered."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from contracts.codes import OfferState, RequestState
from contracts.offer_modes import OfferMode
from dispatcher.domain.acceptance import Count
from dispatcher.what_if.answers import AsRecorded, Rates
from dispatcher.what_if.play import Play
from dispatcher.what_if.solving import Solver
from simulation.day import Day
from solvers.acceptance import cell_of
from tests.what_if.days import RELIABLE, day, ride, vendor

REFUSES = Rates(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 20.0)
VENDORS = [vendor("cheap", 3_000), vendor("middle", 3_100), vendor("dear", 3_200)]


def at_noon(mode: OfferMode | None, rides: int = 1, units: int = 10) -> Day:
    asked = [replace(ride(n, 12 * 60), offer_mode=mode) for n in range(rides)]
    return day(VENDORS, asked, units=units)


def played(of: Day, **more: object) -> Play:
    """All accept but the cheapest, which never does."""
    one = Play(of, AsRecorded(1, {"cheap": REFUSES}, RELIABLE), Solver(1, 20_000), **more)  # type: ignore[arg-type]
    one.run()
    return one


@pytest.mark.parametrize("mode", [None, *OfferMode])
def test_whatever_the_mode_somebody_has_it_and_nobody_is_booked_twice(mode: OfferMode | None) -> None:
    end = played(at_noon(mode, rides=2, units=1))
    records = list(end.desk.requests.values())
    assert [each.state for each in records] == [RequestState.COMPLETED] * 2
    assert sorted(each.dispatch.vendor_id for each in records if each.dispatch) == ["dear", "middle"]
    assert end.desk.capacity.supply.arrays()["left"].min() >= 0


def test_a_chain_goes_on_and_a_broadcast_closes_the_others() -> None:
    (chained,) = played(at_noon(OfferMode.CASCADE)).desk.requests.values()
    assert [each.vendor_id for each in chained.offers] == ["cheap", "middle"]
    assert chained.offers[1].made_ms == chained.offers[0].closed_ms, "in the same step"
    (cast,) = played(at_noon(OfferMode.BROADCAST)).desk.requests.values()
    states = {each.vendor_id: each.state for each in cast.offers}
    assert set(states) == {"cheap", "middle", "dear"}, "asked at once"
    assert list(states.values()).count(OfferState.COMPLETED) == 1
    assert states["cheap"] in (OfferState.REJECTED, OfferState.CANCELLED)


def test_who_is_known_to_refuse_is_not_asked_first() -> None:
    cell = cell_of("ambulatory", 12 * 3_600_000, 11, 2)
    known = {"2026-W37": [Count("cheap", cell, False, 50), Count("dear", cell, True, 50)]}
    (record,) = played(at_noon(None), answered=known).desk.requests.values()
    assert record.offers[0].vendor_id != "cheap"
    assert len(record.offers) == 1
