"""Offers of a plan, each a commit of its own under the fence: what went stale or full falls out alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field

import structlog

from contracts.requests import Request
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.commands.table import Command
from dispatcher.domain.proposal import Proposal
from dispatcher.domain.refusals import Unavailable, Unwritable
from dispatcher.domain.requests import RequestRecord
from dispatcher.matching.market import Market
from dispatcher.matching.snapshot import Snapshot
from dispatcher.matching.verify import BrokenRule, proposal
from dispatcher.service.execute import Executor
from dispatcher.store.outcome import Outcome, Status
from solvers.planning import BatchPlan

VENDOR_MOVED_ON = frozenset({Status.OUTDATED, Status.FULL})
BY = "matcher"
AT_ONCE = 16  # commits in batch: they share fsyncs
log = structlog.get_logger()


class FenceLost(Exception):
    """Another matcher owns the market now."""


@dataclass(frozen=True)
class Ownership:
    """The right to commit for a market: the executor, and the fence number that the lease came with."""

    executor: Executor
    fence: int

    def attempt(self, market: str, command: Command, record: RequestRecord) -> Awaitable[Outcome | None]:
        """A command of the matcher's, on a record that it has read."""
        return self.executor.attempt(BY, market, command, record, fence=self.fence)

    async def stored(self, commit: Awaitable[Outcome | None]) -> bool:
        """Whether a commit under this fence is known to be stored. Raises FenceLost."""
        outcome = await self.outcome(commit)
        return outcome is not None and outcome.ok

    async def outcome(self, commit: Awaitable[Outcome | None]) -> Outcome | None:
        """How a commit under this fence ended; None: not known, the next look at the record tells.

        Raises FenceLost.
        """
        try:
            outcome = await commit
        except Unavailable:
            return None
        except Unwritable as refusal:  # one record's key, or its vendor's: the others go on
            log.error("commit_refused", key=refusal.facts["key"], reason=refusal.facts["reason"])
            return None
        if outcome is not None and outcome.status is Status.FENCED:
            raise FenceLost(f"fence {self.fence} is no longer current")
        return outcome


@dataclass
class Done:
    """What became of one plan or more."""

    offered: set[str] = field(default_factory=set)  # their ids
    tried: set[str] = field(default_factory=set)  # all that were planned
    fell_out: int = 0  # stale, full, late or refused; still open, so planned again
    outdated: set[str] = field(
        default_factory=set
    )  # of these: the vendor or its capacity was another by then
    deferred: int = 0  # not imminent: left for the batch
    plans: list[tuple[Snapshot, BatchPlan]] = field(default_factory=list)  # whose unmatched may be told why

    def __iadd__(self, more: Done) -> Done:
        """Both together."""
        self.offered |= more.offered
        self.tried |= more.tried
        self.fell_out += more.fell_out
        self.outdated |= more.outdated
        self.deferred += more.deferred
        self.plans += more.plans
        return self


async def commit_plan(
    own: Ownership, market: Market, snapshot: Snapshot, plan: BatchPlan, *, yields_to_imminent: bool = False
) -> Done:
    """Offer every match that passes the last look; with `yields_to_imminent`, after imminent ones.

    Raises FenceLost."""
    works = _Offers(own, market, snapshot, plan)
    works.done.tried.update(record.id for record in snapshot.records)
    works.done.plans.append((snapshot, plan))
    await run_bounded(
        (works.offer(row) for row in range(len(plan.chosen))), market, yields_to_imminent=yields_to_imminent
    )
    return works.done


@dataclass(eq=False)
class _Offers:
    own: Ownership
    market: Market
    snapshot: Snapshot
    plan: BatchPlan
    done: Done = field(default_factory=Done)

    async def offer(self, row: int) -> None:
        """Offer match `row` of the plan, if it still may be."""
        request = int(self.plan.chosen.request[row])
        record, body = self.snapshot.records[request], self.snapshot.asked[request].request
        proposed = self._checked(row)
        outcome = await self._committed(record, body, proposed) if proposed is not None else None
        if proposed is not None and outcome is not None and outcome.ok:
            self.done.offered.add(record.id)
            self.market.take(proposed)
            return
        self.done.fell_out += 1
        if outcome is not None and outcome.status in VENDOR_MOVED_ON:
            self.done.outdated.add(record.id)

    def _checked(self, row: int) -> Proposal | None:
        """The proposal, unless it breaks a rule (a defect) or its start went by while it was planned."""
        try:
            proposed = proposal(self.snapshot, self.plan, row)
        except BrokenRule as defect:
            log.error("plan_broke_a_rule", detail=str(defect), solver=self.plan.solver)
            return None
        return proposed if proposed.start_ms >= self.market.clock.now_ms() else None

    async def _committed(self, record: RequestRecord, body: Request, proposed: Proposal) -> Outcome | None:
        command = MakeOffer(request_id=record.id, request=body, proposal=proposed)
        return await self.own.outcome(self.own.attempt(self.market.name, command, record))


async def run_bounded(works: Iterable[Awaitable[None]], market: Market, *, yields_to_imminent: bool) -> None:
    """Run all, `AT_ONCE` at a time, in order. The first error ends them."""
    waiting = iter(works)

    async def runner() -> None:
        for work in waiting:
            await work
            await asyncio.sleep(0)
            if yields_to_imminent:
                await market.no_imminent_work.wait()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(runner())
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
