"""The batch: open requests within reach, each in its turn, planned together; who was only asked may move."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from statistics import median

import structlog

from contracts.instants import MINUTE_MS
from contracts.tuning import Parameter
from dispatcher.decisions.record import BATCH
from dispatcher.matching.commits import Done, Ownership, commit_plan, commit_settled
from dispatcher.matching.culprits import try_again, without_culprits
from dispatcher.matching.job import Job
from dispatcher.matching.market import Market
from dispatcher.matching.measured import batched
from dispatcher.matching.shadow import Batch
from dispatcher.matching.snapshot import Snapshot
from dispatcher.matching.solvers import Solvers, Whose
from dispatcher.matching.standing import MOST_OFFERED
from dispatcher.matching.unplanned import NotPlanned, planning
from dispatcher.matching.will_calls import keep_room
from dispatcher.runtime import traces
from solvers.planning import BatchPlan
from solvers.screening import Screening

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
SETTLE = Parameter(
    name="batch_settle_s",
    default=0.0,
    minimum=0.0,
    maximum=60.0,
    unit="seconds",
    summary="A batch begins once no request came for so long, real time; no later than at its interval.",
    scope="matching.batch",
)
TIMEOUT = Parameter(
    name="batch_timeout_s",
    default=120,
    minimum=1,
    maximum=3_600,
    unit="seconds",
    summary="Clock time that the optimiser may always take: a plan must not be older than its windows bear.",
    scope="matching.batch",
)
SHARE = Parameter(
    name="batch_timeout_share",
    default=0.1,
    minimum=0.0,
    maximum=0.5,
    unit="share",
    summary="The optimiser may take this share of the (median) time until the windows of a batch open.",
    scope="matching.batch",
)
PARAMETERS = (INTERVAL, GAP, SETTLE, TIMEOUT, SHARE)
MOST_AHEAD_MS = 10 * MINUTE_MS
log = structlog.get_logger()


async def run_batch(own: Ownership, market: Market, solvers: Solvers) -> Done:
    """One batch, were it of nothing. Raises FenceLost."""

    async def attempt() -> Done:
        try:
            return await _batch(own, market, solvers, traced)
        except NotPlanned:
            market.requests.not_tried()  # who is not at fault has its turn at once
            raise

    with ExitStack() as traced:
        done = await without_culprits(market, attempt)
    await market.stored.pulse.batched()
    return done


async def _batch(own: Ownership, market: Market, solvers: Solvers, traced: ExitStack) -> Done:
    began_s, began_ms = time.perf_counter(), market.clock.now_ms()
    await market.refresh()
    ids = await market.requests.open_ids()
    there = set(ids)
    market.counted &= there
    market.said_before.forget_all_but(there)
    market.requests.forget_all_but([*ids, *market.offered.records])
    travel = await market.travel()
    await try_again(market, travel)
    if market.requests.begin(ids, market.values, began_ms):
        await market.stored.pulse.mark(market.requests.size.marked)
    waiting = await market.next_batch(ids, travel)
    if not waiting:
        return Done()
    traced.enter_context(
        traces.span("batch", dispatcher__market=market.name, dispatcher__requests=len(waiting))
    )
    may_move = MOST_OFFERED if market.requests.size.most is None else 0  # all who may are kept in memory
    standing = await market.standing(waiting, travel, market.planning_ms, may_move)
    snapshot = await market.snapshot(waiting, market.planning_ms, standing, travel)
    kept_for = await keep_room(market, snapshot, travel)
    done, plan = await _decided(own, market, solvers, snapshot, began_ms)
    all_s = time.perf_counter() - began_s
    batched(own, market.name, plan, done, all_s)
    log.info(
        "batch",
        market=market.name,
        requests=len(waiting),
        movable=len(standing),
        kept_for=kept_for,
        offered=len(done.offered),
        moved=len(done.moved),
        fell_out=done.fell_out,
        solver=plan.solver,
        solve_s=round(plan.seconds, 3),
        all_s=round(all_s, 3),
    )
    return done


async def _decided(
    own: Ownership, market: Market, solvers: Solvers, snapshot: Snapshot, began_ms: int
) -> tuple[Done, BatchPlan]:
    """Planned, committed and saved; its shadow begins once that is done."""
    with planning(snapshot):
        screening = await asyncio.to_thread(snapshot.screening)
    held = await market.shadow.wanted() if market.shadow is not None else None
    beside = _beside(snapshot, screening) if held is not None else None
    most_s, whose = market.clock.real_s(timeout_s(snapshot)), Whose(market.name, own.fence)
    done = Done()
    if snapshot.standing or Job.of(screening, most_s, 1).parts == 1:
        with planning(snapshot):
            plan = await solvers.plan(screening, most_s, whose)
    else:
        # with counts of its own: what is settled is taken of the others, and all may be planned anew
        whole = replace(screening, supply=snapshot.capacity.copy().supply)
        settled = partial(commit_settled, own, market, snapshot, done)
        with planning(snapshot):
            plan = await solvers.plan(whole, most_s, whose, settled)
    market.planning_ms = min(market.clock.now_ms() - began_ms, MOST_AHEAD_MS)
    try:
        await commit_plan(own, market, snapshot, plan, yields_to_imminent=True, done=done)
    finally:
        market.save(BATCH, snapshot, screening, plan, became=done.became)
    if market.shadow is not None and held is not None and beside is not None:
        market.shadow.begin(held, beside)
    return done, plan


def _beside(snapshot: Snapshot, screening: Screening) -> Batch:
    """The batch for its shadow, with counts of its own: the commits take of the matcher's."""
    return Batch(
        replace(screening, supply=snapshot.capacity.copy().supply),
        [each.request.id for each in snapshot.asked],
        [each.id for each in snapshot.vendors],
        snapshot.reading.tuning.version,
        snapshot.now_ms,
    )


def timeout_s(snapshot: Snapshot) -> float:
    """Clock seconds that the optimiser may take: more when most windows open much later."""
    waiting = [snapshot.asked[row] for row in snapshot.waiting]
    lead_s = median(each.earliest_ms - snapshot.now_ms for each in waiting) / 1000
    return max(float(TIMEOUT.of(snapshot.values)), lead_s * float(SHARE.of(snapshot.values)))
