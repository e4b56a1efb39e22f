"""Telling unmatched requests why: after the offers, beside imminent work, and only what is news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial

from contracts.unmatched import Unmatched
from dispatcher.domain.commands.unmatched import ExplainUnmatched
from dispatcher.matching.commits import Done, Ownership, outcome_of, run_bounded
from dispatcher.matching.market import Market
from dispatcher.matching.reasons import beside_others, held_back, is_news, reasons, with_hint
from dispatcher.matching.refused import told_apart
from dispatcher.matching.relaxations import SEARCHED
from dispatcher.matching.requests import WaitingRequests
from dispatcher.matching.snapshot import Snapshot
from dispatcher.matching.solvers import Solvers
from dispatcher.runtime.rounds import in_parts
from solvers.planning import BatchPlan

TOGETHER = 8  # searched in one go, some 5 ms each: a batch that is ready to be planned waits no longer
News = tuple[int, Unmatched]  #: a request's row in the snapshot, and why it has no vendor


async def explain(own: Ownership, market: Market, solvers: Solvers, done: Done) -> int:
    """Say why for every unmatched request of these plans; how many commits that took. Raises FenceLost."""
    told = 0
    for snapshot, plan in done.plans:
        works, news = _Explanations(own, market, solvers, snapshot), list[News]()
        async for some in in_parts(_missed(snapshot, plan, done.offered), market.give_way):
            news += _news(snapshot, plan, some, market.requests)
        await works.run(news)
        told += works.told
    return told


def _missed(snapshot: Snapshot, plan: BatchPlan, offered: Set[str]) -> list[int]:
    """Rows that the plan left without a vendor, unless one was found for them all the same."""
    matched = set(plan.chosen.request.tolist())
    rows = [row for row in snapshot.waiting if row not in matched]
    return [row for row in rows if snapshot.records[row].id not in offered]


def _news(snapshot: Snapshot, plan: BatchPlan, rows: Sequence[int], requests: WaitingRequests) -> list[News]:
    """Of these rows; one whose reasons cannot be made is set aside."""

    def why_of(row: int) -> Unmatched | None:
        refusals = requests.refused.of(snapshot.records[row].id, snapshot.reading)
        why = _why(snapshot, plan, row, refusals)
        return why if is_news(snapshot.records[row].unmatched, why, snapshot) else None

    found = [(row, requests.unplanned.made(snapshot.records[row].id, partial(why_of, row))) for row in rows]
    return [(row, why) for row, why in found if why is not None]


def _why(snapshot: Snapshot, plan: BatchPlan, row: int, refusals: Mapping[str, str]) -> Unmatched:
    why = told_apart(reasons(plan, row, len(snapshot.vendors)), refusals.values())
    return beside_others(held_back(why, snapshot, plan, row), snapshot, plan, row)


@dataclass(eq=False)
class _Explanations:
    own: Ownership
    market: Market
    solvers: Solvers
    snapshot: Snapshot
    told: int = 0

    async def run(self, news: Sequence[News]) -> None:
        """Tell all; the first, in a storm only these, with the smallest changes that would match them."""
        most = SEARCHED.whole(self.snapshot.values)
        await self._tell_all(news[most:])
        searched = news[:most]
        for first in range(0, len(searched), TOGETHER):
            await self.market.no_imminent_work.wait()
            await self._tell_all(await self._relaxed(searched[first : first + TOGETHER]))

    async def _relaxed(self, news: Sequence[News]) -> list[News]:
        """With the smallest changes, searched in what is left once the plan's matches have taken theirs."""
        rows = [row for row, _ in news]
        few = replace(
            self.snapshot,
            records=tuple(self.snapshot.records[row] for row in rows),
            asked=tuple(self.snapshot.asked[row] for row in rows),
            standing={},
        )
        vendors = tuple(each.id for each in self.snapshot.vendors)
        found = await self.solvers.relax(few.screening(), vendors, [why for _, why in news])
        return list(zip(rows, found, strict=True))

    async def _tell_all(self, news: Sequence[News]) -> None:
        await run_bounded((self._tell(row, why) for row, why in news), self.market, yields_to_imminent=True)

    async def _tell(self, row: int, why: Unmatched) -> None:
        record = self.snapshot.records[row]
        asked, vendors, made = (
            self.snapshot.asked[row],
            self.snapshot.vendors,
            self.market.requests.unplanned.made,
        )
        told = made(record.id, partial(with_hint, why, asked, vendors)) or why
        command = ExplainUnmatched(request_id=record.id, unmatched=told)
        outcome = await outcome_of(self.own, self.market, (command, record))
        self.told += outcome is not None and outcome.ok
