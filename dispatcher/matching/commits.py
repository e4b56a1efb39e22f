"""Commits of the matcher, each under the fence: a match falls out alone when it went stale or full."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from functools import cached_property

import structlog

from contracts.matches import Unmatched
from contracts.requests import Request
from dispatcher.domain.proposal import Proposal
from dispatcher.domain.record import RequestRecord
from dispatcher.domain.refusals import Unavailable
from dispatcher.matching.market import Market
from dispatcher.matching.reasons import is_news, reasons
from dispatcher.matching.relaxing import SEARCHED, with_relaxations
from dispatcher.matching.snapshot import Snapshot
from dispatcher.matching.verify import BrokenRule, proposal
from dispatcher.service.machinery import Machinery
from dispatcher.store.outcome import Outcome, Status
from solvers.planning import BatchPlan
from solvers.screening import Screening

AT_ONCE = 16  # commits in flight: they share fsyncs, and an urgent request waits for few of them
log = structlog.get_logger()


class FenceLost(Exception):
    """Another matcher owns the market now."""


@dataclass
class Done:
    """What became of a plan."""

    offered: set[str] = field(default_factory=set)  # their ids
    fell_out: int = 0  # stale, full, late or refused; still open, so planned again
    explained: int = 0
    patient: int = 0  # not urgent: left for the batch

    def __iadd__(self, more: Done) -> Done:
        """Both together."""
        self.offered |= more.offered
        self.fell_out += more.fell_out
        self.explained += more.explained
        self.patient += more.patient
        return self


@dataclass(frozen=True)
class Ownership:
    """The right to commit for a market: the service, and the fence number that the lease came with."""

    service: Machinery
    fence: int


async def commit_plan(own: Ownership, market: Market, snapshot: Snapshot, plan: BatchPlan) -> Done:
    """Offer every match that passes the last look, and say why the others have none. Raises FenceLost."""
    works = _PlanCommit(own, market, snapshot, plan)
    matched = set(plan.chosen.request.tolist())
    await _a_few_at_once(works.offer(row) for row in range(len(plan.chosen)))
    await _a_few_at_once(works.explain(row) for row in range(len(snapshot.asked)) if row not in matched)
    return works.done


@dataclass(eq=False)
class _PlanCommit:
    own: Ownership
    market: Market
    snapshot: Snapshot
    plan: BatchPlan
    done: Done = field(default_factory=Done)
    _one_search: asyncio.Lock = field(default_factory=asyncio.Lock)
    _searched: int = 0  # requests for which a relaxation was looked for

    async def offer(self, row: int) -> None:
        """Offer match `row` of the plan, if it still may be."""
        request = int(self.plan.chosen.request[row])
        record, body = self.snapshot.records[request], self.snapshot.asked[request].request
        proposed = self._checked(row)
        if proposed is not None and await self._offered(record, body, proposed):
            self.done.offered.add(record.id)
            self.market.take(proposed)
        else:
            self.done.fell_out += 1

    def _checked(self, row: int) -> Proposal | None:
        """The proposal, unless it breaks a rule (a defect) or its start went by while it was planned."""
        try:
            proposed = proposal(self.snapshot, self.plan, row)
        except BrokenRule as defect:
            log.error("plan_broke_a_rule", detail=str(defect), solver=self.plan.solver)
            return None
        return proposed if proposed.start_ms >= self.market.clock.now_ms() else None

    async def _offered(self, record: RequestRecord, body: Request, proposed: Proposal) -> bool:
        offering = self.own.service.offer(self.market.name, record, body, proposed, fence=self.own.fence)
        return await self._stored(offering)

    async def explain(self, row: int) -> None:
        """Say why request `row` of the snapshot has no vendor, if that is news."""
        record = self.snapshot.records[row]
        why = reasons(self.plan, row, len(self.snapshot.book.vendors))
        if is_news(record.unmatched, why, self.snapshot):
            why = await self._relaxed(row, why)
            explaining = self.own.service.explain(self.market.name, record, why, fence=self.own.fence)
            self.done.explained += await self._stored(explaining)

    async def _relaxed(self, row: int, why: Unmatched) -> Unmatched:
        """With the smallest changes that would match it; in a storm only the first get them."""
        if self._searched >= SEARCHED.whole(self.snapshot.values):
            return why
        self._searched += 1
        async with self._one_search:  # several at once would only keep the loop from its work
            return await asyncio.to_thread(self._search, row, why)

    def _search(self, row: int, why: Unmatched) -> Unmatched:
        return with_relaxations(why, self.snapshot, self._screening, row)

    @cached_property
    def _screening(self) -> Screening:
        """What is left once the plan's matches have taken theirs."""
        return self.snapshot.screening()

    async def _stored(self, commit: Awaitable[Outcome | None]) -> bool:
        """Whether it is known to be stored. Raises FenceLost."""
        try:
            outcome = await commit
        except Unavailable:
            return False  # not known: the next look at the record tells
        if outcome is not None and outcome.status is Status.FENCED:
            raise FenceLost(f"market {self.market.name}: fence {self.own.fence} is no longer current")
        return outcome is not None and outcome.ok


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
