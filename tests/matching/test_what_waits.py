"""What is not planned yet, or no more: it is neither read again and again nor forgotten."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from contracts.codes import DeclineCode
from contracts.identifiers import Identifier
from contracts.offers import Decline
from contracts.tuning import Tuning
from dispatcher.domain.requests import RequestRecord
from dispatcher.matching import requests
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.looking import Looking
from dispatcher.matching.progress import Progress
from dispatcher.matching.requests import asked_of
from dispatcher.matching.sequence import Others, beside
from dispatcher.matching.solving import SolverPool
from dispatcher.store.requests import RequestPart
from solvers.planning import plan
from tests.matching.conftest import Town
from tests.solvers.town import trip, vendor
from tests.store import made

DECLINE = Decline(code=DeclineCode.NO_VEHICLES_AVAILABLE)


def test_what_others_call_a_request_goes_to_no_solver() -> None:
    request = replace(made.trip("r1"), identifiers=(Identifier(value="ORD-1"),))
    asked = asked_of(request, ZoneInfo("UTC"), {}, record=made.record("r1"))
    assert asked.request == replace(request, identifiers=())


async def test_what_is_beyond_the_horizon_is_read_once_and_planned_when_it_comes_near(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.store.market(town.name).tuning.put(Tuning(version=1, values={"horizon_hours": 2}), 0)
    await town.add_vendor(vendor("v1"))
    await town.submit(trip("r1", start_min=300))
    for _ in range(2):
        assert (await run_batch(own, town.market, solvers)).tried == set()
    assert town.market.requests.bodies == {}
    town.clock.ms += 4 * 3_600_000
    assert (await run_batch(own, town.market, solvers)).offered == {"r1"}


async def test_what_is_forgotten_while_another_reads_it_is_there_for_who_reads(
    town: Town, own: Ownership, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that listed what is open before it came forgets it: it would wait for the next, though it is
    imminent.
    """
    await town.add_vendor(vendor("v1"))
    await town.submit(trip("r1", start_min=30))

    async def meanwhile(records: Sequence[RequestRecord], stored: RequestPart) -> Others:
        town.market.requests.forget_all_but([])
        return await beside(records, stored)

    monkeypatch.setattr(requests, "beside", meanwhile)
    assert (await match_imminent(own, town.market, ["r1"])).offered == {"r1"}


async def test_a_request_that_had_all_its_offers_waits_without_being_planned(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.store.market(town.name).tuning.put(Tuning(version=1, values={"max_attempts": 1}), 0)
    for each in ("v1", "v2"):
        await town.add_vendor(vendor(each))
    await town.market.refresh()
    await town.submit(trip("r1", start_min=30))
    await match_imminent(own, town.market, ["r1"])
    await town.decline("r1", DECLINE)
    assert await town.market.waiting(["r1"]) == []
    assert (await run_batch(own, town.market, solvers)).tried == set()


async def test_a_batch_plans_for_the_moment_at_which_it_is_ready(town: Town, own: Ownership) -> None:
    await town.add_vendor(vendor("v1"))
    await town.submit(trip("r1", start_min=-5, width_min=60))
    await town.market.refresh()
    waiting = await town.market.waiting(town.ids)
    ahead = await town.market.snapshot(waiting, ahead_ms=20 * 60_000)
    assert min(plan(ahead.screening()).chosen.start_ms.tolist()) >= town.clock.now_ms() + 25 * 60_000


async def test_another_tuning_is_seen_by_the_next_look_not_by_the_next_batch(
    town: Town, own: Ownership
) -> None:
    await town.add_vendor(vendor("v1"))
    await town.market.refresh()
    part = town.store.market(town.name).tuning
    await part.put(Tuning(version=1, values={"price_weight": 2.0}), 0)
    town.service.markets.forget_tuning(town.name)
    looking = Looking(Progress(own, town.market))
    await looking.look(afresh=False)
    assert town.market.values == {}
    await looking.look(afresh=True)
    assert town.market.values == {"price_weight": 2.0}
