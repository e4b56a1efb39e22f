"""Every parameter of matching, rules and solvers is changed once, and something else happens than before."""

import asyncio
import selectors
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from contracts.codes import LevelOfService
from contracts.instants import MINUTE_MS
from contracts.tuning import Number, Parameter, Tuning
from contracts.unmatched import Unmatched
from dispatcher.domain.scorecards import Outcome, month_of
from dispatcher.matching import batches
from dispatcher.matching.batch import run_batch
from dispatcher.matching.child import relax, solve_job
from dispatcher.matching.commits import Done
from dispatcher.matching.explanations import explain
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.job import Job
from dispatcher.matching.progress import Progress
from dispatcher.matching.solvers import Settled, Whose
from dispatcher.store.keys import Keys
from dispatcher.store.store import Store
from dispatcher.tuning.registry import Registry
from solvers.assignment import solve as optimiser
from solvers.assignment.greedy import greedy
from solvers.assignment.problem import AssignmentProblem
from solvers.planning import BatchPlan
from solvers.screening import Screening
from tests.clock import ManualClock
from tests.matching.conftest import Town, new_town, own_market
from tests.solvers.rich_day import model, rich_day
from tests.solvers.town import NOW_MS, trip, vendor

Values = Mapping[str, Number]
MATCHING = Registry.found(("dispatcher.matching",)).parameters
SOLVERS = Registry.found(("solvers",)).parameters
PACE = (
    "batch_interval_s",
    "batch_gap_s",
    "batch_settle_s",
)  # when batches are run; all others: what is done in them
ELSEWHERE = (
    "move_candidates",  # tests/matching/test_moves.py: it takes offers that stand in others' way
    "will_call_reserve_share",  # tests/matching/test_will_calls.py: it takes will-calls, and calls of before
)


def changed(parameter: Parameter) -> list[Values]:
    """As low and as high as it may be."""
    ends = {parameter.minimum, parameter.maximum} - {parameter.default}
    return [{parameter.name: value} for value in ends]


@pytest.mark.parametrize("parameter", SOLVERS.values(), ids=lambda each: each.name)
def test_a_parameter_of_rules_or_solvers_changes_the_model(parameter: Parameter) -> None:
    usual = model(rich_day({}))
    assert any(model(rich_day(values)) != usual for values in changed(parameter))


@pytest.mark.parametrize("parameter", [MATCHING[name] for name in PACE], ids=lambda each: each.name)
def test_a_parameter_of_the_loop_changes_when_batches_are_run(
    parameter: Parameter, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = batches_at_s({}, monkeypatch)
    assert any(batches_at_s(values, monkeypatch) != usual for values in changed(parameter))


@pytest.mark.parametrize(
    "parameter",
    [each for each in MATCHING.values() if each.name not in (*PACE, *ELSEWHERE)],
    ids=lambda each: each.name,
)
async def test_a_parameter_of_matching_changes_what_is_done(
    parameter: Parameter, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = await what_is_done(store, {}, monkeypatch)
    assert any([await what_is_done(store, values, monkeypatch) != usual for values in changed(parameter)])


async def test_with_the_same_tuning_the_same_is_done(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the tests above would see differences that no parameter makes."""
    assert await what_is_done(store, {}, monkeypatch) == await what_is_done(store, {}, monkeypatch)


def test_with_the_same_tuning_the_model_and_the_pace_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    assert model(rich_day({})) == model(rich_day({}))
    assert batches_at_s({}, monkeypatch) == batches_at_s({}, monkeypatch)


@dataclass
class Recorder:
    """Solves here and now; remembers what it was asked, and what the optimiser was told."""

    most_s: list[float] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    searched: int = 0

    async def plan(
        self,
        screening: Screening,
        most_s: float = 3600.0,
        whose: Whose | None = None,
        settled: Settled | None = None,
    ) -> BatchPlan:
        self.most_s.append(most_s)
        return solve_job(Job.of(screening, most_s, workers=2))

    async def relax(
        self, screening: Screening, vendors: Sequence[str], whys: Sequence[Unmatched]
    ) -> Sequence[Unmatched]:
        self.searched += len(whys)
        return relax(screening, vendors, whys)

    def optimise(self, problem: AssignmentProblem, **limits: Any) -> SimpleNamespace:
        self.told.append(limits)
        found, prices = greedy(problem), np.zeros(problem.capacity.shape)
        return SimpleNamespace(choice=found, lacking=(), prices=prices, lower_bound=0, trace=())


async def what_is_done(store: Store, values: Values, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Some hours in a town: who is matched when, who is told why, what the optimiser may take."""
    town, solvers = await busy_town(store, values), Recorder()
    monkeypatch.setattr(optimiser, "solve", solvers.optimise)
    own, market = await own_market(town), town.market
    at_once = await match_imminent(own, market, ["soon"])
    batch = await run_batch(own, market, solvers)
    told = [await explain(own, market, solvers, batch)]
    town.clock.ms += 10 * MINUTE_MS
    await town.add_vendor(vendor("v3", paused=True))  # the reasons are others now, the last rule is not
    told.append(await explain(own, market, solvers, await run_batch(own, market, solvers)))
    records = await store.market(town.name).requests.records.get_all(sorted(town.ids))
    terms = {each: record.offers[-1].terms if record.offers else None for each, record in records.items()}
    return {
        "at once": (at_once.offered, at_once.deferred),
        "batch": (batch.offered, batch.tried),
        "reasons": told,
        "terms": terms,
        "optimiser": (solvers.most_s, solvers.told),
        "relaxations": solvers.searched,
    }


async def busy_town(store: Store, values: Values) -> Town:
    """A ride within the hour, ten for later, and one that nobody serves; a vendor whose work goes badly."""
    town = new_town(store)
    await store.market(town.name).tuning.put(Tuning(version=1, values=dict(values)), 0)
    await town.add_vendor(vendor("v1"), units=20)
    await town.add_vendor(vendor("v2", paused=True))
    marks = Keys(town.name).scorecards(month_of(town.clock.now_ms()))
    for outcome, count in ((Outcome.ON_TIME, 5), (Outcome.LATE, 10)):
        await store.reader.ask("HSET", marks, f"v1:{outcome}", count)
    evening = [trip(f"later-{n:02}", start_min=240) for n in range(10)]
    await town.submit(trip("soon", start_min=60), *evening)
    await town.submit(trip("nobody", start_min=240, level_of_service=LevelOfService.BLS))
    return town


class Jumping(selectors.SelectSelector):
    """Does not wait: time is then what it would have been afterwards."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now_s += max(timeout or 0.0, 0.0)
        return super().select(0)


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop whose time passes only by being waited for, and then at once."""

    def __init__(self) -> None:
        self.jumping = Jumping()
        super().__init__(self.jumping)

    def time(self) -> float:
        return self.jumping.now_s


class Enough(Exception):
    """As many batches as we want to see."""


def batches_at_s(values: Values, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When the first batches are run: there is work for four of them, then there is none."""
    market: Any = SimpleNamespace(
        values=values, clock=ManualClock(NOW_MS), requests=SimpleNamespace(untried=False)
    )
    nobody: Any = None
    progress, times = Progress(nobody, market), list[float]()

    async def batch(*_: object) -> Done:
        times.append(round(asyncio.get_running_loop().time(), 3))
        if len(times) < 4:
            progress.work.set()
        if len(times) == 6:
            raise Enough
        return Done()

    monkeypatch.setattr(batches, "fitting_batch", batch)
    loop = JumpingLoop()
    try:
        with pytest.raises(Enough):
            loop.run_until_complete(batches.run_batches(progress, nobody))
    finally:
        loop.close()
    return times
