"""The batch: all open requests within reach, planned together by the optimiser."""

from __future__ import annotations

import asyncio
import time

import structlog

from contracts.tuning import Parameter
from dispatcher.matching.commits import Ownership, commit_plan
from dispatcher.matching.market import Market
from dispatcher.matching.solving import SolverPool

INTERVAL = Parameter(
    name="batch_interval_s",
    default=30,
    minimum=1,
    maximum=3_600,
    unit="seconds",
    summary="Open requests are planned together at least this often.",
    scope="matching.batch",
)
GAP = Parameter(
    name="batch_gap_s",
    default=0.2,
    minimum=0.0,
    maximum=60.0,
    unit="seconds",
    summary="Real time between two batches at the least, so that new requests gather.",
    scope="matching.batch",
)
PATIENCE = Parameter(
    name="batch_patience_s",
    default=300,
    minimum=1,
    maximum=3_600,
    unit="seconds",
    summary="Clock time that the optimiser may take at the most: a plan must not be older than this.",
    scope="matching.batch",
)
PARAMETERS = (INTERVAL, GAP, PATIENCE)
LEAST_SOLVE_S = 0.1
log = structlog.get_logger()


async def run_batch(own: Ownership, market: Market, solvers: SolverPool) -> bool:
    """One batch; whether a match fell out and another batch should follow. Raises FenceLost."""
    began_s = time.perf_counter()
    await market.refresh()
    ids = await market.open_ids()
    market.forget_bodies(ids)
    snapshot = await market.snapshot(ids)
    if not snapshot.asked:
        return False
    screening = await asyncio.to_thread(snapshot.screening)
    patience_s = market.clock.real_s(float(PATIENCE.of(snapshot.values)))
    plan = await solvers.plan(screening, max(LEAST_SOLVE_S, patience_s))
    done = await commit_plan(own, market, snapshot, plan)
    log.info(
        "batch",
        market=market.name,
        requests=len(snapshot.asked),
        offered=done.offered,
        fell_out=done.fell_out,
        explained=done.explained,
        solver=plan.solver,
        solve_s=round(plan.seconds, 3),
        all_s=round(time.perf_counter() - began_s, 3),
    )
    return done.fell_out > 0
