"""Whatever a solver says, a match that breaks a rule is not offered."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dispatcher.matching.commits import Ownership, commit_plan
from dispatcher.matching.snapshot import Snapshot
from dispatcher.matching.verify import BrokenRule, proposal
from solvers.planning import BatchPlan, plan
from tests.matching.conftest import Town
from tests.solvers.town import trip, vendor


async def planned(town: Town) -> tuple[Snapshot, BatchPlan]:
    """One request at v1; v2 is paused, v3 has no credentials."""
    await town.add_vendor(vendor("v1"), units=1)
    await town.add_vendor(vendor("v2", paused=True))
    await town.add_vendor(vendor("v3", credentials=()))
    await town.submit(trip("r1"), trip("r2", start_min=400))
    await town.market.refresh()
    snapshot = await town.market.snapshot(await town.market.waiting(town.ids))
    return snapshot, plan(snapshot.screening())


def with_chosen(made: BatchPlan, **changes: Any) -> BatchPlan:
    return replace(made, chosen=replace(made.chosen, **changes))


async def test_an_honest_plan_passes(town: Town) -> None:
    snapshot, made = await planned(town)
    assert [proposal(snapshot, made, row).vendor.id for row in (0, 1)] == ["v1", "v1"]


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("paused", {"vendor": np.array([1, 1])}),
        ("credentials", {"vendor": np.array([2, 2])}),
        ("time_window", {"start_ms": np.array([0, 0])}),
    ],
)
async def test_a_plan_that_breaks_a_rule_is_caught_and_named(
    town: Town, rule: str, changes: dict[str, Any]
) -> None:
    snapshot, made = await planned(town)
    with pytest.raises(BrokenRule, match=rule):
        proposal(snapshot, with_chosen(made, **changes), 0)


async def test_a_plan_that_books_a_unit_twice_is_caught(town: Town) -> None:
    snapshot, made = await planned(town)
    proposal(snapshot, made, 0)
    with pytest.raises(BrokenRule, match="capacity"):
        proposal(snapshot, made, 0)


async def test_a_plan_with_a_wrong_cost_is_caught(town: Town) -> None:
    snapshot, made = await planned(town)
    with pytest.raises(BrokenRule, match="planned"):
        proposal(snapshot, replace(made, cents=made.cents + 100), 0)


async def test_a_broken_match_falls_out_and_the_others_are_offered(town: Town, own: Ownership) -> None:
    snapshot, made = await planned(town)
    broken = with_chosen(made, vendor=np.array([1, 0]))
    done = await commit_plan(own, town.market, snapshot, broken)
    assert (done.offered, done.fell_out) == ({"r2"}, 1)
    assert await town.vendors_of(["r1", "r2"]) == [None, "v1"]


async def test_what_an_offer_took_is_counted_at_once(town: Town, own: Ownership) -> None:
    snapshot, made = await planned(town)
    await commit_plan(own, town.market, snapshot, made)
    known = town.market.reading
    assert known is not None
    fresh = await town.market.refresh()
    for name, array in fresh.capacity.supply.arrays().items():
        np.testing.assert_array_equal(known.capacity.supply.arrays()[name], array)
