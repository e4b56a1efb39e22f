"""Matches of a plan, each a commit of its own under the fence: what went stale or full falls out alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import structlog

from dispatcher.domain.commands.table import Command
from dispatcher.domain.refusals import Unavailable, Unwritable
from dispatcher.domain.requests import RequestRecord, waited_ms
from dispatcher.matching import losses
from dispatcher.matching.faults import NO_FAULT_OF_AN_ITEM, FenceLost
from dispatcher.matching.horizon import ahead_ms
from dispatcher.matching.market import Market
from dispatcher.matching.matches import Match
from dispatcher.matching.modes import ready
from dispatcher.matching.order import in_order, that_ask_one
from dispatcher.matching.sequence import waves
from dispatcher.matching.snapshot import Snapshot
from dispatcher.runtime.rounds import Rounds, beside_if_many, together
from dispatcher.service.execute import Executor
from dispatcher.store.outcome import Outcome, Status
from dispatcher.store.script import BrokenLedger
from solvers.planning import BatchPlan

VENDOR_MOVED_ON = frozenset({Status.OUTDATED, Status.FULL})
BY = "matcher"
# What became of a match: committed, or why not; else how its commit ended (`Status`).
OFFERED, MOVED, UNKNOWN, IN_HALVES = "offered", "moved", "unknown", "bundle_in_halves"
LATE, REFUSED = "start_went_by", "refused_by_last_look"
AT_ONCE = 16  # commits in batch: they share fsyncs …
MANY_AT_ONCE = 32  # … and more of them while nobody imminent comes: the first that does waits for them
log = structlog.get_logger()


@dataclass(frozen=True)
class Ownership:
    """The right to commit for a market: the executor, and the fence that the lease came with."""

    executor: Executor
    fence: str

    def attempt(self, market: str, *decided_on: tuple[Command, RequestRecord]) -> Awaitable[Outcome | None]:
        """Commands of the matcher's, on records that it has read: all of them or none."""
        return self.executor.attempt_all(BY, market, decided_on, fence=self.fence)

    async def outcome(self, commit: Awaitable[Outcome | None]) -> Outcome | None:
        """How a commit under this fence ended; None: not known, the next look at the record tells.

        A move whose ledger and record disagree is told and not made: it must not stop the market. Raises
        FenceLost.
        """
        try:
            outcome = await commit
        except Unavailable:
            return None
        except BrokenLedger as defect:
            log.error("ledger_broken", detail=str(defect))
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
    moved: set[str] = field(default_factory=set)  # ids of requests that had an offer and now have another
    tried: set[str] = field(default_factory=set)  # all without an offer that were planned
    fell_out: int = 0  # stale, full, late or refused; still open, so planned again
    outdated: set[str] = field(
        default_factory=set
    )  # of these: the vendor or its capacity was another by then
    changed: set[str] = field(default_factory=set)  # ids of those vendors
    became: dict[str, str] = field(default_factory=dict)  # of each match of the last plan, by request
    deferred: int = 0  # not imminent: left for the batch
    waits: list[tuple[bool, float]] = field(
        default_factory=list
    )  # of each offer: had it no vendor at first; s since it waits
    plans: list[tuple[Snapshot, BatchPlan]] = field(default_factory=list)  # whose unmatched may be told why

    def __iadd__(self, more: Done) -> Done:
        """Both together."""
        self.offered |= more.offered
        self.moved |= more.moved
        self.tried |= more.tried
        self.fell_out += more.fell_out
        self.outdated |= more.outdated
        self.changed |= more.changed
        self.deferred += more.deferred
        self.waits += more.waits
        self.plans += more.plans
        self.became = more.became
        return self

    def note(self, match: Match, outcome: Outcome | None, market: Market) -> None:
        """What became of one commit; what was stored counts against what is left in the market."""
        if outcome is not None and outcome.ok:
            self._stored(match, market)
            if match.books:
                market.take(match.proposal, match.instead_of)
            return
        self.fell_out += 1
        self.became[match.record.id] = UNKNOWN if outcome is None else outcome.status.value
        if outcome is not None and outcome.status in VENDOR_MOVED_ON:
            self.outdated.add(match.record.id)
            self.changed.add(match.proposal.vendor.id)

    def _stored(self, match: Match, market: Market) -> None:
        self.became[match.record.id] = MOVED if match.instead_of else OFFERED
        if match.instead_of:
            self.moved.add(match.record.id)
            return
        self.offered.add(match.record.id)
        waited = waited_ms(match.record, market.clock.now_ms(), ahead_ms(market.values))
        self.waits.append((match.record.unmatched is not None, waited / 1000))


async def commit_plan(
    own: Ownership,
    market: Market,
    snapshot: Snapshot,
    plan: BatchPlan,
    *,
    yields_to_imminent: bool = False,
    done: Done | None = None,
    under_way: Callable[[], None] = lambda: None,
) -> Done:
    """Commit every match that passes the last look; with `yields_to_imminent`, after imminent ones.

    `done`, where it is given, knows what became of each match, also when this raises; what became of some
    before stays. `under_way` hears once none is left to be begun: from then on what all take is taken.

    Moves go first: they make room for the others; then the most pressing, each after all that it follows.
    Raises FenceLost.
    """
    works = _Matches(own, market, snapshot, plan, Done() if done is None else done, under_way)
    works.done.tried.update(snapshot.records[row].id for row in snapshot.waiting)
    works.done.plans.append((snapshot, plan))
    snapshot.keep_unmoved(plan)
    already = frozenset(works.done.became)
    order = await beside_if_many(len(plan.chosen), in_order, snapshot, plan, already)
    await run_bounded(map(works.move, order.moves), market, yields_to_imminent=yields_to_imminent)
    await run_bounded(map(works.commit, works.blocked), market, yields_to_imminent=yields_to_imminent)
    for turn in order.turns:
        offered = (works.offer(order.rows[each]) for each in turn)
        await run_bounded(offered, market, yields_to_imminent=yields_to_imminent)
    whole = (works.together(name, order.rows, some) for name, some in order.bundles.items())
    await run_bounded(whole, market, yields_to_imminent=yields_to_imminent)
    await losses.note(market, snapshot, plan, works.done.offered, works.done.became)
    return works.done


async def commit_settled(
    own: Ownership, market: Market, snapshot: Snapshot, done: Done, plan: BatchPlan
) -> None:
    """Commit a part of a plan while the rest is solved: nothing of it stands, is in sequence or in a bundle.

    Not what asks several vendors: it comes last, and sees what all others take. Raises FenceLost.
    """
    works = _Matches(own, market, snapshot, plan, done)
    rows = await beside_if_many(len(plan.chosen), that_ask_one, snapshot, plan)
    await run_bounded(map(works.offer, rows), market, yields_to_imminent=True)


@dataclass(eq=False)
class _Matches:
    own: Ownership
    market: Market
    snapshot: Snapshot
    plan: BatchPlan
    done: Done = field(default_factory=Done)
    under_way: Callable[[], None] = lambda: None
    blocked: list[Match] = field(default_factory=list)  #: moves to where another stood that moves, too
    begun: int = 0

    async def offer(self, row: int) -> None:
        """Offer match `row` of the plan, if it still may be."""
        match = self._checked(row)
        if match is not None:
            await self.commit(match)

    async def together(self, bundle: str, rows: Mapping[int, int], some: Sequence[int]) -> None:
        """Offer all that is open of a bundle in one commit, each after all that it follows; or nothing."""
        known, ids = (
            self.market.requests.bundles.get(bundle),
            {self.snapshot.records[each].id for each in some},
        )
        in_order = [each for turn in waves(self.snapshot.asked, some) for each in turn]
        matches = [self._checked(rows[each]) for each in in_order]
        whole = [each for each in matches if each is not None]
        if len(whole) < len(matches) or known is None or not known.ids <= ids:
            self.done.fell_out += len(whole)
            self.done.became |= {each.record.id: IN_HALVES for each in whole}
            return
        commands = ((each.command, each.record) for each in whole)
        with self.market.under_way(*(each.proposal for each in whole if each.books)):
            outcome = await outcome_of(self.own, self.market, *commands)
            for match in whole:
                self.done.note(match, outcome, self.market)

    async def move(self, row: int) -> None:
        """Move match `row` of the plan; where there is no room, once more after the others."""
        match = self._checked(row)
        outcome = await self._outcome(match) if match is not None else None
        if match is not None and outcome is not None and outcome.status is Status.FULL:
            self.blocked.append(match)
        elif match is not None:
            self.done.note(match, outcome, self.market)

    async def commit(self, match: Match) -> None:
        """Commit it, whatever becomes of that."""
        with self.market.under_way(*([match.proposal] if match.books else [])):
            self.done.note(match, await self._outcome(match), self.market)

    def _checked(self, row: int) -> Match | None:
        self.begun += 1
        if self.begun == len(self.plan.chosen):
            self.under_way()  # whoever hears it has its turn once this one awaits its commit
        match = ready(self.market, self.snapshot, self.plan, row)
        self.done.fell_out += match is None
        if match is None:
            request = self.snapshot.records[int(self.plan.chosen.request[row])].id
            late = int(self.plan.chosen.start_ms[row]) < self.market.clock.now_ms()
            self.done.became[request] = LATE if late else REFUSED
        return match

    async def _outcome(self, match: Match) -> Outcome | None:
        return await outcome_of(self.own, self.market, (match.command, match.record))


async def outcome_of(
    own: Ownership, market: Market, *decided_on: tuple[Command, RequestRecord]
) -> Outcome | None:
    """As `Ownership.outcome`, of these commands; where deciding on them raises, they are set aside: None."""
    try:
        return await own.outcome(own.attempt(market.name, *decided_on))
    except NO_FAULT_OF_AN_ITEM:
        raise
    except Exception as error:
        for _, record in decided_on:
            market.requests.unplanned.note(record.id, error)
        return None


async def run_bounded(works: Iterable[Awaitable[None]], market: Market, *, yields_to_imminent: bool) -> None:
    """Run all, `AT_ONCE` at a time, in order. The first error ends them.

    Those that yield to imminent work run in more numbers while there is none, and together: what is sent
    to the store at once is durable at once. Else one begins a round, so that what comes in is heard between.
    """
    waiting, rounds = iter(works), Rounds()
    first = list(islice(waiting, MANY_AT_ONCE if yields_to_imminent and market.is_calm else AT_ONCE))

    async def runner(nth: int, work: Awaitable[None] | None) -> None:
        while work is not None:
            if yields_to_imminent:
                calm = market.no_imminent_work
                await (calm.wait() if market.is_calm else rounds.next(calm, market.rest_s))
            await work
            await asyncio.sleep(0)
            if nth >= AT_ONCE and not market.is_calm:
                return
            work = next(waiting, None)

    if len(first) < 2:  # an imminent request is one by itself: it needs no tasks
        await runner(0, next(iter(first), None))
        return
    async with together() as group:
        for nth, each in enumerate(first):
            group.create_task(runner(nth, each))
