"""Telling unmatched requests why: after the offers, beside urgent work, and only what is news."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import cached_property

from contracts.matches import Unmatched
from dispatcher.matching.commits import Done, Ownership, a_few_at_once
from dispatcher.matching.market import Market
from dispatcher.matching.reasons import is_news, reasons
from dispatcher.matching.relaxing import SEARCHED, with_relaxations
from dispatcher.matching.snapshot import Snapshot
from solvers.planning import BatchPlan
from solvers.screening import Screening


async def explain(own: Ownership, market: Market, done: Done) -> int:
    """Say why for every unmatched request of these plans; how many commits that took. Raises FenceLost."""
    told = 0
    for snapshot, plan in done.plans:
        works = _Explanations(own, market, snapshot, plan)
        matched = set(plan.chosen.request.tolist())
        rows = [row for row in range(len(snapshot.asked)) if row not in matched]
        await a_few_at_once((works.explain(row) for row in rows), market, gives_way=True)
        told += works.told
    return told


@dataclass(eq=False)
class _Explanations:
    own: Ownership
    market: Market
    snapshot: Snapshot
    plan: BatchPlan
    told: int = 0
    _searched: int = 0  # requests for which a relaxation was looked for
    _one_search: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def explain(self, row: int) -> None:
        """Say why request `row` of the snapshot has no vendor, if that is news."""
        record = self.snapshot.records[row]
        why = reasons(self.plan, row, len(self.snapshot.book.vendors))
        if is_news(record.unmatched, why, self.snapshot):
            why = await self._relaxed(row, why)
            commit = self.own.service.explain(self.market.name, record, why, fence=self.own.fence)
            self.told += await self.own.stored(commit)

    async def _relaxed(self, row: int, why: Unmatched) -> Unmatched:
        """With the smallest changes that would match it; in a storm only the first get them."""
        if self._searched >= SEARCHED.whole(self.snapshot.values):
            return why
        self._searched += 1
        async with self._one_search:  # several at once would only keep the loop from its work
            await self.market.calm.wait()
            return await asyncio.to_thread(self._search, row, why)

    def _search(self, row: int, why: Unmatched) -> Unmatched:
        return with_relaxations(why, self.snapshot, self._screening, row)

    @cached_property
    def _screening(self) -> Screening:
        """What is left once the plan's matches have taken theirs."""
        return self.snapshot.screening()
