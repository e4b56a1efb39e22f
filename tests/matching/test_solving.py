"""Slow, wrong and crashing solvers: a checked plan comes all the same, and nothing waits for it (P7)."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from multiprocessing import popen_forkserver

import numpy as np
import pytest

from contracts.codes import RequestState
from contracts.unmatched import Unmatched
from dispatcher.matching import solving
from dispatcher.matching.batch import run_batch
from dispatcher.matching.child import solve_job
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.job import Job
from dispatcher.matching.solving import Entry, SolverPool
from solvers.planning import BatchPlan, plan
from tests.matching.conftest import Town
from tests.solvers.town import asked, screening, trip, vendor


def sleeps(job: Job) -> BatchPlan:
    time.sleep(60)
    return plan(job.screening)


def dies(job: Job) -> BatchPlan:
    os.kill(os.getpid(), signal.SIGKILL)
    return plan(job.screening)


def overbooks(job: Job) -> BatchPlan:
    """Every request at its cheapest candidate, whatever room there is."""
    return plan(job.screening, lambda problem: np.unique(problem.column_request, return_index=True)[1])


def raises(job: Job) -> BatchPlan:
    """As a rule that somebody else wrote may."""
    raise AssertionError(f"no plan for {job.screening.requests}")


@pytest.fixture
async def faulty(request: pytest.FixtureRequest) -> AsyncIterator[SolverPool]:
    entry: Entry = request.param
    pool = SolverPool(entry=entry, workers=1)
    await pool.warm()
    yield pool
    await pool.aclose()


FAULTS = pytest.mark.parametrize("faulty", [sleeps, dies, overbooks, raises], indirect=True)


@FAULTS
async def test_a_faulty_solver_is_replaced_by_the_checked_fallback(faulty: SolverPool) -> None:
    tight = screening(
        [asked(trip(f"r{n}", width_min=0)) for n in range(3)],
        [vendor("v1")],
        values={"solve_time_limit_s": 0.1},
    )
    found = await faulty.plan(tight)
    assert found.solver == "greedy"
    assert len(found.chosen) == 2  # two units


@pytest.mark.parametrize("faulty", [sleeps], indirect=True)
async def test_imminent_requests_go_on_while_a_solver_hangs(
    town: Town, own: Ownership, faulty: SolverPool
) -> None:
    await town.add_vendor(vendor("v1"), units=9)
    await town.submit(trip("later", start_min=300))
    hanging = asyncio.create_task(run_batch(own, town.market, faulty))
    await asyncio.sleep(0.1)
    await town.submit(trip("soon", start_min=20))
    await match_imminent(own, town.market, ["soon"])
    assert (await town.record("soon")).state is RequestState.OFFERED
    assert not hanging.done()
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)


async def test_a_solve_leaves_a_core_while_imminent_requests_come() -> None:
    coming = [True]
    for workers, left in ((4, 3), (2, 1), (1, 1)):
        pool = SolverPool(workers=workers, imminent=lambda: coming[0])
        try:
            coming[0] = True
            assert pool.threads() == left
            coming[0] = False
            assert pool.threads() == workers
        finally:
            await pool.aclose()


@pytest.mark.parametrize("dying", ["the server that it is forked from", "the process itself"])
async def test_a_solver_that_dies_while_it_gets_warm_ends_nobody(
    monkeypatch: pytest.MonkeyPatch, dying: str
) -> None:
    pool, launch, times = SolverPool(workers=1), popen_forkserver.Popen._launch, iter((1,))

    def die_once(self: popen_forkserver.Popen, process: object) -> None:
        first = next(times, None)
        if first and dying.startswith("the server"):
            raise EOFError("unexpected EOF")  # as `multiprocessing` hears of it
        launch(self, process)
        if first:
            os.kill(self.pid, signal.SIGKILL)

    monkeypatch.setattr(popen_forkserver.Popen, "_launch", die_once)
    monkeypatch.setattr(
        solving, "WARM_LIMIT_S", 3.0
    )  # what dies with a lock in its hand is waited for so long
    day = screening([asked(trip(f"r{n}", width_min=0)) for n in range(3)], [vendor("v1")])
    try:
        await pool.warm()
        assert len((await pool.plan(day)).chosen) == 2
    finally:
        await pool.aclose()


async def test_a_killed_solver_process_costs_no_request_its_plan(pytestconfig: pytest.Config) -> None:
    """kill -9 mid-batch, again and again: each batch is planned, by a new process or by the fallback."""
    pool = SolverPool(workers=1)
    await pool.warm()
    day = screening([asked(trip(f"r{n}", width_min=0)) for n in range(3)], [vendor("v1")])
    try:
        for round_ in range(pytestconfig.getoption("rounds")):
            planning = asyncio.create_task(pool.plan(day))
            await asyncio.sleep(0.002 * (round_ % 5))
            for pid in pool.pids:
                os.kill(pid, signal.SIGKILL)
            assert len((await planning).chosen) == 2
    finally:
        await pool.aclose()


async def test_reasons_are_told_without_relaxations_when_their_search_dies(
    town: Town, pytestconfig: pytest.Config
) -> None:
    pool = SolverPool(workers=1)
    await pool.warm()
    why = Unmatched(vendors=1, last_rule="capacity")
    try:
        for _ in range(pytestconfig.getoption("rounds")):
            searching = asyncio.create_task(pool.relax(screening([asked(trip("r1"))], []), (), [why]))
            await asyncio.sleep(0)
            for pid in pool.pids:
                os.kill(pid, signal.SIGKILL)
            assert [each.last_rule for each in await searching] == ["capacity"]
    finally:
        await pool.aclose()


def test_the_optimiser_in_the_child_keeps_to_its_limits() -> None:
    day = screening([asked(trip(f"r{n}")) for n in range(20)], [vendor("v1"), vendor("v2")])
    found = solve_job(Job(day, time_limit_s=0.2, work_limit=None, seed=1, workers=1))
    assert found.solver == "optimiser"
    assert len(found.chosen) > 0
