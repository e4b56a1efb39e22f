"""One request, or one vendor, that makes planning raise is set aside and told; all others go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from contracts.codes import RequestState
from contracts.tuning import Tuning
from contracts.unmatched import Unmatched
from contracts.vendors import Vendor
from dispatcher.domain.commands import make_offer
from dispatcher.matching import explanations, requests, unplanned
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Done, Ownership
from dispatcher.matching.explanations import explain
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.job import Job
from dispatcher.matching.matcher import Matcher
from dispatcher.matching.quotes import Quoter
from dispatcher.matching.snapshot import Snapshot
from dispatcher.matching.solving import SolverPool
from dispatcher.service.loops import MATCHING, Troubles
from solvers.arrays import Arrays, Flags
from solvers.planning import BatchPlan
from solvers.rules import registry
from solvers.rules.base import Candidate, CandidateRule, Candidates, View
from solvers.screening import OpenRequest
from tests.matching.conftest import Town
from tests.matching.test_refused import Here
from tests.matching.test_will_calls import will_call
from tests.solvers.town import TZ, trip, vendor

STEPS = ("of_requests", "of_vendors", "mask", "permits", "decision", "reading")


@dataclass(eq=False)
class Poison(CandidateRule):
    """Raises at one step, for requests and vendors named `bad…`; nothing is wrong with the others."""

    at: str = ""

    code = "poison"
    order = 65

    def of_requests(self, asked: Sequence[OpenRequest], vendor_index: Mapping[str, int]) -> Arrays:
        self._fail("of_requests", *(each.request.id for each in asked))
        return {"bad": np.array([each.request.id.startswith("bad") for each in asked], np.bool_)}

    def of_vendors(self, vendors: Sequence[Vendor]) -> Arrays:
        self._fail("of_vendors", *(each.id for each in vendors))
        return {"bad": np.array([each.id.startswith("bad") for each in vendors], np.bool_)}

    def mask(self, view: View, candidates: Candidates) -> Flags:
        self._fail("mask", *("bad" for each in view.request["bad"] if each))
        self._fail("mask of vendors", *("bad" for each in view.vendor["bad"][candidates.vendor] if each))
        if view.request["bad"].sum() > 1:
            self._fail("both", "bad")
        return np.ones(len(candidates), np.bool_)

    def permits(self, one: Candidate) -> bool:
        self._fail("permits", one.asked.request.id)
        self._fail("permits of vendors", one.vendor.id)
        return True

    def _fail(self, at: str, *names: str) -> None:
        if self.at == at and any(each.startswith("bad") for each in names):
            raise OverflowError(f"what it holds: {names}")


@pytest.fixture
def rule() -> Iterator[Poison]:
    poison = Poison()
    with registry.with_rule(poison):
        yield poison


def raising_for_bad(function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(one: Any, *others: Any) -> Any:
        if one.id.startswith("bad"):
            raise OverflowError
        return function(one, *others)

    return wrapped


@pytest.fixture
def poison(rule: Poison, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have it raise at a step from now on; "" mends it."""

    def at(step: str) -> None:
        monkeypatch.undo()
        rule.at = step
        if step == "decision":
            monkeypatch.setattr(make_offer, "exhausted", raising_for_bad(make_offer.exhausted))
        if step == "reading":
            monkeypatch.setattr(requests, "leaves", raising_for_bad(requests.leaves))

    return at


def aside(town: Town) -> dict[str, str]:
    """By id, as what it is told."""
    return {each.id: each.kind for each in town.store.aside.known(town.name)}


class Breaks(Here):
    """Its processes give nothing: as where a rule raises there, too."""

    workers, processes = 1, 1

    def threads(self) -> int:
        return 1

    async def plan(self, *words: Any, **more: Any) -> BatchPlan:
        return await SolverPool.plan(self, *words, **more)

    async def _optimised(self, job: Job, *words: object) -> None:
        return None


async def batch(town: Town, own: Ownership) -> Done:
    return await run_batch(own, town.market, Here())


@pytest.mark.parametrize("step", STEPS)
async def test_of_a_batch_all_others_are_offered_in_the_same_turn(
    town: Town, own: Ownership, step: str, poison: Callable[[str], None]
) -> None:
    poison(step)
    for each in ("bad", "v1", "v2", "v3"):
        await town.add_vendor(vendor(each), units=5)
    await town.submit(*(trip(each, start_min=400) for each in ("good1", "bad1", "good2", "good3", "bad2")))
    offered, good = set[str](), {"good1", "good2", "good3"}
    for _ in range(4 if step == "permits" else 1):  # of each vendor that was chosen it is learnt by itself
        offered |= (await batch(town, own)).offered
    assert offered == good | ({"bad1", "bad2"} if step == "of_vendors" else set())
    told = aside(town)
    assert set(told) == ({"bad"} if step == "of_vendors" else {"bad1", "bad2"})
    assert set(told.values()) == {"vendor.poison" if step == "of_vendors" else "plan.poison"}


@pytest.mark.parametrize("split", [50_000, 10])
async def test_where_solvers_fail_too_all_others_are_offered_in_parts_or_not(
    town: Town, own: Ownership, poison: Callable[[str], None], split: int
) -> None:
    poison("mask")
    await town.store.market(town.name).tuning.put(Tuning(version=1, values={"split_requests": split}), 0)
    await town.add_vendor(vendor("v1"), units=20)
    good = [f"good{number}" for number in range(12)]
    await town.submit(*(trip(each, start_min=400) for each in (*good, "bad1")))
    assert (await run_batch(own, town.market, Breaks())).offered == set(good)
    assert aside(town) == {"bad1": "plan.poison"}


@pytest.mark.parametrize("step", STEPS)
async def test_of_imminent_requests_all_others_are_offered_at_once(
    town: Town, own: Ownership, step: str, poison: Callable[[str], None]
) -> None:
    poison(step)
    for each in ("bad", "v1"):
        await town.add_vendor(vendor(each), units=5)
    await town.submit(trip("bad1"), trip("good"))
    left = set[str]()
    done = await match_imminent(own, town.market, ["bad1", "good"], left=left)
    assert done.offered == {"good"} | ({"bad1"} if step == "of_vendors" else set())
    assert (await match_imminent(own, town.market, sorted(left))).offered == set()


async def test_a_vendor_with_whom_planning_raises_is_left_out_until_it_is_another(
    town: Town, own: Ownership, poison: Callable[[str], None]
) -> None:
    poison("mask of vendors")
    for each in ("bad", "v1"):
        await town.add_vendor(vendor(each), units=5)
    await town.submit(trip("r1", start_min=400), trip("r2", start_min=400))
    assert (await batch(town, own)).offered == {"r1", "r2"}
    assert await town.vendors_of(["r1", "r2"]) == ["v1", "v1"]
    assert aside(town) == {"bad": "vendor.poison"}
    assert town.market.reading is not None and set(town.market.reading.documents) == {"v1"}
    await town.store.market(town.name).vendors.put(replace(vendor("bad"), name="another"), 1)
    poison("")
    assert set((await town.market.refresh()).documents) == {"bad", "v1"}


async def test_a_vendor_is_left_out_once_a_second_request_raises_with_it_alone(
    town: Town, own: Ownership, poison: Callable[[str], None]
) -> None:
    poison("mask of vendors")
    for each in ("bad", "v1", "v2"):
        await town.add_vendor(vendor(each), units=5)
    await town.submit(trip("r1"), trip("r2"))
    assert (await match_imminent(own, town.market, ["r1"])).offered == set()
    assert aside(town) == {"r1": "plan.poison"}
    assert (await match_imminent(own, town.market, ["r2"])).offered == {"r2"}
    assert aside(town)["bad"] == "vendor.poison"
    assert (await match_imminent(own, town.market, ["r1"])).offered == {"r1"}


async def test_with_a_vendor_whose_match_cannot_be_checked_others_are_offered_elsewhere(
    town: Town, own: Ownership, poison: Callable[[str], None]
) -> None:
    poison("permits of vendors")
    await town.add_vendor(vendor("bad"), units=9)
    ids = [f"r{number}" for number in range(5)]
    await town.submit(*(trip(each, start_min=400) for each in ids))
    assert (await batch(town, own)).offered == set()
    await town.add_vendor(vendor("v1"), units=9)
    assert (await batch(town, own)).offered == set(ids)
    assert aside(town) == {}


async def test_quotes_go_on_beside_a_vendor_that_cannot_be_encoded(
    town: Town, poison: Callable[[str], None]
) -> None:
    poison("of_vendors")
    for each in ("bad", "v1"):
        await town.add_vendor(vendor(each))
    found = await Quoter(town.store, town.clock, {town.name: TZ}).quote(town.name, trip())
    assert [each.vendor_id for each in found.quotes] == ["v1"]


async def test_it_is_tried_again_by_itself_and_once_it_is_another(
    town: Town, own: Ownership, poison: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    poison("mask")
    await town.add_vendor(vendor("v1"), units=5)
    await town.submit(trip("bad1", start_min=400))
    known = town.market.requests.unplanned
    assert (await batch(town, own)).offered == set()
    assert [*known.since_s] == ["bad1"]
    poison("")
    assert (await batch(town, own)).offered == set()  # its turn has not come
    poison("mask")
    with monkeypatch.context() as at_once:
        at_once.setattr(unplanned, "AGAIN_S", 0.0)
        assert (await batch(town, own)).offered == set()
        assert [*known.since_s] == ["bad1"]
        poison("")
        assert (await batch(town, own)).offered == {"bad1"}
    assert not known.since_s


async def test_another_tuning_has_it_tried_at_once(
    town: Town, own: Ownership, poison: Callable[[str], None]
) -> None:
    poison("mask")
    await town.add_vendor(vendor("v1"))
    await town.submit(trip("bad1", start_min=400))
    await batch(town, own)
    poison("")
    await town.store.market(town.name).tuning.put(Tuning(version=1), 0)
    assert (await batch(town, own)).offered == {"bad1"}


@pytest.mark.parametrize("number", [2, unplanned.MOST + 1])
async def test_what_is_nobodys_fault_is_raised_as_it_was(
    town: Town, own: Ownership, poison: Callable[[str], None], number: int
) -> None:
    poison("both" if number == 2 else "mask")
    await town.add_vendor(vendor("v1"), units=50)
    await town.submit(*(trip(f"bad{each}", start_min=400) for each in range(number)))
    with pytest.raises(OverflowError):
        await batch(town, own)
    assert aside(town) == {}


async def test_a_will_call_that_cannot_be_planned_keeps_no_room_and_holds_up_nobody(
    town: Town, own: Ownership, poison: Callable[[str], None]
) -> None:
    poison("of_requests")
    stored = town.store.market(town.name)
    await town.store.reader.ask("HSET", stored.keys.calls("2026-11"), "weekday:16", 20)
    await town.add_vendor(vendor("v1"))
    await town.submit(will_call("bad1"), trip("good", start_min=400))
    await stored.tuning.put(Tuning(version=1, values={"will_call_reserve_share": 1.0}), 0)
    assert (await batch(town, own)).offered == {"good"}
    assert aside(town) == {"bad1": "plan.poison"}


async def test_an_offer_that_might_move_and_cannot_be_planned_holds_up_nobody(
    town: Town, own: Ownership, poison: Callable[[str], None]
) -> None:
    await town.add_vendor(vendor("v1"), units=2)
    await town.submit(trip("bad1", start_min=400))
    assert (await batch(town, own)).offered == {"bad1"}
    poison("of_requests")
    town.clock.ms += 120_000
    await town.submit(trip("good", start_min=400))
    assert (await batch(town, own)).offered == {"good"}
    assert aside(town) == {"bad1": "plan.poison"}


async def test_reasons_that_cannot_be_made_hold_up_no_others(
    town: Town, own: Ownership, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.submit(trip("bad1", start_min=400), trip("good", start_min=400))
    done = await batch(town, own)

    def beside(why: Unmatched, snapshot: Snapshot, plan: BatchPlan, row: int) -> Unmatched:
        if snapshot.asked[row].request.id == "bad1":
            raise OverflowError
        return why

    monkeypatch.setattr(explanations, "beside_others", beside)
    await explain(own, town.market, Here(), done)
    assert (await town.record("good")).unmatched is not None
    assert (await town.record("bad1")).unmatched is None
    assert aside(town) == {"bad1": "plan.explanations"}


async def test_the_matcher_goes_on_without_a_failure(town: Town, poison: Callable[[str], None]) -> None:
    poison("mask")
    stored = town.store.market(town.name)
    await stored.tuning.put(Tuning(version=1, values={"batch_interval_s": 1}), 0)
    await town.add_vendor(vendor("v1"), units=9)
    await town.submit(trip("bad1"), trip("bad2", start_min=400), trip("soon"), trip("later", start_min=400))
    troubles = Troubles(town.store, town.name, MATCHING)
    running = Matcher(town.market, town.service.executor, Here(), "a", troubles=troubles)
    task = asyncio.create_task(running.run())
    try:
        for each in ("soon", "later"):
            await town.until(each, RequestState.OFFERED)
        await town.submit(trip("after", start_min=30))
        await town.until("after", RequestState.OFFERED)
        assert await stored.troubles.counts() == {}
        assert set(aside(town)) == {"bad1", "bad2"}
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
