"""Batches solved by a worker of another process, over a broker: the plan is as good as one of our own."""

from __future__ import annotations

from dispatcher.matching.solvers import Whose
from dispatcher.workers.shared import SharedSolvers
from solvers.saved import pack_plan
from solvers.screening import Screening
from tests.solvers.town import asked, screening, trip, vendor

WHOSE = Whose("metro", "7-abc")


def batch(requests: int = 6, **values: float) -> Screening:
    return screening(
        [asked(trip(f"r{n}")) for n in range(requests)], [vendor("v1"), vendor("v2")],
        values={"solve_work_limit": 1000, "solve_time_limit_s": 2.0} | values,
    )  # fmt: skip


async def test_a_worker_finds_the_plan_that_the_local_pool_would(shared: SharedSolvers) -> None:
    there = await shared.plan(batch(), whose=WHOSE)
    assert shared.elsewhere == 1
    here = await shared.local.plan(batch())
    assert pack_plan(there) == pack_plan(here)
    assert there.lost is not None
    assert here.lost is not None
    assert there.limits == here.limits
