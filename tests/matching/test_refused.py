"""A match that a rule's own check refuses: its request learns the true reason; it is not tried for ever."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from contracts.codes import RequestState
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.explanations import explain
from dispatcher.matching.quotes import Quoter
from dispatcher.matching.refused import Refused
from dispatcher.matching.solvers import Whose
from dispatcher.matching.solving import SolverPool
from solvers.arrays import Flags
from solvers.planning import BatchPlan, plan
from solvers.rules import registry
from solvers.rules.base import Candidate, CandidateRule, Candidates, View
from solvers.screening import Screening
from tests.matching.conftest import Town
from tests.solvers.town import TZ, trip, vendor


class TwoMinds(CandidateRule):
    """Its arrays allow v1, its check does not: as if a number had been rounded twice."""

    code = "two_minds"
    order = 65

    def mask(self, view: View, candidates: Candidates) -> Flags:
        return np.ones(len(candidates), np.bool_)

    def permits(self, one: Candidate) -> bool:
        return one.vendor.id != "v1"


class Here(SolverPool):
    """Plans and searches in this process."""

    def __init__(self) -> None:
        self.plans = count()

    async def plan(
        self, screening: Screening, most_s: float = 3600.0, whose: Whose | None = None
    ) -> BatchPlan:
        next(self.plans)
        return plan(screening)

    async def relax(self, screening: object, vendors: object, whys: object) -> object:  # type: ignore[override]
        return whys


@pytest.fixture(autouse=True)
def two_minds() -> Iterator[None]:
    with registry.with_rule(TwoMinds()):
        yield


async def batch(town: Town, own: Ownership) -> int:
    """One batch and its explanations; how many offers came of it."""
    done = await run_batch(own, town.market, Here())
    await explain(own, town.market, Here(), done)
    return len(done.offered)


async def test_its_request_is_told_the_rule_that_refused(town: Town, own: Ownership) -> None:
    await town.add_vendor(vendor("v1"))
    await town.submit(trip("r1", start_min=400))
    assert [await batch(town, own) for _ in range(2)] == [0, 0]
    record = await town.record("r1")
    assert record.state is RequestState.MATCHING
    assert record.unmatched is not None
    assert [(each.rule, each.vendors) for each in record.unmatched.removed] == [("two_minds", 1)]
    assert record.unmatched.last_rule == "two_minds"


async def test_others_have_their_turn(town: Town, own: Ownership) -> None:
    await town.add_vendor(vendor("v1"))
    await town.add_vendor(vendor("v2", out_of_area_m=1))
    await town.submit(trip("r1", start_min=400, preferred_vendors=("v1",)))
    assert [await batch(town, own) for _ in range(2)] == [0, 1]
    assert await town.vendors_of(["r1"]) == ["v2"]


async def test_the_vendor_is_asked_again_once_it_changes(town: Town, own: Ownership) -> None:
    await town.add_vendor(vendor("v1"))
    await town.submit(trip("r1", start_min=400))
    await batch(town, own)
    reading = town.market.reading
    assert reading is not None
    assert town.market.requests.refused.of("r1", reading) == {"v1": "two_minds"}
    await town.add_vendor(vendor("v1", max_stairs=11))
    assert town.market.requests.refused.of("r1", await town.market.refresh()) == {}


async def test_what_is_refused_while_a_thread_reads_what_was_is_no_failure(town: Town) -> None:
    refused, reading = Refused(), await town.market.refresh()
    for each in ("v1", "v2"):
        refused.note("r1", each, "two_minds", reading)

    class Meanwhile(dict[tuple[str, str], int]):
        def get(self, key: tuple[str, str], default: int = 0) -> int:  # type: ignore[override]
            refused.note("r1", "v3", "two_minds", reading)
            return default

    assert set(refused.of("r1", replace(reading, versions=Meanwhile()))) == {"v1", "v2"}
    assert set(refused.of("r1", reading)) == {"v1", "v2", "v3"}


async def test_a_quote_promises_nothing_that_would_be_refused(town: Town) -> None:
    await town.add_vendor(vendor("v1"))
    quoter = Quoter(town.store, town.clock, {town.name: TZ})
    alone = await quoter.quote(town.name, trip())
    assert alone.unmatched is not None
    assert (alone.quotes, alone.unmatched.last_rule) == ((), "two_minds")
    await town.add_vendor(vendor("v2"))
    assert [each.vendor_id for each in (await quoter.quote(town.name, trip())).quotes] == ["v2"]
