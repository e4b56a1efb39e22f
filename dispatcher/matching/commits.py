"""Commits of the matcher, each under the fence: a match falls out alone when it went stale or full."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field

import structlog

from dispatcher.domain.decision import Decision
from dispatcher.domain.decisions.explain import explain
from dispatcher.domain.decisions.offer import offer
from dispatcher.domain.proposal import Proposal
from dispatcher.domain.refusals import Unavailable, WrongState
from dispatcher.matching.market import Market
from dispatcher.matching.reasons import is_news, reasons
from dispatcher.matching.snapshot import Snapshot
from dispatcher.matching.verify import BrokenRule, proposal
from dispatcher.store.outcome import Status
from solvers.planning import BatchPlan

AT_ONCE = 64  # commits in flight: they share fsyncs
log = structlog.get_logger()


class FenceLost(Exception):
    """Another matcher owns the market now."""


@dataclass
class Done:
    """What became of a plan."""

    offered: int = 0
    fell_out: int = 0  # stale, full, late or refused; still open, so planned again
    explained: int = 0


async def commit_plan(market: Market, fence: int, snapshot: Snapshot, plan: BatchPlan) -> Done:
    """Offer every match that passes the last look, and say why the others have none. Raises FenceLost."""
    works = _PlanCommit(market, fence, snapshot, plan)
    matched = set(plan.chosen.request.tolist())
    await _a_few_at_once(works.offer(row) for row in range(len(plan.chosen)))
    await _a_few_at_once(works.explain(row) for row in range(len(snapshot.asked)) if row not in matched)
    return works.done


@dataclass(eq=False)
class _PlanCommit:
    market: Market
    fence: int
    snapshot: Snapshot
    plan: BatchPlan
    done: Done = field(default_factory=Done)

    async def offer(self, row: int) -> None:
        """Offer match `row` of the plan, if it still may be."""
        decision, proposed = self._decide(row)
        if decision is not None and proposed is not None and await self._commit(decision):
            self.done.offered += 1
            self.market.take(proposed)
        else:
            self.done.fell_out += 1

    def _decide(self, row: int) -> tuple[Decision | None, Proposal | None]:
        record, now_ms = self.snapshot.records[int(self.plan.chosen.request[row])], self.market.clock.now_ms()
        try:
            proposed = proposal(self.snapshot, self.plan, row)
            if proposed.start_ms < now_ms:
                return None, None  # its start went by while it was planned
            request = self.market.bodies[record.id]
            return offer(record, request, proposed, now_ms, self.snapshot.values), proposed
        except BrokenRule as defect:
            log.error("plan_broke_a_rule", detail=str(defect), solver=self.plan.solver)
        except WrongState as late:
            log.debug("match_refused", market=self.market.name, reason=str(late))
        return None, None

    async def explain(self, row: int) -> None:
        """Say why request `row` of the snapshot has no vendor, if that is news."""
        record, now_ms = self.snapshot.records[row], self.market.clock.now_ms()
        why = reasons(self.plan, row, len(self.snapshot.book.vendors))
        if is_news(record.unmatched, why, self.snapshot):
            decision = explain(record, why, now_ms)
            self.done.explained += decision is not None and await self._commit(decision)

    async def _commit(self, decision: Decision) -> bool:
        """Whether it is stored. Raises FenceLost."""
        try:
            outcome = await self.market.store.commit(self.market.name, [decision], fence=self.fence)
        except Unavailable:
            return False  # not known: the next look at the record tells
        if outcome.status is Status.FENCED:
            raise FenceLost(f"market {self.market.name}: fence {self.fence} is no longer current")
        return outcome.ok


async def _a_few_at_once(works: Iterable[Awaitable[None]]) -> None:
    """Run all, `AT_ONCE` at a time, in order. The first error ends them."""
    waiting = iter(works)

    async def runner() -> None:
        for work in waiting:
            await work
            await asyncio.sleep(0)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(runner())
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
